import { setImmediate } from 'node:timers/promises';
import { describe, expect, it, vi } from 'vitest';
import { Credentials } from '../../../lib/producer/wire/credentials.ts';
import { CredentialsError } from '../../../lib/producer/wire/errors.ts';

const MINUTE_MS = 60_000;
const timeoutMs = 50;

/** Identities A0, A1, …, each valid for an hour from when it was given. */
function numbered() {
  const clock = { nowMs: 1_000_000 };
  let given = 0;
  const provider = vi.fn(async (_options?: { readonly forceRefresh?: boolean }) => ({
    accessKeyId: `A${given++}`,
    secretAccessKey: 'secret',
    expiration: new Date(clock.nowMs + 60 * MINUTE_MS),
  }));
  const credentials = new Credentials({ source: provider, timeoutMs, now: () => clock.nowMs });
  return { clock, provider, credentials };
}

describe('credentials', () => {
  it('asks the provider once for all that wait', async () => {
    const { credentials, provider } = numbered();
    await Promise.all([credentials.current(), credentials.current(), credentials.current()]);
    await credentials.current();
    expect(provider).toHaveBeenCalledTimes(1);
  });

  it('refreshes before expiry, beside the traffic', async () => {
    const { credentials, clock } = numbered();
    await credentials.current();
    clock.nowMs += 56 * MINUTE_MS;
    await expect(credentials.current()).resolves.toMatchObject({ accessKeyId: 'A0' });
    await expect(credentials.current()).resolves.toMatchObject({ accessKeyId: 'A1' });
  });

  it('goes on with what is still valid when the refresh fails, and does not ask for each request', async () => {
    const { credentials, clock, provider } = numbered();
    await credentials.current();
    clock.nowMs += 56 * MINUTE_MS;
    provider.mockRejectedValue(new Error('the metadata service is down'));
    for (let n = 0; n < 10; n++) {
      await expect(credentials.current()).resolves.toMatchObject({ accessKeyId: 'A0' });
    }
    expect(provider).toHaveBeenCalledTimes(2);
    clock.nowMs += 2_000;
    await credentials.current();
    expect(provider).toHaveBeenCalledTimes(3);
  });

  it('fails with the reason while there is no identity, and recovers', async () => {
    const { credentials, provider } = numbered();
    provider.mockRejectedValueOnce(new Error('the metadata service is down'));
    const error = await credentials.current().catch((reason: unknown) => reason);
    expect(error).toBeInstanceOf(CredentialsError);
    expect((error as Error).message).toContain('the metadata service is down');
    await expect(credentials.current()).resolves.toMatchObject({ accessKeyId: 'A0' });
  });

  it('leaves it to the service whether an identity has expired when there is no other', async () => {
    const { credentials, clock, provider } = numbered();
    await credentials.current();
    clock.nowMs += 60 * MINUTE_MS;
    provider.mockRejectedValueOnce(new Error('the metadata service is down'));
    await expect(credentials.current()).resolves.toMatchObject({ accessKeyId: 'A0' });
    await expect(credentials.current()).resolves.toMatchObject({ accessKeyId: 'A0' });
    expect(provider).toHaveBeenCalledTimes(2);
    clock.nowMs += 2_000;
    await expect(credentials.current()).resolves.toMatchObject({ accessKeyId: 'A1' });
  });

  it('takes an answer that comes late, and no older one after it', async () => {
    const answers: PromiseWithResolvers<{ accessKeyId: string; secretAccessKey: string }>[] = [];
    const source = () => {
      const answer = Promise.withResolvers<{ accessKeyId: string; secretAccessKey: string }>();
      answers.push(answer);
      return answer.promise;
    };
    const credentials = new Credentials({ source, timeoutMs: 5 });
    await expect(credentials.current()).rejects.toBeInstanceOf(CredentialsError);
    await expect(credentials.current()).rejects.toBeInstanceOf(CredentialsError);
    answers[1]?.resolve({ accessKeyId: 'SECOND', secretAccessKey: 's' });
    await setImmediate();
    answers[0]?.resolve({ accessKeyId: 'FIRST', secretAccessKey: 's' });
    await setImmediate();
    await expect(credentials.current()).resolves.toMatchObject({ accessKeyId: 'SECOND' });
    expect(answers).toHaveLength(2);
  });

  it('keeps no process alive for a provider that hangs, once it is closed', async () => {
    const timers = () => process.getActiveResourcesInfo().filter((kind) => kind === 'Timeout').length;
    const before = timers();
    const credentials = new Credentials({ source: () => new Promise<never>(() => {}) });
    const waiting = credentials.current();
    expect(timers()).toBe(before + 1);
    credentials.close();
    await expect(waiting).rejects.toBeInstanceOf(CredentialsError);
    expect(timers()).toBe(before);
  });

  it('does not wait for a provider that hangs', async () => {
    const source = () => new Promise<never>(() => {});
    await expect(new Credentials({ source, timeoutMs }).current()).rejects.toBeInstanceOf(CredentialsError);
  });

  it('forces one refresh when the service rejects an identity, however many requests it had signed', async () => {
    const { credentials, clock, provider } = numbered();
    const old = await credentials.current();
    for (let n = 0; n < 8; n++) credentials.reject(old);
    const fresh = await Promise.all([credentials.current(), credentials.current()]);
    expect(fresh.map(({ accessKeyId }) => accessKeyId)).toEqual(['A1', 'A1']);
    clock.nowMs += MINUTE_MS;
    credentials.reject(old);
    await credentials.current();
    expect(provider.mock.calls.map(([options]) => options?.forceRefresh)).toEqual([false, true]);
  });

  it('does not ask again and again for an identity that stays rejected', async () => {
    const source = vi.fn(async () => ({ accessKeyId: 'SAME', secretAccessKey: 's' }));
    const credentials = new Credentials({ source, timeoutMs });
    for (let n = 0; n < 20; n++) credentials.reject(await credentials.current());
    expect(source.mock.calls.length).toBeLessThanOrEqual(3);
  });

  it('refreshes in time after the clock was set back', async () => {
    const { credentials, clock, provider } = numbered();
    await credentials.current();
    clock.nowMs += 56 * MINUTE_MS;
    provider.mockRejectedValueOnce(new Error('down'));
    await credentials.current();
    await setImmediate();
    clock.nowMs -= MINUTE_MS / 2;
    await credentials.current();
    await setImmediate();
    await expect(credentials.current()).resolves.toMatchObject({ accessKeyId: 'A1' });
  });

  it('takes an identity that looks expired, and does not ask for another at once', async () => {
    const source = vi.fn(async () => ({ accessKeyId: 'A', secretAccessKey: 's', expiration: new Date(0) }));
    const credentials = new Credentials({ source, timeoutMs });
    for (let n = 0; n < 5; n++)
      await expect(credentials.current()).resolves.toMatchObject({ accessKeyId: 'A' });
    expect(source.mock.calls.length).toBeLessThanOrEqual(2);
  });

  it.each([
    ['nothing', undefined],
    ['a text', 'AKID'],
    ['no secret', { accessKeyId: 'AKID' }],
    ['a line feed', { accessKeyId: 'AKID\n', secretAccessKey: 'secret' }],
    ['a text for a date', { accessKeyId: 'AKID', secretAccessKey: 'secret', expiration: '2026-01-01' }],
  ])('refuses %s for an identity without saying what is in it, and recovers', async (_name, answer) => {
    const { credentials, provider } = numbered();
    provider.mockResolvedValueOnce(answer as never);
    const error = await credentials.current().catch((reason: unknown) => reason);
    expect(error).toBeInstanceOf(CredentialsError);
    expect((error as Error).message).toMatch(/no identity/);
    expect((error as Error).message).not.toMatch(/AKID\n|"secret"/);
    await expect(credentials.current()).resolves.toMatchObject({ accessKeyId: 'A0' });
  });
});
