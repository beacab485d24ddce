import { phases } from '../../lambda/core/lifecycle.ts';
import { defaultFleet, type Producers } from '../scenario/sources.ts';
import { ranks } from './events.ts';
import { usualNoise } from './noise.ts';
import { hash } from './random.ts';
import { Recorder } from './recorder.ts';
import { realCore, WARM_UP_MS } from './run.ts';
import { noisy, type SimulatedSystem } from './system.ts';
import type { Violation, YearsOptions, YearsResult } from './types.ts';
import { World } from './world.ts';

export const YEAR_MS = 365.25 * 24 * 3_600_000;
/** An operator looks once an hour, and fails back as soon as every observer says that it may be done. */
const LOOK_MS = 3_600_000;
const EPOCH_MS = Date.parse('2026-01-01T00:00:00Z');

/** Nothing but noise. Every year begins at rest and has a seed of its own, so years can be spread over workers. */
export function runYears(options: YearsOptions): YearsResult {
  let failovers = 0;
  let cellFailovers = 0;
  let observerAlarms = 0;
  const rounds = { computed: 0, skipped: 0 };
  const violations: Violation[] = [];
  for (let year = 0; year < options.years; year++) {
    const share = Math.min(1, options.years - year);
    const { recorder, world } = runYear(options, hash(options.seed, year), share * YEAR_MS);
    failovers += recorder.moves;
    cellFailovers += recorder.cellMoves;
    observerAlarms += recorder.votesCast;
    rounds.computed += world.count.computed;
    rounds.skipped += world.count.skipped;
    for (const violation of world.violations)
      violations.push({ ...violation, atMs: violation.atMs + year * YEAR_MS });
  }
  return { years: options.years, failovers, cellFailovers, observerAlarms, violations, rounds };
}

/** Every cell has a fleet that reports, whether or not the config has a table for it; its stream is probed as the config says. */
const usualFleets = ({ cells }: SimulatedSystem): Producers => ({
  ...defaultFleet,
  cells: Object.fromEntries(cells.map(({ name, probe }) => [name, { ...defaultFleet, probe }])),
});

interface Year {
  readonly recorder: Recorder;
  readonly world: World;
}

function runYear(
  { system, core = realCore, walk, trace }: YearsOptions,
  seed: number,
  durationMs: number,
): Year {
  const startMs = -WARM_UP_MS;
  const recorder = new Recorder({
    standby: system.regions.standby,
    votesToEvacuate: system.policy.votesToEvacuate,
    cells: system.cells.map(({ name }) => name),
  });
  const world: World = new World({
    system,
    scenario: { faults: [], producers: usualFleets(system) },
    noise: usualNoise({ ...noisy(system), seed, fromMs: startMs, untilMs: durationMs }),
    seed,
    startMs,
    epochMs: EPOCH_MS,
    core,
    conductor: 'alive',
    actions: [],
    skip: walk !== true,
    hooks: { ...recorder.hooks(() => world), trace },
  });
  const look = (): void => {
    if (world.latched && world.nodes.every(isReady)) world.release();
    world.agenda.at(world.agenda.nowMs + LOOK_MS, { rank: ranks.world, run: look });
  };
  look();
  world.agenda.runUntil(durationMs, () => true);
  world.finish();
  return { recorder, world };
}

const isReady = ({ memory }: World['nodes'][number]): boolean =>
  memory !== undefined && phases[memory.decision.phase].vote === 'HOLD';
