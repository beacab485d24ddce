import { setImmediate } from 'node:timers/promises';
import { Worker } from 'node:worker_threads';
import { ownFile } from '../files/own-files.ts';

/** Work that is done again and again. Each worker thread imports `module` and calls its export `name`. */
export interface Task<Shared, Job, Result> {
  readonly module: string;
  readonly name: string;
  /** The same function, for this thread. */
  readonly run: (shared: Shared, job: Job) => Result;
}

/** Everything random in a job follows from its seed, which is what an error names. */
export interface Seeded {
  readonly seed: number;
}

export interface PoolOptions<Shared, Job> {
  /** Sent once to each worker: plain data. */
  readonly shared: Shared;
  /** Drawn only as workers become free, so that a million of them take no memory. */
  readonly jobs: Iterable<Job>;
  /** 1 = in this thread. */
  readonly workers: number;
  readonly signal?: AbortSignal;
}

/** A job threw, or its worker ended. */
export class JobError extends Error {
  override readonly name = 'JobError';
  readonly seed: number;

  constructor(seed: number, reason: string, options?: ErrorOptions) {
    super(`seed ${seed}: ${reason}`, options);
    this.seed = seed;
  }
}

/** What goes to a worker when it starts. */
export interface WorkerTask {
  readonly module: string;
  readonly name: string;
  readonly shared: unknown;
}

/** What comes back for a job. */
export type Answer = { readonly result: unknown } | { readonly error: Error };

export const MAX_WORKERS = 256;
/** Results that may wait for one slow job before them, for each worker. */
const WINDOW_PER_WORKER = 64;

/**
 * Does every job and yields the results in the jobs' order, whichever ends first. No worker is left when it ends: by
 * the last result, an error, an abort, or a consumer that stops early.
 *
 * @throws JobError of the first job found to fail; the signal's reason after an abort.
 */
export async function* runJobs<Shared, Job extends Seeded, Result>(
  task: Task<Shared, Job, Result>,
  options: PoolOptions<Shared, Job>,
): AsyncGenerator<Result, void, void> {
  const { workers } = options;
  if (!Number.isInteger(workers) || workers < 1 || workers > MAX_WORKERS) {
    throw new RangeError(`${workers} is not a number of workers from 1 to ${MAX_WORKERS}`);
  }
  yield* workers === 1 ? inThisThread(task, options) : inWorkers(task, options);
}

async function* inThisThread<Shared, Job extends Seeded, Result>(
  task: Task<Shared, Job, Result>,
  { shared, jobs, signal }: PoolOptions<Shared, Job>,
): AsyncGenerator<Result, void, void> {
  for (const job of jobs) {
    // A turn of the event loop, or a Ctrl-C would never be heard.
    await setImmediate();
    signal?.throwIfAborted();
    let result: Result;
    try {
      result = task.run(shared, job);
    } catch (cause) {
      throw new JobError(job.seed, cause instanceof Error ? cause.message : String(cause), { cause });
    }
    yield result;
  }
}

async function* inWorkers<Shared, Job extends Seeded, Result>(
  task: Task<Shared, Job, Result>,
  { shared, jobs, workers, signal }: PoolOptions<Shared, Job>,
): AsyncGenerator<Result, void, void> {
  signal?.throwIfAborted();
  const data: WorkerTask = { module: task.module, name: task.name, shared };
  const free = Array.from({ length: workers }, () => new Slot(data));
  const all = [...free];
  const queue = jobs[Symbol.iterator]();
  const done = new Map<number, Result>();
  const busy = new Set<Promise<void>>();
  const state: { failure?: unknown; failed: boolean } = { failed: false };
  const fail = (failure: unknown): void => {
    if (!state.failed) Object.assign(state, { failure, failed: true });
  };
  const aborted = Promise.withResolvers<void>();
  const onAbort = (): void => {
    fail(signal?.reason);
    aborted.resolve();
  };
  signal?.addEventListener('abort', onAbort, { once: true });

  const begin = (slot: Slot, job: Job, index: number): void => {
    const ending: Promise<void> = slot.perform(job).then(
      (result) => {
        done.set(index, result as Result);
        free.push(slot);
        busy.delete(ending);
      },
      (error: unknown) => {
        fail(error);
        busy.delete(ending);
      },
    );
    busy.add(ending);
  };

  try {
    let [begun, yielded, drained] = [0, 0, false];
    while (true) {
      while (!drained && free.length > 0 && begun - yielded < workers * WINDOW_PER_WORKER) {
        const next = queue.next();
        if (next.done === true) drained = true;
        else begin(free.pop() as Slot, next.value, begun++);
      }
      if (state.failed) throw state.failure;
      if (done.has(yielded)) {
        const result = done.get(yielded) as Result;
        done.delete(yielded++);
        yield result;
      } else if (busy.size === 0) return;
      else await Promise.race([...busy, aborted.promise]);
    }
  } finally {
    signal?.removeEventListener('abort', onAbort);
    await Promise.all(all.map((slot) => slot.end()));
  }
}

/** One worker thread, which does one job at a time. */
class Slot {
  readonly #worker: Worker;
  #job: { readonly seed: number; readonly ending: PromiseWithResolvers<unknown> } | undefined;
  #broken: { readonly reason: string; readonly cause?: unknown } | undefined;

  constructor(workerData: WorkerTask) {
    // Without the flags of this process, because a test runner's loader does not work in a worker.
    this.#worker = new Worker(ownFile('lib/simulator/pool-worker.ts'), { workerData, execArgv: [] });
    this.#worker.on('message', (answer: Answer) => this.#settle(answer));
    this.#worker.on('error', (cause) =>
      this.#break(cause instanceof Error ? cause.message : String(cause), cause),
    );
    this.#worker.on('exit', (status) => this.#break(`the worker ended with status ${status}`));
  }

  perform(job: Seeded): Promise<unknown> {
    const ending = Promise.withResolvers<unknown>();
    this.#job = { seed: job.seed, ending };
    if (this.#broken === undefined) this.#worker.postMessage(job);
    else this.#break(this.#broken.reason, this.#broken.cause);
    return ending.promise;
  }

  async end(): Promise<void> {
    this.#job = undefined;
    await this.#worker.terminate();
  }

  #settle(answer: Answer): void {
    const job = this.#job;
    this.#job = undefined;
    if (job === undefined) return;
    if ('result' in answer) job.ending.resolve(answer.result);
    else job.ending.reject(new JobError(job.seed, answer.error.message, { cause: answer.error }));
  }

  #break(reason: string, cause?: unknown): void {
    this.#broken ??= { reason, cause };
    const job = this.#job;
    this.#job = undefined;
    job?.ending.reject(new JobError(job.seed, reason, { cause }));
  }
}
