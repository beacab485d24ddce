import type { Regions } from '../../config/config.ts';
import type { Effect, Fault, Scenario } from '../../scenario/schema.ts';

/**
 * Control planes of AWS that are in us-east-1 (AWS Fault Isolation Boundaries): no part of the failover may
 * need them.
 */
const controlPlanes = ['route53', 'iam', 'cloudformation'] as const;
const unavailable: Effect = { kind: 'error', status: 503, code: 'ServiceUnavailable' };
const blackhole: Effect = { kind: 'blackhole' };

/**
 * The scenario with a blackout added: from the first fault on, no call to one region is answered, and the
 * control planes of Route 53, IAM and CloudFormation answer 503 everywhere. This is what a loss of the
 * primary looks like.
 */
export function blackedOut(
  scenario: Scenario,
  { region, regions }: { readonly region: string; readonly regions: Regions },
): Scenario {
  const atMs = Math.min(...scenario.faults.map((fault) => fault.atMs));
  const common = { atMs, untilMs: scenario.durationMs, rate: 1 };
  const faults: readonly Fault[] = [
    { ...common, where: { region }, effect: blackhole },
    ...controlPlanes.map((service) => ({
      ...common,
      where: { region: '*', service },
      effect: unavailable,
    })),
  ];
  // The first matching failing effect wins, so the blackout hides the region's other faults.
  return {
    ...scenario,
    faults: [...faults, ...scenario.faults],
    expect: expectation(scenario, { region, regions }),
  };
}

function expectation(
  { expect }: Scenario,
  { region, regions }: { readonly region: string; readonly regions: Regions },
): Scenario['expect'] {
  const { withinMs = 60_000 } = expect;
  if (region === regions.primary) return { verdict: 'failover', diagnosis: 'RegionUnreachable', withinMs };
  // There is nowhere to go.
  if (region === regions.standby) return { verdict: 'hold' };
  return expect;
}
