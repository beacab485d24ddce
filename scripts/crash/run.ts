import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import type { Readable } from 'node:stream';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { Spool } from '../../lib/producer/spool/spool.ts';
import type { ApplicationOptions } from './application.ts';
import { type Dice, dice } from './dice.ts';
import { Ledger } from './ledger.ts';
import { type CrashSink, startCrashSink } from './sink.ts';
import type { TargetName } from './targets.ts';

export interface CrashOptions {
  readonly kills: number;
  readonly seed: number;
  readonly target: TargetName;
  /** Directory of the spool; must be empty. */
  readonly directory: string;
  readonly onProgress?: (line: string) => void;
}

export interface CrashResult {
  readonly kills: number;
  /** Acknowledgements that reached the parent. */
  readonly acknowledged: number;
  /** Acknowledgements that came from the disk. */
  readonly spooled: number;
  readonly found: number;
  readonly lost: number;
  readonly reordered: number;
  readonly duplicates: number;
  /** Records in aggregates that the KCL drops, because the stream was split: they count as found where they are written again. */
  readonly droppedByKcl: number;
  /** Splits and merges. */
  readonly reshards: number;
  /** Kinesis records with more than one record in them. */
  readonly aggregates: number;
  /** Records read from the spool at the end. */
  readonly inSpool: number;
  readonly tornBytes: number;
  readonly quarantinedRanges: number;
}

const program = fileURLToPath(new URL('application.ts', import.meta.url));
const LIVES_PER_WEATHER = 3;
const START_TIMEOUT_MS = 30_000;
const LONGEST_START_MS = 500;
const LONGEST_LIFE_MS = 400;
const MOST_ACKNOWLEDGEMENTS = 1_000;
const LONGEST_COUNTED_LIFE_MS = 3_000;
const MAX_ERROR_CHARACTERS = 4_000;

/** Kills an application again and again, and looks for every record that the application was told is safe. */
export async function crash(options: CrashOptions): Promise<CrashResult> {
  const { kills, directory, onProgress } = options;
  const ledger = new Ledger();
  const rolls = dice(options.seed);
  const sink = await startCrashSink(dice(options.seed + 1), {
    onStored: (text) => ledger.find(text),
    reshards: options.target === 'aggregates',
  });
  let spooled = 0;
  const onAcknowledged = (how: string, text: string): void => {
    ledger.acknowledge(text);
    if (how === 'spooled') spooled++;
  };
  try {
    for (let life = 1; life <= kills; life++) {
      // Calm for some lives at first, then stormy for some, and so on in turn.
      sink.weather = Math.floor((life - 1) / LIVES_PER_WEATHER) % 2 === 0 ? 'calm' : 'stormy';
      await oneLife({ ...options, life, url: sink.url }, { rolls, onAcknowledged });
      await sink.settled();
      if (life % 10 === 0) onProgress?.(`${life} kills, ${ledger.acknowledged} records acknowledged`);
    }
    const left = await readSpool(directory, ledger);
    const lost = ledger.lost();
    for (const text of lost.slice(0, 10)) onProgress?.(`lost: ${text}`);
    return {
      kills,
      acknowledged: ledger.acknowledged,
      spooled,
      found: ledger.acknowledged - lost.length,
      lost: lost.length,
      reordered: ledger.reordered,
      duplicates: ledger.duplicates,
      ...sink.counts,
      ...left,
    };
  } finally {
    await closeSink(sink);
  }
}

interface Witness {
  readonly rolls: Dice;
  readonly onAcknowledged: (how: string, text: string) => void;
}

/**
 * Runs one process: starts it, kills it at a random moment, and reads its pipe to the end, which keeps what
 * was written before.
 */
async function oneLife(
  { target, directory, url, life }: ApplicationOptions & Pick<CrashOptions, 'target'>,
  { rolls, onAcknowledged }: Witness,
): Promise<void> {
  const argument = JSON.stringify({ target, directory, url, life } satisfies ApplicationOptions);
  const child = spawn(process.execPath, [program, argument], { stdio: ['ignore', 'ignore', 'pipe', 'pipe'] });
  const opened = Promise.withResolvers<void>();
  const closed = once(child, 'close');
  let errors = '';
  child.stderr?.on('data', (chunk: Buffer) => {
    errors = (errors + chunk).slice(-MAX_ERROR_CHARACTERS);
  });
  const end = endOfLife(rolls);
  const enough = Promise.withResolvers<void>();
  let acknowledged = 0;
  createInterface({ input: child.stdio[3] as Readable }).on('line', (line) => {
    if (line === 'open') return opened.resolve();
    const [how = '', ...name] = line.split(' ');
    // A line that was cut off was not reported: its record is not counted.
    if (name.length !== 3) return;
    onAcknowledged(how, name.join(' '));
    if (++acknowledged >= end.afterAcknowledgements) enough.resolve();
  });
  if (!end.whileStarting) await Promise.race([opened.promise, closed, pause(START_TIMEOUT_MS)]);
  await Promise.race([closed, enough.promise, pause(end.afterMs)]);
  child.kill('SIGKILL');
  await closed;
  if (!diedOfKill(child)) throw new Error(`Life ${life} ended by itself (${child.exitCode}):\n${errors}`);
}

interface EndOfLife {
  readonly whileStarting: boolean;
  readonly afterMs: number;
  readonly afterAcknowledgements: number;
}

/** One life in four ends during its start, when it repairs what the last life left. */
function endOfLife(rolls: Dice): EndOfLife {
  const never = Number.POSITIVE_INFINITY;
  const kind = rolls.between(1, 4);
  if (kind === 1) {
    return { whileStarting: true, afterMs: rolls.between(0, LONGEST_START_MS), afterAcknowledgements: never };
  }
  if (kind === 2) {
    return { whileStarting: false, afterMs: rolls.between(0, LONGEST_LIFE_MS), afterAcknowledgements: never };
  }
  // Counted in acknowledgements, so that a slow machine gets as far as a fast one.
  const afterAcknowledgements = rolls.between(1, MOST_ACKNOWLEDGEMENTS);
  return { whileStarting: false, afterMs: LONGEST_COUNTED_LIFE_MS, afterAcknowledgements };
}

function pause(ms: number): Promise<void> {
  return sleep(ms, undefined, { ref: false });
}

function diedOfKill(child: ChildProcess): boolean {
  return child.signalCode === 'SIGKILL';
}

/** What is still in the spool comes after everything in the stream. */
async function readSpool(
  directory: string,
  ledger: Ledger,
): Promise<Pick<CrashResult, 'inSpool' | 'tornBytes' | 'quarantinedRanges'>> {
  const spool = await Spool.open({ directory });
  let inSpool = 0;
  try {
    for (;;) {
      const records = await spool.read({ records: 1_000, bytes: 4 * 1024 * 1024 });
      if (records.length === 0) break;
      for (const { data } of records) ledger.find(Buffer.from(data).toString());
      inSpool += records.length;
    }
    const { tornBytes, quarantinedRanges } = spool.stats();
    return { inSpool, tornBytes, quarantinedRanges };
  } finally {
    await spool.close();
  }
}

async function closeSink(sink: CrashSink): Promise<void> {
  await sink.settled();
  await sink.close();
}
