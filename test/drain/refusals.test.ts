import { readFile, writeFile } from 'node:fs/promises';
import { describe, expect, it } from 'vitest';
import { DrainUsageError } from '../../lib/drain/errors.ts';
import type { DrainPlan } from '../../lib/drain/plan.ts';
import { makeStream, putAll } from './fixtures/kinesis.ts';
import { clientFor } from './fixtures/plain-client.ts';
import { drainWorld, EAST, numbered } from './fixtures/world.ts';

const world = drainWorld();

describe('a checkpoint', () => {
  it('of another drain is refused, and says what differs', async () => {
    const first = await world.plan();
    await world.run({ plan: first });
    await makeStream(clientFor(world.kinesis.url, 'eu-west-1'), world.stream);
    const others: readonly [Partial<DrainPlan>, RegExp][] = [
      [{ fromMs: 1 }, /the beginning is/],
      [{ toMs: first.toMs + 1 }, /the end is/],
      [{ to: { region: 'eu-west-1', stream: world.stream } }, /the target is/],
      [{ envelope: true }, /--envelope is/],
    ];
    for (const [other, difference] of others) {
      const error = await world.run({ plan: { ...first, ...other } }).catch((reason: unknown) => reason);
      expect(error).toBeInstanceOf(DrainUsageError);
      expect((error as Error).message).toMatch(difference);
    }
  });

  it.each(['', '{', '{}', '{"format":"spillway-drain","version":2}'])(
    'that reads %j is refused',
    async (text) => {
      await writeFile(world.checkpointFile, text);
      await expect(world.run()).rejects.toBeInstanceOf(DrainUsageError);
      expect(await readFile(world.checkpointFile, 'utf8')).toBe(text);
    },
  );

  it('serves one drain at a time', async () => {
    await putAll(world.east, world.stream, numbered(0, 5));
    // Either of them may be the first at the lock.
    const ended = await Promise.allSettled([world.run(), world.run()]);
    const refused = ended.flatMap((end) => (end.status === 'rejected' ? [String(end.reason)] : []));
    expect(refused).toEqual([expect.stringMatching(/Another drain is using/)]);
  });
});

it.each([
  ['a window that ends before it begins', (now: number) => ({ fromMs: now - 1, toMs: now - 2 })],
  ['a window that has not ended', (now: number) => ({ toMs: now + 60_000 })],
  [
    'an ARN of another region',
    () => ({ from: { region: EAST, stream: 'arn:aws:kinesis:eu-west-1:111122223333:stream/orders' } }),
  ],
  ['one stream as both ends', () => ({ to: { region: EAST, stream: world.stream } })],
])('refuses %s', async (_what, wrong) => {
  const asked = { ...(await world.plan()), ...wrong(Date.now()) };
  await expect(world.run({ plan: asked })).rejects.toBeInstanceOf(DrainUsageError);
  expect(world.tap.calls).toEqual([]);
});
