import { execFile } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { type ContestantName, contestants } from './contestants.ts';
import { drive } from './rounds.ts';
import { trust } from './trust.ts';
import { batchesOf, workloads } from './workload.ts';

const CHILD_TIMEOUT_MS = 60_000;
const KIB = 1024;

interface Task {
  readonly name: ContestantName;
  readonly url: string;
  readonly ca: string;
  readonly durationMs: number;
}

/**
 * Peak resident memory in MiB of one contestant that runs alone, in a process of its own: within one process the first
 * to grow the heap would hide the others.
 */
export async function peakRssMiB(task: Task): Promise<number> {
  const self = fileURLToPath(import.meta.url);
  const { stdout } = await promisify(execFile)(process.execPath, [self, JSON.stringify(task)], {
    timeout: CHILD_TIMEOUT_MS,
  });
  return Number(stdout);
}

if (import.meta.main) {
  const { name, url, ca, durationMs } = JSON.parse(process.argv[2] ?? '') as Task;
  trust(ca);
  const { batches } = workloads;
  const contestant = await contestants[name]({ url, maxBatchRecords: batches.recordsPerBatch });
  await drive(contestant, { batches: batchesOf(batches), durationMs });
  await contestant.close();
  // Linux and macOS: libuv gives kilobytes on both.
  console.log(Math.round(process.resourceUsage().maxRSS / KIB));
}
