import { describe, expect, it } from 'vitest';
import { itemOf } from '../../../lambda/core/beacon-item.ts';
import { type BeaconMemory, rememberBeacons } from '../../../lambda/core/beacon-memory.ts';
import { judgeBeacons } from '../../../lambda/core/beacons.ts';
import { parseConfig } from '../../../lib/config/parse.ts';
import { sourcesSay } from '../../../lib/local/drill/sources.ts';
import { parseScenario } from '../../../lib/scenario/parse.ts';
import { configInput } from '../../operate/fixtures/readings.ts';

const NOW_MS = 1_800_000_000_000;
const config = parseConfig({ ...configInput, beacons: true }, 'test');
const scenarioOf = (rest: string) =>
  parseScenario(
    `name: mine\nduration: 10m\nproducers: { instances: 40, beacons: true, probe: never }\n${rest}\nexpect: { verdict: hold }\n`,
    'mine.yaml',
  );
const dead =
  'faults: [{ at: 1m, where: { region: primary, service: kinesis, streams: [orders] }, effect: { kind: error } }]';
const lying = (share: string, says: string) =>
  `lies: [{ at: 1m, for: 5m, cells: [orders], share: ${share}, say: ${says} }]`;

/** What an observer makes of the items that the sources would write at this time. */
function sightOf(rest: string, elapsedMs: number | undefined, region = 'us-east-1') {
  const said = sourcesSay({
    config,
    scenario: scenarioOf(rest),
    elapsedMs,
    nowMs: NOW_MS,
    random: () => 0.5,
    regionOf: () => region,
  });
  const items = said.map((beacon, n) => ({
    ...itemOf({ ...beacon, process: `00000000-0000-4000-8000-${String(n).padStart(12, '0')}`, sequence: 1 }),
  }));
  const memory: BeaconMemory = rememberBeacons(new Map(), { items, nowMs: NOW_MS }).memory;
  const cells = config.cells.map(({ name, streams }) => ({
    cell: name,
    streams: { primary: streams.primary.name, standby: streams.standby.name },
  }));
  const judged = judgeBeacons({
    ...{ memory, cells, regions: config.regions, policy: config.policy, nowMs: NOW_MS },
    isComplete: true,
  });
  return Object.fromEntries(judged.map(({ cell, sight, failing }) => [cell, `${sight} ${failing}`]));
}

describe('the fleets of a drill', () => {
  it('say what the faults of the scenario do to their cell, and say it of the region where they are', () => {
    expect(sightOf(dead, undefined)).toEqual({ orders: 'well 0', clicks: 'well 0' });
    expect(sightOf(dead, 90_000)).toEqual({ orders: 'failing 40', clicks: 'well 0' });
    expect(sightOf(dead, 90_000, 'us-west-2').orders).not.toMatch(/failing/);
  });

  it('lie as many as the scenario says, for as long as it says', () => {
    expect(sightOf(lying('30%', 'failing'), 90_000).orders).toBe('suspicious 12');
    expect(sightOf(lying('60%', 'failing'), 90_000).orders).toBe('failing 24');
    expect(sightOf(lying('60%', 'failing'), 7 * 60_000).orders).toBe('well 0');
    expect(sightOf(`${dead}\n${lying('30%', 'healthy')}`, 90_000).orders).toBe('failing 28');
  });
});
