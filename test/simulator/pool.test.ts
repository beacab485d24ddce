import { subscribe, unsubscribe } from 'node:diagnostics_channel';
import type { Worker } from 'node:worker_threads';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { JobError, runJobs } from '../../lib/simulator/pool.ts';
import { type ToyJob, type ToyResult, toyTask } from './fixtures/pool-task.ts';

// Threads take their time to start on a busy machine.
vi.setConfig({ testTimeout: 60_000 });

const started: Worker[] = [];
const remember = (message: unknown): void => void started.push((message as { worker: Worker }).worker);

beforeEach(() => {
  started.length = 0;
  subscribe('worker_threads', remember);
});

afterEach(() => {
  unsubscribe('worker_threads', remember);
  expect(started.map(({ threadId }) => threadId).filter((id) => id !== -1)).toEqual([]);
});

const jobs = (count: number, change: (seed: number) => Partial<ToyJob> = () => ({})): ToyJob[] =>
  Array.from({ length: count }, (_, seed) => ({ seed, ...change(seed) }));

const run = (list: Iterable<ToyJob>, workers: number, signal?: AbortSignal) =>
  runJobs(toyTask, { shared: 'hello', jobs: list, workers, ...(signal === undefined ? {} : { signal }) });

async function collect(results: AsyncIterable<ToyResult>): Promise<ToyResult[]> {
  const all: ToyResult[] = [];
  for await (const result of results) all.push(result);
  return all;
}

describe('the pool', () => {
  it('works in threads, and gives the results in the order of the jobs, whichever ends first', async () => {
    const results = await collect(
      run(
        jobs(40, (seed) => ({ busyMs: seed % 5 === 0 ? 12 : 0 })),
        3,
      ),
    );
    expect(results.map(({ seed }) => seed)).toEqual(jobs(40).map(({ seed }) => seed));
    expect(results.every(({ inWorker, greeting }) => inWorker && greeting === 'hello')).toBe(true);
    expect(started).toHaveLength(3);
  });

  it('works in this thread when there is one worker', async () => {
    const results = await collect(run(jobs(3), 1));
    expect(results.map(({ inWorker }) => inWorker)).toEqual([false, false, false]);
    expect(started).toHaveLength(0);
  });

  it.each([1, 2])('with no jobs gives no results (%d workers)', async (workers) => {
    expect(await collect(run([], workers))).toEqual([]);
  });

  it.each([1, 2])('names the seed and the message of a job that throws (%d workers)', async (workers) => {
    const failing = run(
      jobs(30, (seed) => (seed === 17 ? { fate: 'throw' } : {})),
      workers,
    );
    const error = await collect(failing).catch((reason: unknown) => reason);
    expect(error).toBeInstanceOf(JobError);
    expect(error).toMatchObject({ seed: 17, message: 'seed 17: the clock ran backwards' });
    expect((error as JobError).cause).toBeInstanceOf(RangeError);
  });

  it('names what was thrown even if it is no error', async () => {
    await expect(
      collect(
        run(
          jobs(1, () => ({ fate: 'throw-text' })),
          2,
        ),
      ),
    ).rejects.toThrow('seed 0: not even an error');
  });

  it('names the seed that a worker was at when it ended', async () => {
    const list = jobs(8, (seed) => (seed === 3 ? { fate: 'exit' } : {}));
    await expect(collect(run(list, 2))).rejects.toThrow(/^seed 3: the worker ended with status 7$/);
  });

  it('says what broke a worker outside its job', async () => {
    const list = jobs(50, (seed) => (seed === 0 ? { fate: 'break' } : { busyMs: 20 }));
    await expect(collect(run(list, 2))).rejects.toThrow(/thrown outside the job/);
  });

  it('says that a task is not there', async () => {
    const wrong = runJobs({ ...toyTask, name: 'noSuchJob' }, { shared: '', jobs: jobs(4), workers: 2 });
    await expect(collect(wrong)).rejects.toThrow(/has no export noSuchJob/);
  });

  it('draws jobs only as it needs them', async () => {
    let drawn = 0;
    function* endless(): Generator<ToyJob> {
      while (true) yield { seed: drawn++ };
    }
    for await (const { seed } of run(endless(), 2)) if (seed === 5) break;
    expect(drawn).toBeLessThan(1_000);
  });

  it('holds no more results than a window while one job is slow', async () => {
    let drawn = 0;
    let drawnAtFirst = 0;
    function* slowFirst(): Generator<ToyJob> {
      while (drawn < 2_000) yield { seed: drawn++, busyMs: drawn === 1 ? 700 : 0 };
    }
    for await (const { seed } of run(slowFirst(), 2)) if (seed === 0) drawnAtFirst = drawn;
    expect(drawn).toBe(2_000);
    expect(drawnAtFirst).toBeLessThanOrEqual(130);
  });

  it.each([1, 2])(
    'ends with the reason of an abort, in the middle of its work (%d workers)',
    async (workers) => {
      const controller = new AbortController();
      const reason = new Error('interrupted');
      const results: number[] = [];
      const working = (async () => {
        for await (const { seed } of run(
          jobs(1_000, () => ({ busyMs: 5 })),
          workers,
          controller.signal,
        )) {
          results.push(seed);
          if (results.length === 3) setTimeout(() => controller.abort(reason), 1);
        }
      })();
      await expect(working).rejects.toBe(reason);
      expect(results.length).toBeLessThan(100);
    },
  );

  it('starts nothing after an abort', async () => {
    await expect(collect(run(jobs(3), 2, AbortSignal.abort(new Error('before'))))).rejects.toThrow('before');
    expect(started).toHaveLength(0);
  });

  it.each([0, -1, 1.5, 257])('refuses %d workers', async (workers) => {
    await expect(collect(run(jobs(1), workers))).rejects.toThrow(RangeError);
  });
});
