import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, beforeEach, expect, it, vi } from 'vitest';
import type { OwnEntry, RunRegister } from '../../../lib/local/running/register.ts';
import type { RunEntry } from '../../../lib/local/running/run-entry.ts';

/** Real files; only the moment between choosing a number and taking it is held open. */
let beforeLink: (() => Promise<void>) | undefined;
let Register: typeof RunRegister;
beforeAll(async () => {
  // Files before this one, in the same process, may have loaded the module with the real `link`.
  vi.resetModules();
  vi.doMock(import('node:fs/promises'), async (original) => {
    const real = await original();
    const link: typeof real.link = async (...args) => {
      const held = beforeLink;
      beforeLink = undefined;
      await held?.();
      return real.link(...args);
    };
    return { ...real, link };
  });
  ({ RunRegister: Register } = await import('../../../lib/local/running/register.ts'));
});
afterAll(() => {
  vi.doUnmock('node:fs/promises');
  vi.resetModules();
});

let directory: string;
beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'spillway-race-'));
});
afterEach(() => rm(directory, { recursive: true, force: true }));

const entry = (sinceMs: number): RunEntry => ({
  activity: 'waiting',
  pid: process.pid,
  birth: '',
  user: 'ana',
  sinceMs,
  what: '2020-kinesis',
});

it('of two that enter at once, one that has seen nobody is not overtaken by a lower number', async () => {
  const register = new Register(directory);
  let first: OwnEntry | undefined;
  beforeLink = async () => {
    first = await register.enter(entry(10));
  };
  const second = await register.enter(entry(5));
  expect(first?.ticket).toBe(11);
  expect(second.ticket).toBe(12);
  expect((await register.running()).map(({ ticket }) => ticket)).toEqual([11, 12]);
});

it('two that choose the same number do not both have it', async () => {
  const register = new Register(directory);
  let first: OwnEntry | undefined;
  beforeLink = async () => {
    first = await register.enter(entry(5));
  };
  const second = await register.enter(entry(5));
  expect([first?.ticket, second.ticket]).toEqual([6, 7]);
});
