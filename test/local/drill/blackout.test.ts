import { expect, it } from 'vitest';
import { defaultRegions as regions } from '../../../lib/config/defaults.ts';
import { blackedOut } from '../../../lib/local/drill/blackout.ts';
import { fateOf } from '../../../lib/scenario/faults.ts';
import { loadScenario } from '../../../lib/scenario/load.ts';

const call = (service: string, region: string, source = 'us-west-2') => ({
  source,
  region,
  service,
  operation: 'Any',
});

it('leaves every call to the region unanswered, and control planes unavailable anywhere', async () => {
  const scenario = blackedOut(await loadScenario('2020-kinesis'), { region: 'us-east-1', regions });
  const question = { scenario, roles: regions, elapsedMs: 0, random: () => 0 };
  const kinds = ['kinesis', 'dynamodb', 'lambda', 'sts', 'route53'].map(
    (service) => fateOf(call(service, 'us-east-1'), question).failure?.kind,
  );
  expect(new Set(kinds)).toEqual(new Set(['blackhole']));
  for (const service of ['route53', 'iam', 'cloudformation']) {
    expect(fateOf(call(service, 'us-west-2'), question).failure).toMatchObject({
      kind: 'error',
      status: 503,
    });
  }
  expect(fateOf(call('kinesis', 'us-west-2'), question)).toEqual({ delayMs: 0 });
  expect(scenario.expect).toEqual({ verdict: 'failover', diagnosis: 'RegionUnreachable', withinMs: 60_000 });
});

it('begins with the scenario’s first fault, not before', async () => {
  const loaded = await loadScenario('2024-kinesis');
  const base = {
    ...loaded,
    faults: loaded.faults.map((fault) => ({ ...fault, atMs: fault.atMs + 60_000 })),
  };
  const scenario = blackedOut(base, { region: 'us-east-1', regions });
  const atMs = Math.min(...base.faults.map((fault) => fault.atMs));
  const fate = (elapsedMs: number) =>
    fateOf(call('sts', 'us-east-1'), { scenario, roles: regions, elapsedMs, random: () => 0 });
  expect(fate(atMs - 1)).toEqual({ delayMs: 0 });
  expect(fate(atMs).failure?.kind).toBe('blackhole');
});

it('expects to hold where there is nowhere to go, and what the scenario expects where a witness is dark', async () => {
  const base = await loadScenario('2020-kinesis');
  expect(blackedOut(base, { region: 'us-west-2', regions }).expect).toEqual({ verdict: 'hold' });
  expect(blackedOut(base, { region: 'us-east-2', regions }).expect).toEqual(base.expect);
});
