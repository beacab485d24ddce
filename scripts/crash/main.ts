import { randomInt } from 'node:crypto';
import { mkdir, mkdtemp, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { signalUnread } from '../../lib/cli/closed-pipe.ts';
import { crash } from './run.ts';
import { type TargetName, targets } from './targets.ts';

const usage = `npm run crash -- [--kills 300] [--seed N] [--target ${Object.keys(targets).join('|')}|sidecar|drain] [--aggregate] [--sidecar] [--drain] [--json]`;
/** On the disk of the project, because the system's temporary directory may be in memory. */
const scratch = fileURLToPath(new URL('../../.spillway', import.meta.url));

signalUnread();
const { values } = parseArgs({
  options: {
    kills: { type: 'string', default: '300' },
    seed: { type: 'string', default: String(randomInt(2 ** 31)) },
    target: { type: 'string', default: 'producer' },
    aggregate: { type: 'boolean', default: false },
    /** Kill the sidecar, and not the program that writes through it. */
    sidecar: { type: 'boolean', default: false },
    /** Kill a drain while it copies a stream. */
    drain: { type: 'boolean', default: false },
    json: { type: 'boolean', default: false },
  },
});
/** Each flag is short for a target. */
const short = { aggregate: 'aggregates', sidecar: 'sidecar', drain: 'drain' } as const;
const flags = Object.keys(short) as (keyof typeof short)[];
const given = flags.filter((flag) => values[flag]);
if (given[0] !== undefined && values.target === 'producer') values.target = short[given[0]];
const isAsked = given.every((flag) => values.target === short[flag]);
const names = [...Object.keys(targets), 'sidecar', 'drain'];
const [kills, seed] = [Number(values.kills), Number(values.seed)];
if (
  !Number.isSafeInteger(kills) ||
  kills < 1 ||
  !Number.isSafeInteger(seed) ||
  !names.includes(values.target) ||
  !isAsked
) {
  console.error(usage);
  process.exit(2);
}
console.error(`seed ${seed}`);
await mkdir(scratch, { recursive: true });
const directory = await mkdtemp(join(scratch, 'crash-'));
const target = values.target as TargetName;
const startedMs = performance.now();
const result = await crash({ kills, seed, target, directory, onProgress: (line) => console.error(line) });
const seconds = Math.round((performance.now() - startedMs) / 1_000);
const isGood = result.lost === 0 && result.reordered === 0;
if (isGood) await rm(directory, { recursive: true, force: true });
else console.error(`What was on the disk is kept in ${directory}.`);
const { acknowledged, lost, reordered } = result;
console.log(`${kills} kills: ${acknowledged} acknowledged, ${lost} lost, ${reordered} reordered.`);
if (values.json) console.log(JSON.stringify({ ...result, target, seed, seconds }));
process.exitCode = isGood ? 0 : 1;
