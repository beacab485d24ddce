import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { checkFlags, replayCommand, traceLine } from '../../lib/cli/simulate-context.ts';
import { countArgument, loadSystem, seedsArgument } from '../../lib/cli/simulate-input.ts';
import { ConfigError } from '../../lib/config/errors.ts';
import { root } from './fixtures/command.ts';

let directory = '';
beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), 'spillway-input-'));
});
afterAll(() => rm(directory, { recursive: true, force: true }));

async function loadWith(name: string, text: string) {
  const policy = join(directory, name);
  await writeFile(policy, text);
  return loadSystem({ directory: root, policy });
}

const example = `name: shop
zone: { id: Z0, name: shop.example }
cells: [{ name: orders, stream: orders }]
`;

describe('seeds', () => {
  it('are a range with both its ends, or one', () => {
    expect(seedsArgument('1..200')).toEqual({ from: 1, to: 200 });
    expect(seedsArgument('17')).toEqual({ from: 17, to: 17 });
    expect(seedsArgument('0..999999')).toEqual({ from: 0, to: 999_999 });
  });

  it.each(['', 'x', '1..', '..5', '1...5', '-1', '1.5', '5..1', '1..1000001', '2147483648', '1e3'])(
    '%j are none',
    (text) => {
      expect(() => seedsArgument(text)).toThrow();
    },
  );
});

it('a count is whole and within its limit', () => {
  const years = countArgument('years', 100);
  expect(years('100')).toBe(100);
  for (const text of ['0', '101', '-1', '1.5', '1e1', '', 'ten'])
    expect(() => years(text)).toThrow(/1 to 100/);
});

describe('the simulated system', () => {
  it('is that of the config here', async () => {
    const system = await loadSystem({ directory: root });
    expect(system.regions.primary).toBe('us-east-1');
    expect(system.policy).toMatchObject({ votesToEvacuate: 2, blipMs: 10_000 });
  });

  it('has the settings of a policy file over those of the config', async () => {
    const { policy } = await loadWith('policy.yaml', 'blipMs: 9000\nmode: observe\n');
    expect(policy).toMatchObject({ blipMs: 9_000, mode: 'observe', tickMs: 5_000 });
  });

  it('has the cells of the config, whatever settings lie over it', async () => {
    const { cells } = await loadSystem({ directory: root });
    expect(cells).toEqual([
      { name: 'orders', group: 'orders', probe: 'always' },
      { name: 'clicks', group: 'clicks', probe: 'onSuspicion' },
    ]);
    expect((await loadWith('blip.yaml', 'blipMs: 9000\n')).cells).toEqual(cells);
  });

  it('may have JSON for a policy file, and the parts of a config', async () => {
    const parts = { policy: { blipMs: 8_000 }, delivery: { dnsTtlSeconds: 3 } };
    const system = await loadWith('parts.json', JSON.stringify(parts));
    expect(system.policy.blipMs).toBe(8_000);
    expect(system.delivery).toMatchObject({ dnsTtlSeconds: 3, healthCheckIntervalSeconds: 10 });
  });

  it('tells the policy’s beacons from those of a config, by all keys or by the value', async () => {
    expect(await loadWith('move.yaml', 'beacons: move\n')).toMatchObject({
      policy: { beacons: 'move' },
      beacons: { sources: expect.any(Number) },
    });
    const ignored = await loadWith('ignore.yaml', 'beacons: ignore\nblipMs: 9000\n');
    expect(ignored.policy).toMatchObject({ beacons: 'ignore', blipMs: 9_000 });
    expect(ignored.beacons).toBeUndefined();
    const table = await loadWith('table.yaml', 'beacons: { sources: 7 }\n');
    expect(table).toMatchObject({ policy: { beacons: 'probe' }, beacons: { sources: 7 } });
    const both = await loadWith('both.yaml', 'beacons: true\npolicy: { beacons: move }\n');
    expect(both).toMatchObject({ policy: { beacons: 'move' }, beacons: {} });
    await expect(loadWith('wrong.yaml', 'beacons: moves\n')).rejects.toThrow(/"probe" or "move" or "ignore"/);
  });

  it('keeps the table of beacons of the config that it lies over', async () => {
    const own = await mkdtemp(join(directory, 'own-'));
    await writeFile(
      join(own, 'spillway.config.json'),
      JSON.stringify({
        name: 'shop',
        zone: { id: 'Z0', name: 'shop.example' },
        cells: [{ name: 'orders', stream: 'orders' }],
        beacons: { sources: 7 },
      }),
    );
    const policy = join(own, 'policy.yaml');
    await writeFile(policy, 'blipMs: 9000\n');
    expect((await loadSystem({ directory: own, policy })).beacons).toEqual({ sources: 7 });
  });

  it('has a majority of other observers, unless the file says otherwise', async () => {
    const regions =
      'regions: { primary: us-east-1, standby: us-west-2, witnesses: [us-east-2, eu-west-1, ca-central-1, sa-east-1] }\n';
    expect((await loadWith('five.yaml', regions)).policy.votesToEvacuate).toBe(3);
    const four = await loadWith('four.yaml', `${regions}policy: { votesToEvacuate: 4 }\n`);
    expect(four.policy.votesToEvacuate).toBe(4);
  });

  it('of a whole config takes nothing from the config here', async () => {
    const regions =
      'regions: { primary: eu-west-1, standby: eu-central-1, witnesses: [eu-west-2, eu-north-1] }\n';
    const policy = join(directory, 'whole.yaml');
    await writeFile(policy, example + regions);
    const system = await loadSystem({ directory, policy });
    expect(system.regions.primary).toBe('eu-west-1');
  });

  it('may be a TypeScript config', async () => {
    const system = await loadSystem({ directory: root, policy: 'spillway.config.ts' });
    expect(system.regions.standby).toBe('us-west-2');
  });

  it.each([
    ['tickMs: 5\n', /^tickMs: must be a whole number of milliseconds from 1000 to 30000\. Fix: /m],
    [
      'impairedFailureRat: 0.3\n',
      /^config: has no key "impairedFailureRat"\. Fix: Did you mean impairedFailureRate\?/m,
    ],
    ['votesToEvacuate: 3\n', /^votesToEvacuate: is 3 of 3 observers.*Fix: Write 2/m],
    ['policy: { blipMs: -1 }\n', /^policy\.blipMs: must be .*Fix: /m],
    ['policy: 5\n', /^policy: is not an object.*Fix: /m],
    ['regions: 5\n', /^regions: is not an object.*Fix: /m],
    ['delivery: 5\n', /^delivery: is not an object.*Fix: /m],
    [`${example}policy: { blipMs: -1 }\n`, /^policy\.blipMs: must be .*Fix: /m],
    ['- 1\n', /is not a policy\. Fix: /],
    ['', /is not a policy\. Fix: /],
    ['a: [1\n', /is not YAML or JSON at line \d+, column \d+/],
    ['a: &x 1\nb: *x\n', /has aliases/],
    [`# ${'x'.repeat(300_000)}\n`, /is larger than 256 KiB/],
  ])('that is wrong (%#) is refused with path and fix', async (text, message) => {
    const refused = await loadWith('wrong.yaml', text).catch((error: unknown) => error);
    expect(refused).toBeInstanceOf(ConfigError);
    expect((refused as ConfigError).message).toMatch(message);
    expect((refused as ConfigError).file).toBe(join(directory, 'wrong.yaml'));
  });

  it('that is not there is refused, and so is a folder', async () => {
    await expect(loadSystem({ directory: root, policy: 'nowhere.yaml' })).rejects.toThrow(/does not exist/);
    await expect(loadSystem({ directory: root, policy: directory })).rejects.toThrow(/is not a file/);
  });
});

describe('options that have no use together', () => {
  it.each([
    [{ years: 1, scenario: 'blip-10s' }, /--scenario has no use with --years/],
    [{ years: 1, noise: 'none' }, /--noise has no use with --years/],
    [{ detection: true, tune: true }, /--tune has no use with --detection/],
    [{ tune: true, seeds: { from: 1, to: 2 } }, /--seeds has no use with --tune/],
    [{ runs: 5 }, /--runs has no use without --detection or --tune/],
  ] as const)('%j are refused', (flags, message) => {
    expect(() => checkFlags(flags)).toThrow(message);
  });

  it('are told from those that have', () => {
    checkFlags({});
    checkFlags({ scenario: 'x', seeds: { from: 1, to: 1 }, conductor: 'dead', noise: 'none', trace: true });
    checkFlags({ tune: true, years: 2, runs: 5, svg: 'a.svg' });
    checkFlags({ detection: true, runs: 5, write: 'README.md' });
  });
});

describe('the command that replays a seed', () => {
  it('has the flags that the result depends on, and no others', () => {
    const flags = {
      json: true,
      workers: 2,
      conductor: 'dead',
      noise: 'none',
      policy: 'p.yaml',
      config: 'c.ts',
    } as const;
    expect(replayCommand(flags, ['--scenario', 'x'], 17)).toBe(
      'npx spillway simulate --scenario x --seeds 17..17 --trace --config c.ts --policy p.yaml --conductor dead --noise none',
    );
    expect(replayCommand({}, ['--years', '1'], 5)).toBe(
      'npx spillway simulate --years 1 --seeds 5..5 --trace',
    );
  });

  it('can be pasted into a shell, whatever a file is called', () => {
    expect(replayCommand({ policy: "it's $HOME.yaml" }, [], 1)).toMatch(/--policy 'it'\\''s \$HOME\.yaml'$/);
  });
});

it('a trace line begins with the time since the scenario began', () => {
  expect(traceLine({ atMs: 90_061_005, what: 'vote', text: 'x' })).toBe('+25:01:01.005 vote      x');
  expect(traceLine({ atMs: -500, what: 'violation', text: 'x' })).toBe('-00:00:00.500 violation x');
});
