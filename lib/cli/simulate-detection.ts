import { readFile, writeFile } from 'node:fs/promises';
import { UsageError } from '../operate/errors.ts';
import { exitCodes } from '../shell/exit-codes.ts';
import {
  detectionMarkdown,
  detectionTable,
  failingFractions,
  replaceDetection,
} from '../simulator/detection.ts';
import { Progress } from './progress.ts';
import type { SimulateContext } from './simulate-context.ts';
import type { Outcome } from './verb.ts';

const DEFAULT_RUNS = 1_000;

/** The detection table: failing fraction of writes against time to decide. */
export async function simulateDetection(context: SimulateContext): Promise<Outcome> {
  const { system, flags, workers, say, signal } = context;
  const runs = flags.runs ?? DEFAULT_RUNS;
  // Checked before minutes of work: a file without the two comments could not take the result.
  if (flags.write !== undefined) replaceIn(flags.write, await readTarget(flags.write), '');
  const progress = new Progress({ total: runs * failingFractions.length, unit: 'runs' });
  try {
    const rows = await detectionTable({ system, runs, workers, onRun: () => progress.add(1), signal });
    progress.clear();
    const table = detectionMarkdown(rows);
    say(table);
    if (flags.write !== undefined) {
      await writeFile(flags.write, replaceIn(flags.write, await readTarget(flags.write), table));
      say(`written to ${flags.write}`);
    }
    return { exit: exitCodes.done, document: { ok: true, runs, rows }, screen: '' };
  } finally {
    progress.clear();
  }
}

async function readTarget(file: string): Promise<string> {
  try {
    return await readFile(file, 'utf8');
  } catch (cause) {
    throw new UsageError(`${file} cannot be read: name a file that is there. ${String(cause)}`, { cause });
  }
}

function replaceIn(file: string, text: string, table: string): string {
  try {
    return replaceDetection(text, table);
  } catch (cause) {
    throw new UsageError(`${file} ${cause instanceof Error ? cause.message : String(cause)}`, { cause });
  }
}
