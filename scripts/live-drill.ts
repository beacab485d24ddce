import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { InvokeCommand, LambdaClient } from '@aws-sdk/client-lambda';
import { NodeHttpHandler } from '@smithy/node-http-handler';

/**
 * `spillway drill --aws` against a world of its own on this machine, with a cell for drills: which takes two
 * minutes to build, and two for each drill: too long for the tests. `--drills command,interrupted,function`
 * says which, one after the other: the command; the command with Ctrl-C after 20 s; the deployed function.
 * Ends with status 0 if the cell was back after each drill and nothing is lost.
 */
const cli = fileURLToPath(new URL('../bin/spillway.ts', import.meta.url));
const { values } = parseArgs({ options: { drills: { type: 'string', default: 'command' } } });

const INTERRUPT_AFTER_MS = 20_000;
/**
 * After a refusal the script asks again, because a world that has just started has not been healthy for long.
 */
const ASK_EVERY_MS = 10_000;
const MAX_REFUSALS = 24;
const STAND_TIMEOUT_MS = 240_000;
const DRILL_TIMEOUT_MS = 600_000;
const config = {
  name: 'spillway',
  zone: { id: 'Z0123456789ABCDEFGHIJ', name: 'example.com' },
  cells: [
    { name: 'orders', stream: { name: 'orders', existing: true } },
    { name: 'drill', stream: { name: 'drill', shards: 1 } },
  ],
  drill: { cell: 'drill', schedule: 'off' },
  policy: { recoveryMs: 30_000 },
};
/** Only the world is wanted, without an outage: the fault hits nothing that is probed. */
const scenario = `
name: quiet
title: Nothing that matters here
source: none
start: 2026-01-01T00:00:00Z
duration: 5m
faults:
  - { at: 0s, for: 1s, where: { region: primary, service: sqs }, effect: { kind: error } }
expect: { verdict: hold }
`;

const run = (...args: string[]): ChildProcess =>
  spawn(process.execPath, [cli, ...args], { stdio: ['ignore', 'pipe', 'pipe'] });

const directory = await mkdtemp(join(tmpdir(), 'spillway-live-drill-'));
const [configFile, scenarioFile] = [join(directory, 'config.json'), join(directory, 'quiet.yaml')];
await Promise.all([writeFile(configFile, JSON.stringify(config)), writeFile(scenarioFile, scenario)]);
const world = run(
  'drill',
  '--config',
  configFile,
  '--scenario',
  scenarioFile,
  '--for',
  '10s',
  '--keep',
  '--json',
);
try {
  const { file, url } = await standing(world);
  const kinds = {
    command: () => byCommand(file),
    interrupted: () => byCommand(file, INTERRUPT_AFTER_MS),
    function: () => byFunction(url),
  } as const;
  let good = true;
  for (const kind of values.drills.split(',') as (keyof typeof kinds)[]) {
    const startedMs = performance.now();
    const answer = await letThrough(kinds[kind]);
    const seconds = Math.round((performance.now() - startedMs) / 1_000);
    process.stdout.write(`${kind}, ${seconds} s: ${JSON.stringify(answer)}\n`);
    good &&= answer.failback?.ok === true && answer.records?.lost === 0;
  }
  for (const verb of ['status', 'history']) {
    const shown = run(verb, '--world', file);
    shown.stdout?.pipe(process.stdout);
    await once(shown, 'close');
  }
  process.exitCode = good ? 0 : 1;
} finally {
  world.kill('SIGINT');
  await Promise.race([once(world, 'close'), sleep(30_000, undefined, { ref: false })]);
  await rm(directory, { recursive: true });
}

interface Answer {
  readonly failback?: { readonly ok: boolean };
  readonly records?: { readonly lost: number };
  readonly refusals?: unknown;
  readonly error?: { readonly refusals?: unknown };
}

async function letThrough(drill: () => Promise<Answer>): Promise<Answer> {
  for (let n = 1; ; n++) {
    const answer = await drill();
    const refusals = answer.refusals ?? answer.error?.refusals;
    if (refusals === undefined || n === MAX_REFUSALS) return answer;
    process.stderr.write(`refused: ${JSON.stringify(refusals)}\n`);
    await sleep(ASK_EVERY_MS);
  }
}

async function standing(child: ChildProcess): Promise<{ readonly file: string; readonly url: string }> {
  const found = Promise.withResolvers<{ file: string; url: string }>();
  let said = '';
  child.stderr?.on('data', (chunk: Buffer) => {
    process.stderr.write(chunk);
    said += chunk.toString();
    const [, url, file] = /kept: LocalStack at (\S+), DNS at \S+ \((.*?)\)/.exec(said) ?? [];
    if (url !== undefined && file !== undefined) found.resolve({ file, url });
  });
  child.once('close', () => found.reject(new Error('The world did not start: see above.')));
  const late = setTimeout(() => found.reject(new Error('The world is not up yet.')), STAND_TIMEOUT_MS);
  try {
    return await found.promise;
  } finally {
    clearTimeout(late);
  }
}

async function byCommand(file: string, interruptAfterMs?: number): Promise<Answer> {
  const child = run('drill', '--aws', '--world', file, '--reason', 'by script', '--yes', '--json');
  child.stderr?.pipe(process.stderr);
  let out = '';
  child.stdout?.on('data', (chunk: Buffer) => {
    out += chunk.toString();
  });
  const timers = [setTimeout(() => child.kill('SIGKILL'), DRILL_TIMEOUT_MS)];
  if (interruptAfterMs !== undefined) timers.push(setTimeout(() => child.kill('SIGINT'), interruptAfterMs));
  const [status] = await once(child, 'close');
  for (const timer of timers) clearTimeout(timer);
  process.stderr.write(`drill --aws ended with ${status}\n`);
  return JSON.parse(out) as Answer;
}

async function byFunction(endpoint: string): Promise<Answer> {
  const lambda = new LambdaClient({
    ...{ endpoint, region: 'us-west-2', maxAttempts: 1 },
    credentials: { accessKeyId: 'test', secretAccessKey: 'test' },
    requestHandler: new NodeHttpHandler({ requestTimeout: DRILL_TIMEOUT_MS, throwOnRequestTimeout: true }),
  });
  const { Payload } = await lambda.send(new InvokeCommand({ FunctionName: 'spillway-drill' }));
  return JSON.parse(new TextDecoder().decode(Payload)) as Answer;
}
