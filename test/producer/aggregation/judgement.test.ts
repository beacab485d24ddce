import { setTimeout as sleep } from 'node:timers/promises';
import { afterEach, beforeEach, expect, it } from 'vitest';
import type { Aggregate } from '../../../lib/producer/aggregation/aggregate.ts';
import { Aggregation } from '../../../lib/producer/aggregation/aggregation.ts';
import type { ShardRange } from '../../../lib/producer/aggregation/shard-map.ts';
import { Entry, type EntryOwner } from '../../../lib/producer/entry.ts';
import { Lanes } from '../../../lib/producer/lanes.ts';
import { ShardRing } from '../sink/shard-ring.ts';

const owner: EntryOwner = { acceptedAtMs: 0, settle: () => {}, fail: () => {} };
const KEYS = 40;
let rings: Readonly<Record<string, ShardRing>>;
let placed: Aggregate[];
let misplaced: Aggregate[];
let aggregation: Aggregation;
let lanes: Lanes;

beforeEach(() => {
  rings = { 'us-east-1': new ShardRing(2), 'us-west-2': new ShardRing(1) };
  placed = [];
  misplaced = [];
  lanes = new Lanes({ ordered: true, records: 1_000, random: () => 0.5 });
  aggregation = new Aggregation({
    rules: { by: 'shard', targetBytes: 50_000, mostBytes: 50_000, lingerMs: 0 },
    lanes,
    ordered: true,
    maxInFlight: 4,
    transport: { listShards: async ({ region }) => rangesOf(region) },
    mayAggregate: () => true,
    random: () => 0.5,
    now: () => performance.now(),
    hooks: {
      onBroken: () => {},
      onPlaced: (one) => placed.push(one),
      onMisplaced: (one) => misplaced.push(one),
      onChange: () => {},
      onProblem: () => {},
    },
  });
});
afterEach(() => aggregation.close());

const rangesOf = (region: string): readonly ShardRange[] =>
  (rings[region] as ShardRing).open.map((one) => ({ ...one }));
const aim = async (region: string): Promise<void> => {
  aggregation.aim({ region, stream: 'orders' });
  await sleep(1);
};
function taken(name = 'key'): Aggregate[] {
  for (let n = 0; n < KEYS; n++) {
    const record = { partitionKey: `${name}-${n}`, data: Buffer.from('x') };
    lanes.add(new Entry(record, { owner, index: n, size: 7 }));
  }
  aggregation.gather();
  aggregation.closeAll();
  return aggregation.take(500);
}
const place = (region: string, shardId: string) => ({ region, shardId, sequenceNumber: '1' });

it('an aggregate of the former region is not judged by the shards of the next one, which have the same names', async () => {
  const [east, west] = [rings['us-east-1'], new ShardRing(2)];
  rings = { ...rings, 'us-west-2': west };
  // The third shard of either region: here a half of the first one, there all there is.
  west.merge(west.open[0] as NonNullable<(typeof west.open)[0]>);
  await aim('us-east-1');
  const first = taken().find(({ kind }) => kind.shardId === 'shardId-000000000000') as Aggregate;
  east?.split(east.open[0] as NonNullable<(typeof east.open)[0]>);
  await aim('us-west-2');
  expect(aggregation.accepts(first, place('us-east-1', 'shardId-000000000002'))).toBe(false);
  expect(misplaced).toEqual([first]);
  expect(placed).toEqual([]);
});

it('an aggregate in its shard is right, however old the map is', async () => {
  await aim('us-east-1');
  const [first] = taken() as [Aggregate];
  rings['us-east-1']?.split(rings['us-east-1'].open[0] as (typeof rings)['us-east-1']['open'][0]);
  await aim('us-west-2');
  expect(aggregation.accepts(first, place('us-east-1', first.kind.shardId ?? ''))).toBe(true);
});

it('while it is unknown where an aggregate landed, records are grouped by key', async () => {
  await aim('us-east-1');
  const [first] = taken() as [Aggregate];
  const [shard] = rings['us-east-1']?.open ?? [];
  rings['us-east-1']?.split(shard as NonNullable<typeof shard>);
  expect(aggregation.accepts(first, place('us-east-1', 'shardId-000000000002'))).toBe(false);
  expect(misplaced).toEqual([]);
  expect(taken('other').map(({ entries }) => entries.length)).toEqual(new Array(KEYS).fill(1));
  expect([...aggregation.heads()]).toEqual(expect.arrayContaining([...first.heads]));
});
