import { observerRegions, type Regions } from '../config/config.ts';
import type { Effect, Fault, Scenario } from '../scenario/schema.ts';
import { hash, seedFor, stream } from './random.ts';
import type { SimulatedSystem } from './system.ts';
import type { NoiseLevel, OperatorAction } from './types.ts';

/** A random case: what fails, what operators do, and which observer lies or is dead. */
export interface RandomCase {
  readonly scenario: Scenario;
  readonly actions: readonly OperatorAction[];
  readonly conductor: 'alive' | 'dead';
  readonly noise: NoiseLevel;
  readonly liar?: string;
  readonly dead?: { readonly region: string; readonly fromMs: number };
}

type Cells = SimulatedSystem['cells'];

const MINUTE_MS = 60_000;

/** The same seed, the same case. */
export function randomScenario(seed: number, { regions, cells }: RandomWorld): RandomCase {
  const draw = new Draw(stream(seedFor(seed, 'scenario')));
  const durationMs = draw.whole(10 * MINUTE_MS, 30 * MINUTE_MS);
  const faults = draw.chance(0.1) ? oneSided(draw, regions, durationMs) : mixed(draw, regions, durationMs);
  const observers = observerRegions(regions);
  const odd = draw.of(observers);
  const trick = draw.whole(0, 9);
  // Drawn after everything else, and from streams of their own: what was drawn before stays the same case.
  const workloads = drawWorkloads(new Draw(stream(seedFor(seed, 'workloads'))), { cells, durationMs });
  return {
    scenario: {
      name: `random-${seed}`,
      title: `Random scenario ${seed}`,
      durationMs,
      faults: [...faults, ...workloads.faults],
      ...workloads.fleets,
      expect: { verdict: 'hold' },
    },
    actions: draw.chance(0.3) ? operators(draw, durationMs) : [],
    conductor: draw.chance(0.35) ? 'dead' : 'alive',
    noise: draw.chance(0.2) ? 'usual' : 'none',
    ...(trick === 0 && { liar: odd }),
    ...(trick === 1 && { dead: { region: odd, fromMs: draw.whole(0, durationMs) } }),
  };
}

export type RandomWorld = Pick<SimulatedSystem, 'regions' | 'cells'>;

interface Workloads {
  readonly faults: readonly Fault[];
  readonly fleets: Pick<Scenario, 'producers' | 'lies' | 'policy'>;
}

/** What befalls single cells: half of the cases have fleets, and most of those a fault of a stream, or liars. */
function drawWorkloads(
  draw: Draw,
  { cells, durationMs }: { readonly cells: Cells; readonly durationMs: number },
): Workloads {
  if (draw.chance(0.5)) return { faults: [], fleets: {} };
  const names = cells.map(({ name }) => name);
  const faults = Array.from({ length: draw.whole(0, 2) }, () => streamFault(draw, { names, durationMs }));
  const lies = Array.from({ length: draw.whole(0, 2) }, () => ({
    ...span(draw, durationMs),
    cells: [draw.of(names)],
    share: draw.of([1, 0.9, 0.6, 0.5, 0.3, 0.1]),
    says: draw.of(['failing', 'failing', 'healthy'] as const),
  }));
  const fleet = {
    instances: draw.of([1, 4, 12, 40]),
    beacons: draw.chance(0.8),
    probe: draw.of(['always', 'onSuspicion', 'onSuspicion', 'never'] as const),
  };
  const policy = { beacons: draw.of(['probe', 'probe', 'move', 'ignore'] as const) };
  return {
    faults,
    fleets: { producers: { ...fleet, cells: {} }, policy, ...(lies.length > 0 && { lies }) },
  };
}

function streamFault(
  draw: Draw,
  { names, durationMs }: { readonly names: readonly string[]; readonly durationMs: number },
): Fault {
  const from = draw.of([undefined, undefined, undefined, 'producers', 'standby', 'witness', 'us-east-2']);
  return {
    ...span(draw, durationMs),
    where: {
      region: draw.of(['primary', 'primary', 'primary', 'standby', '*']),
      service: 'kinesis',
      streams: draw.of([
        [draw.of(names)],
        [draw.of(names)],
        [...names],
        ['canary'],
        ['canary', draw.of(names)],
      ]),
    },
    effect: effectOf(draw, draw.chance(0.3)),
    rate: draw.rate(),
    ...(from !== undefined && { seenFrom: [from] }),
  };
}

class Draw {
  readonly #random: () => number;

  constructor(random: () => number) {
    this.#random = random;
  }

  chance(share: number): boolean {
    return this.#random() < share;
  }

  whole(from: number, to: number): number {
    return from + Math.floor(this.#random() * (to - from + 1));
  }

  of<T>(list: readonly T[]): T {
    return list[Math.floor(this.#random() * list.length)] as T;
  }

  /** Failing fractions that matter lie on both ends. */
  rate(): number {
    return this.of([1, 1, 0.95, 0.8, 0.5, 0.3, 0.1, 0.02]);
  }
}

function mixed(draw: Draw, regions: Regions, durationMs: number): readonly Fault[] {
  const faults = Array.from({ length: draw.whole(1, 4) }, () => anyFault(draw, regions, durationMs));
  // Most random outages call for no evacuation, so half of the cases begin with one that does.
  return draw.chance(0.5) ? [writesFail(draw, durationMs), ...faults] : faults;
}

function writesFail(draw: Draw, durationMs: number): Fault {
  const { atMs, untilMs } = span(draw, durationMs);
  return {
    atMs,
    untilMs,
    where: { region: 'primary', service: 'kinesis' },
    effect: effectOf(draw, false),
    rate: draw.of([1, 0.95, 0.8, 0.5]),
  };
}

function anyFault(draw: Draw, regions: Regions, durationMs: number): Fault {
  const region = draw.of([
    'primary',
    'primary',
    'primary',
    'standby',
    'witness',
    '*',
    ...observerRegions(regions),
  ]);
  const where = draw.of<Fault['where']>([
    { region },
    { region, service: 'kinesis' },
    { region, service: 'kinesis', operations: ['PutRecord', 'PutRecords'] },
    { region, service: 'kinesis', operations: ['GetRecords'] },
    { region, service: 'dynamodb' },
    { region, service: 'lambda', operations: ['InvokeFunctionUrl'] },
    { region, service: 'cloudwatch' },
    { region, service: 'sts' },
  ]);
  const from = draw.of([undefined, undefined, undefined, 'standby', 'witness', ...observerRegions(regions)]);
  const ramp = draw.chance(0.1) ? { from: draw.rate(), to: draw.rate() } : draw.rate();
  return {
    ...span(draw, durationMs),
    where,
    effect: effectOf(draw, true),
    rate: ramp,
    ...(from !== undefined && { seenFrom: [from] }),
  };
}

/** A partition that one observer alone sees, whatever it looks like to that one. */
function oneSided(draw: Draw, regions: Regions, durationMs: number): readonly Fault[] {
  const from = draw.of(observerRegions(regions));
  return Array.from({ length: draw.whole(1, 3) }, () => ({
    ...span(draw, durationMs),
    where: { region: draw.of(['primary', 'primary', 'standby']) },
    effect: effectOf(draw, false),
    rate: draw.rate(),
    seenFrom: [from],
  }));
}

function span(draw: Draw, durationMs: number): Pick<Fault, 'atMs' | 'untilMs'> {
  const atMs = draw.whole(0, Math.floor(durationMs / 2));
  const forMs = draw.chance(0.3) ? draw.whole(1_000, MINUTE_MS) : draw.whole(MINUTE_MS, durationMs);
  return { atMs, untilMs: Math.min(durationMs, atMs + forMs) };
}

function effectOf(draw: Draw, anything: boolean): Effect {
  const failing: readonly Effect[] = [
    { kind: 'error', status: 500, code: 'InternalFailure' },
    { kind: 'error', status: 503, code: 'ServiceUnavailable' },
    { kind: 'timeout' },
    { kind: 'reset' },
    { kind: 'blackhole' },
  ];
  if (!anything) return draw.of(failing);
  return draw.of([
    ...failing,
    { kind: 'throttle' },
    { kind: 'latency', ms: draw.of([100, 800, 3_000]) },
    { kind: 'partial', code: 'InternalFailure', rate: draw.rate() },
    { kind: 'dns' },
    { kind: 'error', status: 400, code: 'AccessDeniedException' },
  ]);
}

function operators(draw: Draw, durationMs: number): readonly OperatorAction[] {
  const atMs = draw.whole(0, Math.floor(durationMs / 2));
  const kind = draw.of(['pause', 'maintenance', 'unreadable', 'release'] as const);
  if (kind === 'release') return [{ kind, atMs: draw.whole(Math.floor(durationMs / 2), durationMs) }];
  return [{ kind, atMs, forMs: draw.whole(MINUTE_MS, durationMs) }];
}

/** Seeds of the runs: not those of the cases, or the n-th case would always meet the n-th luck. */
export const runSeed = (seed: number): number => hash(seed, 1);
