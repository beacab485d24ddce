import { mkdir, mkdtemp, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { BenchContext } from './context.ts';
import { median } from './figures.ts';
import { type Rival, type RivalName, rivals } from './spool-rivals.ts';

const CONCURRENT = 256;
const RECORD_BYTES = 200;
const plans = {
  full: { rounds: 15, appends: 60_000, warmUpAppends: 60_000 },
  quick: { rounds: 1, appends: 2_000, warmUpAppends: 500 },
} as const;
/** Not the system's temporary directory, which may be in memory, where a sync costs nothing. */
const scratch = fileURLToPath(new URL('../../.spillway', import.meta.url));

interface Round {
  readonly appendsPerSecond: number;
  readonly p50Ms: number;
  readonly p99Ms: number;
  readonly cpuMsPer1000: number;
}

/**
 * Compares the spool with SQLite: single 200-byte appends of 256 callers, each of which waits until its own
 * append is durable.
 */
export async function bench({ progress, quick }: BenchContext) {
  const { rounds, appends, warmUpAppends } = quick ? plans.quick : plans.full;
  await mkdir(scratch, { recursive: true });
  const directory = await mkdtemp(join(scratch, 'bench-spool-'));
  const results: Record<RivalName, Round[]> = { spool: [], sqlite: [] };
  try {
    const running = { spool: await rivals.spool(directory), sqlite: await rivals.sqlite(directory) };
    for (const rival of Object.values(running)) await drive(rival, warmUpAppends);
    for (let n = 1; n <= rounds; n++) {
      const order: readonly RivalName[] = n % 2 === 0 ? ['sqlite', 'spool'] : ['spool', 'sqlite'];
      for (const name of order) {
        const round = await drive(running[name], appends);
        results[name].push(round);
        progress(`round ${n}/${rounds}  ${name.padEnd(6)} ${thousands(round.appendsPerSecond)} appends/s`);
      }
    }
    for (const rival of Object.values(running)) await rival.close();
  } finally {
    await rm(directory, { recursive: true, force: true });
  }
  return figuresOf(results, { rounds, appends });
}

async function drive(rival: Rival, appends: number): Promise<Round> {
  const data = new Uint8Array(RECORD_BYTES).fill(7);
  const waits = new Float64Array(appends);
  let next = 0;
  const cpu = process.cpuUsage();
  const startMs = performance.now();
  const caller = async (_: unknown, number: number): Promise<void> => {
    const key = `key-${number}`;
    while (next < appends) {
      const at = next++;
      const sinceMs = performance.now();
      await rival.append(key, data);
      waits[at] = performance.now() - sinceMs;
    }
  };
  await Promise.all(Array.from({ length: CONCURRENT }, caller));
  const elapsedMs = performance.now() - startMs;
  const { user, system } = process.cpuUsage(cpu);
  waits.sort();
  return {
    appendsPerSecond: (appends / elapsedMs) * 1000,
    p50Ms: waits[appends >> 1] ?? Number.NaN,
    p99Ms: waits[Math.floor(appends * 0.99)] ?? Number.NaN,
    cpuMsPer1000: (user + system) / appends,
  };
}

function figuresOf(results: Record<RivalName, readonly Round[]>, plan: { rounds: number; appends: number }) {
  const of = (name: RivalName, figure: keyof Round): number =>
    median(results[name].map((round) => round[figure]));
  const both = (figure: keyof Round, digits: number) => ({
    spool: rounded(of('spool', figure), digits),
    sqlite: rounded(of('sqlite', figure), digits),
  });
  const spread = (name: RivalName) => {
    const rates = results[name].map(({ appendsPerSecond }) => Math.round(appendsPerSecond));
    return [Math.min(...rates), Math.max(...rates)] as const;
  };
  /** Ratios of neighbouring rounds, which share the other load of the machine. */
  const perRound = results.spool.map(
    ({ appendsPerSecond }, index) =>
      appendsPerSecond / (results.sqlite[index]?.appendsPerSecond ?? Number.NaN),
  );
  const figures = {
    name: 'spool',
    appendsPerSecond: both('appendsPerSecond', 0),
    ratio: {
      toSqlite: rounded(of('spool', 'appendsPerSecond') / of('sqlite', 'appendsPerSecond'), 2),
      toSqlitePerRound: rounded(median(perRound), 2),
    },
    ackMs: { p50: rounded(of('spool', 'p50Ms'), 2), p99: rounded(of('spool', 'p99Ms'), 2) },
    sqliteAckMs: { p50: rounded(of('sqlite', 'p50Ms'), 2), p99: rounded(of('sqlite', 'p99Ms'), 2) },
    cpuMsPer1000: both('cpuMsPer1000', 2),
    spread: { spool: spread('spool'), sqlite: spread('sqlite') },
    concurrent: CONCURRENT,
    recordBytes: RECORD_BYTES,
    ...plan,
    node: process.version,
  };
  return { ...figures, table: tableOf(figures) };
}

function tableOf(figures: {
  readonly appendsPerSecond: Readonly<Record<RivalName, number>>;
  readonly spread: Readonly<Record<RivalName, readonly number[]>>;
  readonly cpuMsPer1000: Readonly<Record<RivalName, number>>;
  readonly ackMs: { readonly p50: number; readonly p99: number };
  readonly sqliteAckMs: { readonly p50: number; readonly p99: number };
  readonly ratio: { readonly toSqlite: number; readonly toSqlitePerRound: number };
}): string {
  const row = (name: RivalName, { p50, p99 }: { readonly p50: number; readonly p99: number }): string =>
    `| ${name} | ${thousands(figures.appendsPerSecond[name])} | ${figures.spread[name].map(thousands).join(' to ')} | ${p50} | ${p99} | ${figures.cpuMsPer1000[name]} |`;
  return [
    `| ${CONCURRENT} callers, ${RECORD_BYTES} B | appends/s | slowest to fastest round | p50, ms | p99, ms | CPU ms per 1,000 |`,
    '| --- | --: | --: | --: | --: | --: |',
    row('spool', figures.ackMs),
    row('sqlite', figures.sqliteAckMs),
    '',
    `spool to sqlite ${figures.ratio.toSqlite}, median of the rounds' own ratios ${figures.ratio.toSqlitePerRound}`,
    '',
  ].join('\n');
}

function thousands(value: number): string {
  return Math.round(value).toLocaleString('en-US');
}

function rounded(value: number, digits: number): number {
  return Number(value.toFixed(digits));
}
