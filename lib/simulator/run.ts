import { groupsToMove } from '../../lambda/core/cell-quorum.ts';
import { observeRound } from '../../lambda/core/round.ts';
import { liveVote } from '../../lambda/core/vote.ts';
import { onsetMs } from '../scenario/onset.ts';
import { ranks } from './events.ts';
import { silence, usualNoise } from './noise.ts';
import { Recorder } from './recorder.ts';
import { noisy, underScenario } from './system.ts';
import type { SimulatedCore, SimulationOptions, SimulationResult } from './types.ts';
import { World } from './world.ts';

export const realCore: SimulatedCore = { observeRound, liveVote, groupsToMove };

/**
 * Virtual time before t = 0 in which observers learn what is usual: twenty rounds for the latency, and one slow round
 * at least. They begin at rest otherwise: see dns.ts for the checkers.
 */
export const WARM_UP_MS = 5 * 60_000;
/** For scenarios that are no incident. */
const DEFAULT_START = '2026-01-01T00:00:00Z';

/** Runs one scenario with one seed. Pure: the same options give the same result. */
export function runScenario(options: SimulationOptions): SimulationResult {
  const { scenario, seed, core = realCore } = options;
  const system = underScenario(options.system, scenario);
  const noise =
    options.noise === 'usual'
      ? usualNoise({ ...noisy(system), seed, fromMs: -WARM_UP_MS, untilMs: scenario.durationMs })
      : silence;
  const recorder = new Recorder({
    standby: system.regions.standby,
    votesToEvacuate: system.policy.votesToEvacuate,
    cells: system.cells.map(({ name }) => name),
  });
  const world = new World({
    ...options,
    system,
    noise,
    startMs: -WARM_UP_MS,
    epochMs: Date.parse(scenario.startsAt ?? DEFAULT_START),
    core,
    conductor: options.conductor ?? 'alive',
    actions: options.actions ?? [],
    skip: options.skip ?? true,
    hooks: { ...recorder.hooks(() => world), trace: options.trace },
  });
  traceFaults(options, world);
  const goOn = options.until === 'decided' ? () => recorder.decidedMs === null : () => true;
  world.agenda.runUntil(scenario.durationMs, goOn);
  const firstFaultMs = onsetMs(scenario);
  const { faults, lies = [] } = scenario;
  const lastFaultMs = Math.max(...[...faults, ...lies].map(({ untilMs }) => untilMs));
  const span = { firstFaultMs, endMs: scenario.durationMs, outageMs: lastFaultMs - firstFaultMs };
  return { seed, ...recorder.result(span), violations: world.violations };
}

function traceFaults({ scenario, trace }: SimulationOptions, world: World): void {
  if (trace === undefined) return;
  for (const [index, { atMs, untilMs, where, effect }] of scenario.faults.entries()) {
    const streams = where.streams === undefined ? '' : ` (${where.streams.join(', ')})`;
    const text = `${effect.kind} of ${where.service ?? 'everything'}${streams} in ${where.region}`;
    world.agenda.at(atMs, {
      rank: ranks.world,
      index: 2 * index,
      run: () => trace({ atMs, what: 'fault', text: `${text} begins` }),
    });
    world.agenda.at(untilMs, {
      rank: ranks.world,
      index: 2 * index + 1,
      run: () => trace({ atMs: untilMs, what: 'fault', text: `${text} ends` }),
    });
  }
}
