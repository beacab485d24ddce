import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Command } from 'commander';
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest';
import { processIo } from '../../lib/cli/io.ts';
import { spillwayProgram } from '../../lib/cli/spillway.ts';
import { Spool } from '../../lib/producer/spool/spool.ts';
import { configInput } from '../operate/fixtures/readings.ts';
import { type Ran, type Shell, startShell } from './fixtures/cli.ts';

/**
 * What holds for every verb, of those that will be added as well: the verbs and their options are read from the program.
 * A verb that needs more than nothing to get as far as its config says so in `needs`.
 */
const why = '--reason test --yes';
const needs: Readonly<Record<string, string>> = {
  failover: `--all ${why}`,
  failback: `--all ${why}`,
  drained: `--all ${why}`,
  approve: why,
  pause: why,
  resume: why,
  maintenance: why,
  ack: why,
  prove: why,
  audit: 'good.jsonl',
  init: '--name shop --zone-id Z0123456789ABCDEFGHIJ --zone shop.example.com --streams orders --out made.json',
  completion: 'bash',
  policy: 'producer',
  'spool inspect': 'spool',
  'spool verify': 'spool',
  'spool repair': 'spool',
  'spool drain': 'spool --stream orders --region us-west-2',
  drain: '--cells orders --yes',
};
/** A drain that asks no config. */
const window =
  '--from-region us-east-1 --to-region us-west-2 --stream orders --from 2020-11-25T13:00:00Z --to 2020-11-25T13:16:00Z';
/** Only with `--aws` does a drill look at a deployment. */
const needsTarget: Readonly<Record<string, string>> = { drill: `--aws ${why}` };

interface Leaf {
  readonly verb: string;
  readonly command: Command;
}

/** Some have verbs below them, and do something without one, too. */
const acts = (command: Command): boolean =>
  command.commands.length === 0 ||
  (command as unknown as { _actionHandler: unknown })._actionHandler !== null;

const leavesOf = (command: Command, path: readonly string[] = []): readonly Leaf[] => [
  ...(acts(command) ? [{ verb: path.join(' '), command }] : []),
  ...command.commands.flatMap((child) => leavesOf(child, [...path, child.name()])),
];

const program = await spillwayProgram(processIo());
const leaves = leavesOf(program);
const has = ({ command }: Leaf, long: string): boolean =>
  command.options.some((option) => option.long === long);
const verbs = leaves.map(({ verb }) => verb);
const withOption = (long: string): readonly string[] =>
  leaves.filter((leaf) => has(leaf, long)).map(({ verb }) => verb);
const options = leaves.flatMap(({ verb, command }) =>
  command.options.flatMap((option) => (option.required ? [{ verb, flag: option.long ?? '', option }] : [])),
);

const call = {
  service: 'kinesis',
  operation: 'PutRecords',
  region: 'us-west-2',
  endpoint: 'kinesis.us-west-2.amazonaws.com',
  who: 'producer',
};
let shell: Shell;
beforeAll(async () => {
  shell = await startShell();
  await writeFile(join(shell.directory, 'broken.json'), '{ "name": ');
  await writeFile(join(shell.directory, 'empty.json'), '{}');
  await writeFile(join(shell.directory, 'broken.yaml'), 'faults: [');
  await writeFile(join(shell.directory, 'broken.ts'), 'export default {');
  await writeFile(join(shell.directory, 'calls.jsonl'), '{"service":"s3"}\n');
  await writeFile(join(shell.directory, 'good.jsonl'), `${JSON.stringify(call)}\n`);
  await mkdir(join(shell.directory, 'folder.json'));
  await mkdir(join(shell.directory, 'folder.yaml'));
  await mkdir(join(shell.directory, 'bare'));
});
afterAll(() => shell.close());

/** `HERE` is the directory of the test, for what is looked for where the process is. */
const words = (line: string): readonly string[] =>
  line
    .split(' ')
    .filter((word) => word !== '')
    .map((word) => word.replace(/^HERE/, shell.directory));

/** With --json behind the line, before the verb, and without: the same status; a document, or words; never a stack trace. */
async function refusedEverywhere(line: string, exit: number): Promise<string> {
  // One after the other: the exit status belongs to the process, and a drain holds its checkpoint.
  const behind = await shell.run([...words(line), '--json']);
  const before = await shell.run(['--json', ...words(line)]);
  const plain = await shell.run(words(line));
  for (const ran of [behind, before]) expectDocument(ran, exit);
  expect(before.out).toBe(behind.out);
  expect([plain.exit, plain.out]).toEqual([exit, '']);
  expect(plain.err).toMatch(/^error \S/);
  expectNoStack(plain);
  return plain.err;
}

/** One document on one line, and nothing else on standard output. */
function expectDocument(ran: Ran, exit: number): void {
  expect(ran.exit).toBe(exit);
  expect(ran.out.split('\n')).toHaveLength(1);
  const document = JSON.parse(ran.out);
  expect(typeof document.ok).toBe('boolean');
  if (document.error !== undefined) {
    expect(document).toMatchObject({ ok: false, exit, error: { name: expect.any(String) } });
    expect(document.error.message).toMatch(/\w/);
  }
  expectNoStack(ran);
}

function expectNoStack({ out, err }: Ran): void {
  expect(out + err).not.toMatch(/(?:\\n|\n)\s+at \S/);
  expect(out + err).not.toMatch(/\bundefined\b|\[object /);
}

describe.each(verbs)('%s', (verb) => {
  test('has --json, and an example', () => {
    const command = leaves.find((leaf) => leaf.verb === verb)?.command;
    expect(command?.options.map(({ long }) => long)).toContain('--json');
  });

  test('refuses an option that it does not have', async () => {
    const said = await refusedEverywhere(`${verb} ${needs[verb] ?? ''} --nonsense`, 2);
    expect(said).toMatch(/unknown option '--nonsense'[\s\S]*--help/);
  });

  test('refuses an argument too many', async () => {
    await refusedEverywhere(`${verb} ${needs[verb] ?? ''} one-too-many and-another`, 2);
  });
});

test.each(options)('$verb $flag wants its value', async ({ verb, flag }) => {
  const { exit, err } = await shell.run([...words(verb), flag]);
  expect(exit).toBe(2);
  expect(err).toMatch(/^error .*argument missing[\s\S]*--help/);
});

const checked = options.filter(({ option }) => option.parseArg !== undefined);
test.each(checked)(
  '$verb $flag refuses a value that is none, and says what one is',
  async ({ verb, flag }) => {
    const said = await refusedEverywhere(`${verb} ${flag} , ${needs[verb] ?? ''}`, 2);
    expect(said).toMatch(/argument ',' is invalid\. \S/);
  },
);

describe.each(withOption('--config'))('%s, with a config', (verb) => {
  const line = `${verb} ${needs[verb] ?? ''} --config`;
  test.each([
    ['missing.json', /missing\.json[\s\S]*does not exist/],
    ['broken.json', /broken\.json[\s\S]*is not JSON at line 1/],
    ['empty.json', /empty\.json[\s\S]*name/],
    ['broken.ts', /broken\.ts[\s\S]*cannot be imported/],
    ['folder.json', /folder\.json[\s\S]*cannot be read/],
    ['config.toml', /config\.toml[\s\S]*neither/],
  ])('that is none (%s) ends with 2 and the file', async (file, message) => {
    expect(await refusedEverywhere(`${line} ${file}`, 2)).toMatch(message);
  });
});

describe.each(withOption('--world'))('%s, with a world', (verb) => {
  const line = `${verb} ${needsTarget[verb] ?? needs[verb] ?? ''} --world`;
  test.each(['missing.json', 'broken.json', 'empty.json', 'folder.json'])(
    'that is none (%s) ends with 2 and the file',
    async (file) => {
      expect(await refusedEverywhere(`${line} ${file}`, 2)).toMatch(new RegExp(`${file}.*\`spillway drill`));
    },
  );
});

test.each(withOption('--dns'))('%s, with DNS servers that are none, ends with 2', async (verb) => {
  const asked = `${verb} ${needsTarget[verb] ?? needs[verb] ?? ''} --dns nonsense`;
  expect(await refusedEverywhere(asked, 2)).toMatch(/"nonsense" is no DNS server: write/);
});

const ofItsOwn: readonly (readonly [line: string, exit: number, message: RegExp])[] = [
  ['frobnicate', 2, /unknown command/],
  ['spool frobnicate', 2, /unknown command/],
  ['audit missing.jsonl --primary us-east-1', 2, /missing\.jsonl cannot be read/],
  ['audit calls.jsonl --primary us-east-1', 2, /calls\.jsonl, line 1: not a call\. Write/],
  ['audit broken.json --primary us-east-1', 2, /broken\.json, line 1: not a call\. Write/],
  ['audit folder.json --primary us-east-1', 2, /folder\.json cannot be read/],
  ['simulate --scenario nonsense', 2, /is not in the catalogue\. /],
  ['simulate --scenario HERE/missing.yaml', 2, /missing\.yaml[\s\S]*does not exist/],
  ['simulate --scenario HERE/broken.yaml', 2, /broken\.yaml/],
  ['simulate --scenario HERE/folder.yaml', 2, /folder\.yaml/],
  ['simulate --scenario HERE/empty.json', 2, /empty\.json|catalogue/],
  ['simulate --policy HERE/missing.yaml', 2, /missing\.yaml/],
  ['simulate --policy HERE/broken.yaml', 2, /broken\.yaml/],
  ['simulate --policy HERE/folder.yaml', 2, /folder\.yaml/],
  ['simulate --years 1 --scenario blip-10s', 2, /--scenario has no use/],
  ['simulate --years 1 --policy HERE/broken.yaml', 2, /broken\.yaml/],
  ['simulate --detection --write HERE/missing.md', 2, /missing\.md cannot be read/],
  ['simulate --detection --write HERE/empty.json', 2, /empty\.json needs/],
  ['simulate --tune --svg HERE/nowhere/tune.svg', 2, /tune\.svg cannot be written/],
  ['drill --scenario nonsense', 2, /is not in the catalogue\. /],
  ['drill --scenario HERE/broken.yaml', 2, /broken\.yaml/],
  ['drill --kill-observer mars-1', 2, /no observer in mars-1/],
  ['drill --recovery 1m', 2, /--failback/],
  ['drill --blackout mars-1', 2, /mars-1 is not a region/],
  ['drill --aws --keep', 2, /--keep/],
  ['drill --reason x', 2, /--aws/],
  ['spool inspect missing', 2, /There is no spool/],
  ['spool inspect broken.json', 2, /broken\.json/],
  ['spool verify bare', 2, /There is no spool/],
  ['spool repair bare', 2, /There is no spool/],
  ['spool drain bare --stream orders --region us-west-2', 2, /There is no spool/],
  [`drain ${window} --checkpoint broken.json`, 2, /broken\.json/],
  [`drain ${window} --checkpoint folder.json`, 2, /folder\.json/],
  [`drain ${window} --from 2021-01-01T00:00Z`, 2, /`--from` is not before/],
  ['init --name shop --out another.json', 2, /--zone-id/],
  [`${'init'} ${needs.init} --out nowhere/made.json`, 2, /nowhere/],
  [`${'init'} ${needs.init} --out folder.json --force`, 2, /folder\.json/],
  ['prove --only nonsense', 2, /no statement nonsense: docs\/assumptions\.md/],
  ['completion tcsh', 2, /Allowed choices/],
];

test.each(ofItsOwn)('spillway %s ends with %i', async (line, exit, message) => {
  expect(await refusedEverywhere(line, exit)).toMatch(message);
});

/** Nobody listens there: a question ends at once. */
describe('where nothing answers', () => {
  beforeAll(async () => {
    vi.stubEnv('AWS_ENDPOINT_URL', 'http://127.0.0.1:9');
    vi.stubEnv('AWS_ACCESS_KEY_ID', 'test');
    vi.stubEnv('AWS_SECRET_ACCESS_KEY', 'test');
    const spool = await Spool.open({ directory: join(shell.directory, 'spool') });
    await spool.append([{ partitionKey: 'a', data: Buffer.from('a') }]);
    await spool.close();
    const cells = [...configInput.cells, { name: 'drill', stream: { name: 'rehearsal', existing: true } }];
    const drilling = { ...configInput, cells, drill: { cell: 'drill' } };
    await writeFile(join(shell.directory, 'drilling.json'), JSON.stringify(drilling));
  });
  afterAll(() => vi.unstubAllEnvs());

  const env = { AWS_ENDPOINT_URL: 'http://127.0.0.1:9' };
  const nowhere = '--dns 127.0.0.1:9 --config drilling.json';
  // `deploy` asks its CDK app first; deploy.test.ts has one. `sidecar` waits for what it is there for.
  const atOnce = withOption('--dns').filter((verb) => verb !== 'deploy' && verb !== 'sidecar');
  const asking = atOnce.map((verb) => `${verb} ${needsTarget[verb] ?? needs[verb] ?? ''} ${nowhere}`);
  const others = [
    `why --at 20m ${nowhere}`,
    `failover --all --force ${why} ${nowhere}`,
    `failover --all --force --direct ${why} ${nowhere}`,
    `failback --all --force ${why} ${nowhere}`,
    `failback --removed --force ${why} ${nowhere}`,
    `drill --aws --schedule off ${why} ${nowhere}`,
  ];

  test.each([...asking, ...others])('spillway %s says so, in a document and in words', async (line) => {
    const asked = await shell.run([...words(line), '--json'], { env });
    expect([1, 3, 4]).toContain(asked.exit);
    expectDocument(asked, asked.exit);
    expect(JSON.parse(asked.out).ok).toBe(false);
    const said = await shell.run(words(line), { env });
    expect(said.exit).toBe(asked.exit);
    expectNoStack(said);
    // What was found out of order is a screen; what could not be done is an error.
    if ('error' in JSON.parse(asked.out))
      expect(`${said.out}|${said.err}`).toMatch(/^\|[\s\S]*error \S.*\.$/);
    else expect(said.out).toMatch(/\S/);
  });

  test('a table that does not answer leads to the network, and to the endpoint that was set', async () => {
    const { err } = await shell.run(`history ${nowhere}`, { env });
    expect(err).toMatch(/Look at the network here, and at AWS_ENDPOINT_URL \(http:\/\/127\.0\.0\.1:9\)/);
  });
});

test('--version is that of the package, also as a document', async () => {
  const { version } = JSON.parse(await readFile('package.json', 'utf8'));
  expect(await shell.run('--version')).toMatchObject({ exit: 0, out: version });
  expect((await shell.run('--version --json')).json).toEqual({ ok: true, version });
  expect((await shell.run('--json -V')).json).toEqual({ ok: true, version });
});

test('without a verb it lists them, and ends with 2', async () => {
  const { exit, out, err } = await shell.run([]);
  expect([exit, out]).toEqual([2, '']);
  expect(err).toMatch(/^Usage: spillway/);
  expect((await shell.run(['--json'])).json).toMatchObject({ exit: 2, error: { name: 'UsageError' } });
});

describe.each(verbs)('%s --help', (verb) => {
  test('shows defaults in the units that people write', async () => {
    const { out } = await shell.run([...words(verb), '--help']);
    expect(out).not.toMatch(/default: \d{4,}\)/);
    expect(out).not.toMatch(/default: .*default: /);
  });

  test.each([60, 80])('fits %i columns, but for commands to be pasted', async (columns) => {
    const { out } = await shell.run([...words(verb), '--help'], { columns });
    const wide = out.split('\n').filter((line) => line.length > columns);
    expect(wide.filter((line) => !/^\s*(?:[A-Z_]+=\S+ )?(?:npx |source |spillway )/.test(line))).toEqual([]);
  });
});
