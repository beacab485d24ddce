import { InvalidArgumentError } from 'commander';
import type { FloodPlan } from '../local/drill/flood.ts';
import { UsageError } from '../operate/errors.ts';
import type { Scenario } from '../scenario/schema.ts';
import type { DrillFlags } from './drill-flags.ts';

/** Its faults are none that an observer could see, so that the switches alone hold what is moved. */
export const FLOOD_SCENARIO = '2024-kinesis';
/** How much of the scenario is played before the flood. */
export const FLOOD_PLAYED_MS = 10_000;
const DEFAULT_FLOOD_MS = 60_000;
/** More than this is a test of this machine. */
const MOST_PER_SECOND = 5_000;
const MOST_FLOOD_MS = 10 * 60_000;

export function rateArgument(text: string): number {
  const rate = Number(text);
  if (!Number.isSafeInteger(rate) || rate < 1 || rate > MOST_PER_SECOND)
    throw new InvalidArgumentError(
      `Write a whole number of requests a second, from 1 to ${MOST_PER_SECOND}.`,
    );
  return rate;
}

export function floodOf({ flood, floodFor = DEFAULT_FLOOD_MS }: DrillFlags): { readonly flood?: FloodPlan } {
  return flood === undefined ? {} : { flood: { requestsPerSecond: flood, forMs: floodFor } };
}

/** @throws UsageError for a flood that would show nothing */
export function beforeFlood({ flood, floodFor, failback, blackout }: DrillFlags, scenario: Scenario): void {
  if (flood === undefined) {
    if (floodFor === undefined) return;
    throw new UsageError('--flood-for belongs to --flood: without it nothing is flooded.');
  }
  if (floodFor !== undefined && floodFor > MOST_FLOOD_MS)
    throw new UsageError(`A flood lasts at most ${MOST_FLOOD_MS / 60_000} minutes.`);
  if (failback || blackout !== undefined)
    throw new UsageError(
      '--flood fails over by hand, with a primary that is well: leave --failback and --blackout out.',
    );
  if (scenario.expect.verdict !== 'hold')
    throw new UsageError(
      `${scenario.name} is expected to fail over, and its votes would hold traffic whatever the switches say: with --flood choose a scenario that holds.`,
    );
}
