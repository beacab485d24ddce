import {
  conductorFunctionName,
  drillFunctionName,
  guardFunctionName,
  monitorFunctionName,
  observerFunctionName,
  surveyFunctionName,
  switchFunctionName,
  voteFunctionName,
} from '../../lambda/core/names.ts';
import type { Config } from './config.ts';

/** Concurrent executions that functions reserve; the switch endpoint reserves what `switchReserve` says. */
export const reserves = {
  /** The run in progress and the one that takes over. */
  observer: 2,
  /** Route 53 sends each check more than one request a second, from 8 regions. */
  vote: 20,
  /** The latch's batches, and steps of a second run beside them. */
  conductor: 15,
  /** One at a time: a second run would only publish the same values. */
  monitor: 1,
  survey: 1,
  /** Stacks that the CDK deploys at the same time; more of them wait in the function's queue. */
  guard: 5,
  /** One at a time: two drills would disturb each other's measurements. */
  drill: 1,
} as const;

/**
 * 16 checkers, each every 10 s, make 1.6 requests a second, and Lambda lets through at most 10 a second for
 * each unit of concurrency. So one check needs 0.16 units; the rest is for instances that wait for the table.
 */
const UNITS_PER_CHECK = 0.3;
/** Upper limit of what many checks reserve of an account's 1,000, of which 100 cannot be reserved. */
const MOST_FOR_CHECKS = 500;

/** What the switch endpoint reserves: for the checks of so many groups, and at least what the config says. */
export const switchReserve = (groups: number, atLeast: number): number =>
  Math.max(atLeast, Math.min(MOST_FOR_CHECKS, Math.ceil(groups * UNITS_PER_CHECK)));

export interface Reserve {
  readonly functionName: string;
  readonly units: number;
}

/** Every function that a region reserves for, and how much; none in the primary. */
export function reservesIn(region: string, config: Config): readonly Reserve[] {
  const { name, regions, cells, delivery, drill } = config;
  if (region === regions.primary) return [];
  const observing = [
    { functionName: observerFunctionName(name), units: reserves.observer },
    { functionName: voteFunctionName(name), units: reserves.vote },
  ];
  if (region !== regions.standby) return observing;
  const groups = new Set(cells.map(({ group }) => group)).size;
  return [
    ...observing,
    { functionName: switchFunctionName(name), units: switchReserve(groups, delivery.switchConcurrency) },
    { functionName: conductorFunctionName(name), units: reserves.conductor },
    { functionName: monitorFunctionName(name), units: reserves.monitor },
    { functionName: surveyFunctionName(name), units: reserves.survey },
    { functionName: guardFunctionName(name), units: reserves.guard },
    ...(drill === undefined ? [] : [{ functionName: drillFunctionName(name), units: reserves.drill }]),
  ];
}
