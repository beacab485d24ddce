import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Command } from 'commander';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { coloured } from '../../lib/cli/colors.ts';
import { completionOf, verbsOf } from '../../lib/cli/completion.ts';
import { processIo } from '../../lib/cli/io.ts';
import { spillwayProgram } from '../../lib/cli/spillway.ts';
import { verbGroups, verbsFor } from '../../lib/cli/verbs.ts';
import { loadConfig } from '../../lib/config/load.ts';
import { exitCodes, exitMeanings } from '../../lib/shell/exit-codes.ts';
import { type Shell, startShell } from './fixtures/cli.ts';

let shell: Shell;
beforeAll(async () => {
  shell = await startShell();
});
afterAll(() => shell.close());

const program: Command = await spillwayProgram(processIo());
const verbs = program.commands.map((command) => command.name());
const changing = ['pause', 'resume', 'maintenance', 'approve', 'ack', 'failover', 'failback'];

test('every verb that issue asks for is there', () => {
  const asked =
    'init doctor status why failover failback approve pause resume maintenance ack history audit cost completion drill local';
  expect(asked.split(' ').filter((verb) => !verbs.includes(verb))).toEqual([]);
});

test.each(verbs)('%s --help has an example that names the verb', async (verb) => {
  const { exit, out } = await shell.run([verb, '--help']);
  expect(exit).toBe(0);
  expect(out.slice(out.indexOf('Example'))).toMatch(new RegExp(`spillway ${verb}`));
});

test('help states every exit status, and docs/cli.md does too', async () => {
  const { out } = await shell.run('--help');
  const documented = await readFile('docs/cli.md', 'utf8');
  for (const [name, code] of Object.entries(exitCodes)) {
    const meaning = exitMeanings[name as keyof typeof exitCodes];
    expect(out).toContain(meaning);
    expect(documented).toMatch(
      new RegExp(`\\| ${code} +\\| ${RegExp.escape(meaning.replaceAll('|', '\\|'))}`),
    );
  }
});

describe('wrong usage ends with 2, with nothing asked of anybody', () => {
  test.each([
    'frobnicate',
    'status --nonsense',
    'status --watch --json',
    'status --world here --local',
    'status --dns not-an-address',
    'history --limit 0',
    'why --at yesterday',
    'why --at 2026-11-25T03:00',
    'cost --config missing.json',
    'audit missing.jsonl --primary us-east-1',
    'completion tcsh',
    'pause --for 25h --reason x --yes',
    'pause --for 10s --reason x --yes',
    'pause --for soon --reason x --yes',
    'maintenance --from 2020-01-01T00:00Z --reason x --yes',
    'failover --reason x --yes',
    'failover --all --cells orders --reason x --yes',
    'failover --cells odrers --reason x --yes',
    'failover --cells odrers --check',
    'failback --reason x --yes',
    'failback --cells odrers --check',
    'drained --reason x --yes',
    'drill --aws --reason x --yes',
    'failback --all --percent 0 --reason x --yes',
    'failback --all --pause 1s --reason x --yes',
    'init --name shop',
  ])('%s', async (line) => {
    expect((await shell.run(line)).exit).toBe(2);
  });

  test.each(changing)('%s without a reason', async (verb) => {
    const { exit, json } = await shell.run(`${verb} --yes --json`);
    expect(exit).toBe(2);
    expect(json).toMatchObject({ ok: false, error: { message: expect.stringContaining('--reason') } });
  });

  test.each(changing)('%s without --yes where nobody can be asked', async (verb) => {
    const { exit, err, asked } = await shell.run(`${verb} --reason x`);
    expect(exit).toBe(2);
    expect(err).toMatch(/--yes/);
    expect(asked).toEqual([]);
  });
});

describe('init', () => {
  test.each(['made.json', 'made.ts'])('writes a %s that loads, and says what it costs', async (file) => {
    const flags = `--name shop --zone-id Z1 --zone shop.example.com --streams orders,Click.Stream --out ${file}`;
    const { exit, out } = await shell.run(`init ${flags}`);
    expect(exit).toBe(0);
    expect(out).toMatch(/health checks +\$21.50/);
    const config = await loadConfig({ directory: shell.directory, file });
    expect(config.cells.map(({ name, streams }) => [name, streams.primary.name])).toEqual([
      ['orders', 'orders'],
      ['click-stream', 'Click.Stream'],
      ['drill', 'shop-drill'],
    ]);
    expect(config.policy.mode).toBe('observe');
  });

  test.each(['drills.json', 'drills.ts'])('adds a cell for weekly drills to a %s', async (file) => {
    const flags = `--name shop --zone-id Z1 --zone shop.example.com --streams orders --out ${file}`;
    const { exit, out } = await shell.run(`init ${flags}`);
    expect(exit).toBe(0);
    expect(out).toMatch(/weekly drill/);
    const config = await loadConfig({ directory: shell.directory, file });
    expect(config.drill).toEqual({ cell: 'drill', schedule: 'weekly' });
    expect(config.cells[1]?.streams.standby).toEqual({ name: 'shop-drill', create: true, shards: 1 });
  });

  test('leaves drills out, and lets it move by itself, when told so', async () => {
    const flags =
      '--zone-id Z1 --zone shop.example.com --streams orders --no-drill --mode auto --out bold.json';
    const { exit, json } = await shell.run(`init ${flags} --json`);
    expect(exit).toBe(0);
    expect(json).toMatchObject({ ok: true, config: { name: 'spillway', policy: { mode: 'auto' } } });
    expect(JSON.parse(await readFile(join(shell.directory, 'bold.json'), 'utf8'))).toEqual({
      name: 'spillway',
      zone: { id: 'Z1', name: 'shop.example.com' },
      cells: [{ name: 'orders', stream: { name: 'orders', existing: true } }],
    });
  });

  test('allows marked records where told so, and says nothing of them where nobody has', async () => {
    const flags = '--zone-id Z1 --zone shop.example.com --streams orders,clicks --no-drill';
    const written = async (file: string) =>
      JSON.parse(await readFile(join(shell.directory, file), 'utf8')).cells as { probe?: string }[];
    const told = await shell.run(`init ${flags} --probe onSuspicion --out probed.json --json`);
    expect(told.json).toMatchObject({
      config: { cells: [{ probe: 'onSuspicion' }, { probe: 'onSuspicion' }] },
    });
    expect((await written('probed.json')).map(({ probe }) => probe)).toEqual(['onSuspicion', 'onSuspicion']);
    const untold = await shell.run(`init ${flags} --out unprobed.json --json`);
    expect(untold.json).toMatchObject({ config: { cells: [{ probe: 'never' }, { probe: 'never' }] } });
    expect((await written('unprobed.json')).some((cell) => 'probe' in cell)).toBe(false);
    const wrong = await shell.run(`init ${flags} --probe sometimes --out wrong-probe.json`);
    expect(wrong.exit).toBe(2);
    expect(wrong.err).toMatch(/probe: "sometimes" .*always.*onSuspicion.*never/);
  });

  test.each([
    ['nowhere/made.json', /no directory/],
    ['made.yaml', /neither a \.ts, \.mts nor \.json/],
    // Beside spillway.config.json, which is there.
    ['spillway.config.ts', /two configs in one directory/],
  ])('says before it asks anything that it cannot write %s', async (out, message) => {
    for (const force of ['', ' --force']) {
      const { exit, err } = await shell.run(`init --out ${out}${force}`, { interactive: true });
      expect(exit).toBe(2);
      expect(err).toMatch(message);
    }
  });

  test('does not overwrite, unless told to', async () => {
    const flags = 'init --name shop --zone-id Z1 --zone shop.example.com --streams a --out there.json';
    await writeFile(join(shell.directory, 'there.json'), '{}');
    expect((await shell.run(flags)).exit).toBe(2);
    expect((await shell.run(`${flags} --force`)).exit).toBe(0);
  });

  test('with a wrong value says what to write instead', async () => {
    const flags = '--name shop --zone-id Z1 --zone nozone --streams a --out wrong.json';
    const { exit, err } = await shell.run(`init ${flags}`);
    expect(exit).toBe(2);
    expect(err).toMatch(/zone.name: "nozone" is not a domain name/);
  });
});

test('colours yield to NO_COLOR, and to a pipe', () => {
  expect(coloured({}, true)).toBe(true);
  expect(coloured({}, false)).toBe(false);
  expect(coloured({ NO_COLOR: '1', FORCE_COLOR: '1' }, true)).toBe(false);
  expect(coloured({ NO_COLOR: '' }, true)).toBe(true);
  expect(coloured({ FORCE_COLOR: '1' }, false)).toBe(true);
  expect(coloured({ CI: 'true' }, false)).toBe(false);
});

test('cost asks nobody and prints one document', async () => {
  const { exit, json } = await shell.run('cost --json');
  expect(exit).toBe(0);
  expect(json).toMatchObject({ ok: true, asOf: expect.any(String), usd: expect.any(Number) });
});

test.each(['bash', 'zsh', 'fish'] as const)('%s completion knows every verb and its options', (shellName) => {
  const text = completionOf(shellName, verbsOf(program));
  for (const verb of verbs) expect(text).toContain(verb);
  for (const option of ['after-drain', 'dry-run', 'world']) expect(text).toContain(option);
});

describe('of the verbs, a command line loads', () => {
  const all = Object.values(verbGroups).flatMap((verbs) => Object.keys(verbs));

  test.each([
    [['status', '--watch'], ['status']],
    [['--json', 'drain', '--help'], ['drain']],
    [['--version'], []],
  ])('%j: those that it needs', (args, verbs) => expect(verbsFor(args)).toEqual(verbs));

  test.each([
    [[]],
    [['--help']],
    [['help', 'status']],
    [['completion', 'bash']],
    [['statis']],
    [['--', 'status']],
  ])('%j: all of them', (args) => expect(verbsFor(args)).toEqual(all));

  test('by the names that they have', async () => {
    expect((await spillwayProgram(processIo())).commands.map((command) => command.name())).toEqual(all);
  });
});
