import { setTimeout as sleep } from 'node:timers/promises';
import fc from 'fast-check';
import { expect, it } from 'vitest';
import { MoveOrderChecker, unwrap } from '../../../lib/consumer/index.ts';
import { Entry, Ticket } from '../../../lib/producer/entry.ts';
import { enveloping } from '../../../lib/producer/enveloping.ts';
import { limitsOf } from '../../../lib/producer/options.ts';
import type { OutgoingRecord } from '../../../lib/producer/record.ts';
import { Sender } from '../../../lib/producer/sender.ts';
import type { Transport } from '../../../lib/producer/transport.ts';
import { EAST, type Landed, type Streams, WEST } from './model.ts';
import { readAll } from './reading.ts';

const options = { signal: { name: 'signal.orders.example.com' }, regions: [EAST, WEST] };
const limits = limitsOf({ ...options, retryBaseMs: 1, retryMaxMs: 2, lingerMs: 0, maxBatchRecords: 5 });

type Fate = 'taken' | 'failed' | 'answer lost' | 'answer lost, and late';

/** The producer's own sender and envelopes, between streams in memory whose answers get lost. */
function world(fate: () => Fate) {
  const streams: Record<string, Landed[]> = { [EAST]: [], [WEST]: [] };
  let landing = 0;
  const land = (region: string, records: readonly OutgoingRecord[]): void => {
    for (const { partitionKey, data } of records) {
      const record = unwrap(data);
      if (!record.enveloped) throw new Error('not in an envelope');
      streams[region]?.push({ ...record, partitionKey, region, arrivedAtMs: performance.now() });
    }
  };
  const transport: Transport = {
    async send({ region, records }) {
      const now = fate();
      if (now === 'failed') throw Object.assign(new Error('500'), { name: 'InternalFailure' });
      if (now === 'answer lost, and late') {
        landing++;
        setTimeout(() => {
          land(region, records);
          landing--;
        }, 2);
      } else land(region, records);
      await sleep(0);
      if (now !== 'taken') throw Object.assign(new Error('no answer'), { name: 'TimeoutError' });
      return records.map((_, at) => ({ region, shardId: 'shardId-000000000000', sequenceNumber: `${at}` }));
    },
    close() {},
  };
  const { wrap, moved } = enveloping();
  const sender = new Sender({
    ...{ limits, ordered: true, deliveryTimeoutMs: undefined, transport, random: Math.random },
    now: () => performance.now(),
    hooks: { onRetry() {}, onRefused() {}, onOverdue() {}, onProgress() {} },
  });
  sender.aim({ region: EAST, stream: 'orders' });
  return {
    streams,
    put(partitionKey: string): Promise<unknown> {
      const owner = new Ticket(1, performance.now());
      const data = wrap(partitionKey, Buffer.from('x'));
      sender.add(new Entry({ partitionKey, data }, { owner, index: 0, size: data.byteLength }));
      sender.offered();
      return owner.promise;
    },
    async move(region: string): Promise<void> {
      // No request that timed out is carried out after the producer has moved away and back.
      while (landing > 0) await sleep(1);
      moved();
      sender.aim({ region, stream: 'orders' });
    },
    async end(): Promise<void> {
      while (landing > 0) await sleep(1);
      sender.close();
    },
  };
}

const fates: fc.Arbitrary<Fate> = fc.constantFrom(
  'taken',
  'taken',
  'failed',
  'answer lost',
  'answer lost, and late',
);

it('what the real sender writes in three moves is never wrong, and a record taken out is missing', async () => {
  let elsewhere = 0;
  await fc.assert(
    fc.asyncProperty(
      fc.array(fc.integer({ min: 1, max: 20 }), { minLength: 4, maxLength: 4 }),
      fc.infiniteStream(fates),
      fc.integer(),
      async (bursts, luck, seed) => {
        const { streams, put, move, end } = world(() => luck.next().value ?? 'taken');
        const puts: Promise<unknown>[] = [];
        for (const [at, burst] of bursts.entries()) {
          if (at > 0) await move(at % 2 === 0 ? EAST : WEST);
          for (let n = 0; n < burst; n++) puts.push(put(`k${n % 3}`));
          await sleep(seed % 4);
        }
        await Promise.all(puts);
        await end();
        const { verdicts, wrong } = readAll(streams, seed);
        expect(wrong).toEqual([]);
        elsewhere += verdicts.filter(({ verdict }) => verdict.kind === 'elsewhere').length;
        expect(new Set(verdicts.map(({ record }) => placeOf(record))).size).toBe(puts.length);
        expectMissing(streams);
      },
    ),
    { numRuns: 30 },
  );
  expect(elsewhere).toBeGreaterThan(0);
});

const placeOf = ({ partitionKey, epoch, sequence }: Landed): string => `${partitionKey} ${epoch}.${sequence}`;

/** Takes out the first record after another one of its key that has one more after it. */
function expectMissing(streams: Streams): void {
  const records = Object.values(streams).flat();
  const has = (partitionKey: string, epoch: number, sequence: number): boolean =>
    records.some(
      (one) => one.partitionKey === partitionKey && one.epoch === epoch && one.sequence === sequence,
    );
  const lost = records.find(
    ({ partitionKey, epoch, sequence }) => sequence > 1 && has(partitionKey, epoch, sequence + 1),
  );
  if (lost === undefined) return;
  const checker = new MoveOrderChecker();
  for (const record of records) if (placeOf(record) !== placeOf(lost)) checker.check(record);
  const { partitionKey, epoch, sequence } = lost;
  expect(checker.settle()).toMatchObject([
    { kind: 'missing', partitionKey, epoch, from: sequence, to: sequence },
  ]);
}
