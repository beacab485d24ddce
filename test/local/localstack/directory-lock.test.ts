import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { access, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { withLock } from '../../../lib/local/localstack/directory-lock.ts';
import { LocalStackEnvironmentError } from '../../../lib/local/localstack/errors.ts';

let directory: string;
let file: string;

beforeEach(async () => {
  directory = await mkdtemp(path.join(tmpdir(), 'spillway-lock-'));
  file = path.join(directory, 'lock');
});
afterEach(async () => {
  await rm(directory, { recursive: true, force: true });
});

describe('the lock of the installation', () => {
  it('lets one run at a time and tells the other whom it waits for', async () => {
    const events: string[] = [];
    const held = Promise.withResolvers<void>();
    const started = Promise.withResolvers<void>();
    const first = withLock({ file, timeoutMs: 5_000 }, async () => {
      started.resolve();
      await held.promise;
      events.push('first done');
    });
    await started.promise;
    const onProgress = (text: string) => {
      events.push(text);
      held.resolve();
    };
    const second = withLock({ file, timeoutMs: 5_000, onProgress }, async () => events.push('second done'));
    await Promise.all([first, second]);
    const waiting = `Waiting for process ${process.pid}, which is installing LocalStack`;
    expect(events).toEqual([waiting, 'first done', 'second done']);
  });

  it('is released when the work fails', async () => {
    const failing = withLock({ file, timeoutMs: 5_000 }, () => Promise.reject(new Error('no')));
    await expect(failing).rejects.toThrow('no');
    await expect(access(file)).rejects.toThrow(/ENOENT/);
  });

  it('is taken over from a process that has died', async () => {
    const dead = spawn('true');
    await once(dead, 'exit');
    await writeFile(file, String(dead.pid));
    expect(await withLock({ file, timeoutMs: 5_000 }, async () => 'done')).toBe('done');
  });

  it('is given up after the time limit with the process to end', async () => {
    await writeFile(file, String(process.pid));
    const waiting = withLock({ file, timeoutMs: 10 }, async () => 'done');
    await expect(waiting).rejects.toThrow(LocalStackEnvironmentError);
    await expect(waiting).rejects.toThrow(new RegExp(`Process ${process.pid} has been installing`));
  });

  it('stops waiting when aborted', async () => {
    await writeFile(file, String(process.pid));
    const signal = AbortSignal.timeout(50);
    await expect(withLock({ file, timeoutMs: 5_000, signal }, async () => 'done')).rejects.toThrow(/abort/i);
  });
});
