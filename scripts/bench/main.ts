import { parseArgs } from 'node:util';
import { signalUnread } from '../../lib/cli/closed-pipe.ts';
import type { BenchContext } from './context.ts';

/** One benchmark: its figures, ready to print. */
export type Bench = (context: BenchContext) => Promise<{ readonly name: string; readonly table: string }>;

const benches: Readonly<Record<string, () => Promise<{ readonly bench: Bench }>>> = {
  producer: () => import('./producer.ts'),
  spool: () => import('./spool.ts'),
  keys: () => import('./keys.ts'),
  key: () => import('./key.ts'),
  linger: () => import('./linger.ts'),
  kpl: () => import('./kpl.ts'),
  sidecar: () => import('./sidecar.ts'),
};

const usage = `npm run bench -- ${Object.keys(benches).join('|')} [--json] [--quick]`;

signalUnread();
const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: { json: { type: 'boolean', default: false }, quick: { type: 'boolean', default: false } },
});
const load = benches[positionals[0] ?? ''];
if (load === undefined || positionals.length !== 1) {
  console.error(usage);
  process.exit(2);
}
const { bench } = await load();
const { table, ...figures } = await bench({
  progress: (line) => console.error(line),
  quick: values.quick,
});
console.log(table);
if (values.json) console.log(JSON.stringify(figures));
