import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import type { DrillResult } from '../lib/local/drill/result.ts';

/**
 * Measures how fast a drill's world is, minute by minute, while this machine is overloaded for one minute: a
 * quiet drill with its producers, with busy processes beside it. Ends with status 0 if, within two minutes
 * after the overload, the world is at most twice as slow as in the minute before the overload, and stays so
 * to the end.
 */
const { values } = parseArgs({
  options: {
    minutes: { type: 'string', default: '10' },
    /** The overload begins after this minute of the world. 0 = none at all. */
    after: { type: 'string', default: '3' },
    seconds: { type: 'string', default: '60' },
    processes: { type: 'string', default: '4' },
  },
});
const [minutes, after, seconds, processes] = [
  values.minutes,
  values.after,
  values.seconds,
  values.processes,
].map(Number) as [number, number, number, number];
const MINUTES_TO_RECOVER = 2;
const SLOWER_AT_MOST = 2;
/** Below this latency, twice as slow does not matter. */
const FLOOR_MS = 20;

const scenario = `
name: quiet
title: Nothing that matters here
source: none
start: 2026-01-01T00:00:00Z
duration: 2h
faults:
  - { at: 0s, for: 1s, where: { region: primary, service: sqs }, effect: { kind: error } }
expect: { verdict: hold }
`;
const cli = fileURLToPath(new URL('../bin/spillway.ts', import.meta.url));
const directory = await mkdtemp(join(tmpdir(), 'spillway-world-pace-'));
const scenarioFile = join(directory, 'quiet.yaml');
const busy: ChildProcess[] = [];

async function overload(): Promise<void> {
  console.error(`overload: ${processes} busy processes for ${seconds} s`);
  for (let n = 0; n < processes; n++) {
    busy.push(spawn(process.execPath, ['-e', 'for (;;);'], { stdio: 'ignore', detached: true }));
  }
  await sleep(seconds * 1_000);
  for (const child of busy.splice(0)) child.kill('SIGKILL');
  console.error('overload: over');
}

function verdict({ pace }: DrillResult): boolean {
  const lastOfOverload = after + Math.ceil(seconds / 60);
  let ok = true;
  for (const name of ['putP50Ms', 'readP50Ms'] as const) {
    const before = Math.max(FLOOR_MS, pace[name][Math.max(after, 1) - 1] ?? 0);
    pace[name].forEach((ms, index) => {
      const minute = index + 1;
      const bound = after === 0 ? minute > 1 : minute > lastOfOverload + MINUTES_TO_RECOVER;
      if (!bound || ms <= SLOWER_AT_MOST * before) return;
      ok = false;
      console.error(`minute ${minute}: ${name} ${ms}, more than ${SLOWER_AT_MOST} times ${before}`);
    });
  }
  return ok;
}

await writeFile(scenarioFile, scenario);
const drill = spawn(
  process.execPath,
  [cli, 'drill', '--scenario', scenarioFile, '--for', `${minutes}m`, '--wait-for-other', '15m', '--json'],
  { stdio: ['ignore', 'pipe', 'pipe'] },
);
let out = '';
let seen = 0;
drill.stdout.on('data', (chunk: Buffer) => {
  out += chunk.toString();
});
createInterface({ input: drill.stderr }).on('line', (line) => {
  if (/ puts {6}/.test(line)) return;
  console.error(line);
  if (!/ world {5}/.test(line)) return;
  seen++;
  if (seen === after) void overload();
});
process.on('SIGINT', () => drill.kill('SIGINT'));
const [status] = await once(drill, 'close');
for (const child of busy) child.kill('SIGKILL');
await rm(directory, { recursive: true, force: true });
const result: DrillResult | undefined = status === 0 || status === 1 ? JSON.parse(out) : undefined;
// The drill was refused, for example because another drill runs, or could not be carried out: it has printed
// why.
if (result?.pace === undefined) process.exit(Number(status) || 1);
console.log(JSON.stringify({ ok: result.ok, recovered: verdict(result), pace: result.pace }));
process.exitCode = result.ok && verdict(result) ? 0 : 1;
