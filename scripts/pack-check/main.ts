import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { Project, runIn, StepError } from './project.ts';
import { applicationTrials, operatorTrials, type Trial } from './trials.ts';

/**
 * `npm run pack:check`: builds and packs both packages, has them judged by publint and @arethetypeswrong/cli,
 * installs them in empty folders, and tries common tasks with them. The last line of `--json` is
 * `{"ok":true,"producer":{"megabytes":…,"packages":…},"tried":[…]}`. Ends with status 1 when something does
 * not work.
 */
const MAX = { megabytes: 25, packages: 45 } as const;

const { values } = parseArgs({ options: { json: { type: 'boolean' }, keep: { type: 'boolean' } } });
const say = (line: string): void => void process.stderr.write(`${line}\n`);
const directory = await mkdtemp(join(tmpdir(), 'spillway-pack-'));
const root = process.cwd();
const tried: string[] = [];
try {
  const [light = '', operator = ''] = await packed();
  const application = await Project.install(join(directory, 'application'), [light]);
  const producer = await application.size();
  say(`an application: ${producer.megabytes} MB in ${producer.packages} packages`);
  if (producer.megabytes > MAX.megabytes || producer.packages > MAX.packages) {
    throw new StepError(
      `An application may install ${MAX.megabytes} MB and ${MAX.packages} packages at most.`,
    );
  }
  await tryAll(await applicationTrials(application, root));
  await tryAll(
    operatorTrials(await Project.install(join(directory, 'operator'), [light, operator]), {
      root,
      author: () => Project.install(join(directory, 'author'), [light, operator, ...authorTools()]),
    }),
  );
  finish({ ok: true, producer, tried });
} catch (error) {
  if (!(error instanceof StepError)) throw error;
  say(`error ${error.message}`);
  finish({ ok: false, tried, error: error.message.slice(0, 2_000) });
  process.exitCode = 1;
} finally {
  if (values.keep) say(`kept: ${directory}`);
  else await rm(directory, { recursive: true, force: true });
}

async function packed(): Promise<readonly string[]> {
  say('building');
  await npm('run', '--silent', 'build');
  say('packing');
  const pack = ['pack', '--ignore-scripts', '--json', '--pack-destination', directory];
  const tarballs: string[] = [];
  for (const folder of ['.', './dist/spillway-cli']) {
    const answer: unknown = JSON.parse(await npm(...pack, folder));
    const [{ filename }] = Object.values(answer as object) as [{ filename: string }];
    const tarball = join(directory, filename);
    await runIn(root, node('publint', 'src/cli.js', ['run', '--strict', tarball]));
    // The package is ESM alone, which every supported Node also reads by `require`.
    await runIn(
      root,
      node('@arethetypeswrong/cli', 'dist/index.js', [tarball, '--profile', 'esm-only', ...ignored(folder)]),
    );
    say(`publint and attw found no problem in ${filename}`);
    tarballs.push(tarball);
  }
  return tarballs;
}

/** Lists the entries that are started, not imported, and so have no types. */
function ignored(folder: string): readonly string[] {
  return folder === '.' ? [] : ['--exclude-entrypoints', './bin'];
}

async function tryAll(trials: readonly Trial[]): Promise<void> {
  for (const { name, run } of trials) {
    await run();
    say(`✓ ${name}`);
    tried.push(name);
  }
}

function npm(...args: readonly string[]): Promise<string> {
  return runIn(root, { command: 'npm', args });
}

function node(library: string, file: string, args: readonly string[]) {
  return { command: process.execPath, args: [join(root, 'node_modules', library, file), ...args] };
}

function authorTools(): readonly string[] {
  return ['cdk-nag', '@types/node'].map((name) => `file:${join(root, 'node_modules', name)}`);
}

function finish(result: object): void {
  if (values.json) process.stdout.write(`${JSON.stringify(result)}\n`);
  else say('ok' in result && result.ok === true ? 'everything works' : 'not everything works');
}
