import { parentPort, workerData } from 'node:worker_threads';
import type { Answer, WorkerTask } from './pool.ts';

// The other half of pool.ts: one job at a time, until it is terminated.

const { module, name, shared } = workerData as WorkerTask;
const { [name]: run } = (await import(module)) as Record<string, (shared: unknown, job: unknown) => unknown>;
if (run === undefined) throw new Error(`${module} has no export ${name}`);
if (parentPort === null) throw new Error('pool-worker.ts runs in a worker thread only');

const port = parentPort;
port.on('message', (job: unknown) => port.postMessage(answerOf(job)));

function answerOf(job: unknown): Answer {
  try {
    return { result: run?.(shared, job) };
  } catch (cause) {
    return { error: cause instanceof Error ? cause : new Error(String(cause)) };
  }
}
