import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { DeliveryTimeoutError, RecordFailure } from '../../lib/producer/errors.ts';
import { Arrivals } from '../../lib/sidecar/arrivals.ts';
import { Budget } from '../../lib/sidecar/budget.ts';
import { toldError } from '../../lib/sidecar/kinesis-error.ts';
import { isSynthetic, SyntheticNumbers } from '../../lib/sidecar/synthetic.ts';
import { ToldShards } from '../../lib/sidecar/told-shards.ts';

describe('synthetic sequence numbers', () => {
  it('grow, whatever the clock does', () => {
    fc.assert(
      fc.property(fc.array(fc.integer({ min: 0, max: 2 ** 45 }), { minLength: 2 }), (clock) => {
        let at = 0;
        const numbers = new SyntheticNumbers(() => clock[at++] as number);
        const made = clock.map(() => BigInt(numbers.next()));
        expect(made.every((number, n) => n === 0 || number > (made[n - 1] as bigint))).toBe(true);
      }),
    );
  });

  it('are known from those of Kinesis, and greater', () => {
    const ours = new SyntheticNumbers(() => 1_700_000_000_000).next();
    const theirs = '49671246667567228643283430150187087032200000000000000000';
    expect([isSynthetic(ours), isSynthetic(theirs)]).toEqual([true, false]);
    expect(BigInt(ours) > BigInt(theirs)).toBe(true);
  });
});

describe('the shards that clients were told', () => {
  const listed = (ShardId: string, from: bigint, to: bigint, closed = false) => ({
    ShardId,
    HashKeyRange: { StartingHashKey: String(from), EndingHashKey: String(to) },
    SequenceNumberRange: { StartingSequenceNumber: '1', ...(closed && { EndingSequenceNumber: '2' }) },
  });
  const ALL = 2n ** 128n - 1n;

  it('hold each hash key, in any order and over pages, without those that are closed', () => {
    const told = new ToldShards();
    told.learn([listed('shardId-2', 100n, ALL), listed('shardId-0', 0n, ALL, true)], {
      region: 'a',
      first: true,
    });
    told.learn([listed('shardId-1', 0n, 99n)], { region: 'a', first: false });
    const shardOf = (explicitHashKey: string) => told.shardOf({ partitionKey: 'k', explicitHashKey });
    expect(['0', '99', '100', String(ALL)].map(shardOf)).toEqual([
      'shardId-1',
      'shardId-1',
      'shardId-2',
      'shardId-2',
    ]);
    expect([told.areNotOf('a'), told.areNotOf('b')]).toEqual([false, true]);
  });

  it('are none before a client asks, and nothing that is no list of shards', () => {
    const told = new ToldShards();
    told.learn([null, 3, {}, { ShardId: 'a"b', HashKeyRange: { EndingHashKey: '1' } }], {
      region: 'a',
      first: true,
    });
    expect(told.shardOf({ partitionKey: 'k', explicitHashKey: undefined })).toBe('shardId-000000000000');
    expect(new ToldShards().areNotOf('a')).toBe(false);
  });
});

describe('arrivals', () => {
  it('act in their order, whichever is ready first, and do not wait for one that is gone', () => {
    const arrivals = new Arrivals();
    const acted: number[] = [];
    const places = [0, 1, 2, 3].map(() => arrivals.enter());
    places[3]?.ready(() => acted.push(3));
    places[1]?.ready(() => acted.push(1));
    expect(acted).toEqual([]);
    places[0]?.ready(() => acted.push(0));
    expect(acted).toEqual([0, 1]);
    places[2]?.leave();
    expect(acted).toEqual([0, 1, 3]);
  });
});

describe('the budget', () => {
  it('counts what is in progress, and refuses what goes beyond', () => {
    const budget = new Budget({ maxRequests: 2, maxBytes: 10 });
    expect([budget.begin(), budget.begin(), budget.begin()]).toEqual([true, true, false]);
    expect([budget.hold(10), budget.hold(1)]).toEqual([true, false]);
    budget.end(10);
    expect([budget.begin(), budget.hold(1), budget.requests, budget.bytes]).toEqual([true, true, 2, 1]);
  });
});

describe('the errors of the producer', () => {
  it.each([
    [new RecordFailure('AccessDeniedException', 'no'), 'AccessDeniedException', 400],
    [new RecordFailure('InternalFailure', 'no'), 'InternalFailure', 500],
    [Object.assign(new Error('no'), { name: 'ServiceUnavailableException' }), 'InternalFailure', 500],
    [new TypeError('no'), 'InternalFailure', 500],
    [new DeliveryTimeoutError('late'), 'InternalFailure', 500],
  ])('%s is told as %s', (error, code, status) => {
    expect(toldError(error)).toMatchObject({ code, status });
  });
});
