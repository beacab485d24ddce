import { describe, expect, it } from 'vitest';
import { unlessAborted, until } from '../../../lib/local/drill/until.ts';

const reason = new Error('LocalStack died');

describe('work that may be aborted', () => {
  it('comes to what it comes to', async () => {
    const { signal } = new AbortController();
    await expect(unlessAborted(signal, Promise.resolve(7))).resolves.toBe(7);
    await expect(unlessAborted(signal, Promise.reject(new Error('no')))).rejects.toThrow('no');
  });

  it('is not waited for once it is aborted, before or meanwhile', async () => {
    const controller = new AbortController();
    const waiting = unlessAborted(controller.signal, new Promise(() => {}));
    controller.abort(reason);
    await expect(waiting).rejects.toBe(reason);
    await expect(unlessAborted(controller.signal, new Promise(() => {}))).rejects.toBe(reason);
  });
});

describe('a condition that is waited for', () => {
  it('says what is missing when the time is up', async () => {
    const waiting = until({
      what: 'rest',
      timeoutMs: 20,
      everyMs: 5,
      holds: () => false,
      missing: () => 'a witness',
    });
    await expect(waiting).rejects.toThrow('Waited 0.02 s for rest. Still missing: a witness.');
  });

  it('is given up with the reason of an abort', async () => {
    const options = { what: 'rest', timeoutMs: 60_000, everyMs: 5, holds: () => false };
    await expect(until({ ...options, signal: AbortSignal.abort(reason) })).rejects.toBe(reason);
  });
});
