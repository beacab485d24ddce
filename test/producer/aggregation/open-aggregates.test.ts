import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { decodeAggregate } from '../../../lib/aggregate/decode.ts';
import { MAGIC } from '../../../lib/aggregate/format.ts';
import type { Aggregate } from '../../../lib/producer/aggregation/aggregate.ts';
import { OpenAggregates } from '../../../lib/producer/aggregation/open-aggregates.ts';
import { ShardMap } from '../../../lib/producer/aggregation/shard-map.ts';
import { Entry, type EntryOwner, isWhole } from '../../../lib/producer/entry.ts';
import { Lanes } from '../../../lib/producer/lanes.ts';
import { BodyBuffers } from '../../../lib/producer/wire/body-buffers.ts';
import { ShardRing } from '../sink/shard-ring.ts';

const TARGET_BYTES = 600;
const MOST_BYTES = 2_000;
const LINGER_MS = 10;
const MAX_STEPS = 10_000;
const owner: EntryOwner = { acceptedAtMs: 0, settle: () => {}, fail: () => {} };
const ring = new ShardRing(3);
const map = ShardMap.of(ring.open) as ShardMap;

/** What happens to a sender, one after the other. */
const step = fc.oneof(
  {
    weight: 6,
    arbitrary: fc.record({
      kind: fc.constant('add' as const),
      key: fc.nat(7),
      shape: fc.nat(9),
      bytes: fc.oneof(fc.nat(60), fc.nat(700)),
    }),
  },
  { weight: 2, arbitrary: fc.record({ kind: fc.constant('pass' as const), ms: fc.nat(2 * LINGER_MS) }) },
  {
    weight: 2,
    arbitrary: fc.record({ kind: fc.constant('take' as const), records: fc.integer({ min: 1, max: 4 }) }),
  },
  {
    weight: 2,
    arbitrary: fc.record({ kind: fc.constant('answer' as const), nth: fc.nat(), taken: fc.boolean() }),
  },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('use' as const), mapped: fc.boolean() }) },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('detach' as const), nth: fc.nat() }) },
);

/** Plays the part of the sender, and checks what it is given. */
class World {
  nowMs = 0;
  readonly ordered: boolean;
  readonly lanes: Lanes;
  readonly open: OpenAggregates;
  readonly buffers = new BodyBuffers({ keep: 4 });
  readonly added: Entry[] = [];
  readonly underWay: Aggregate[] = [];
  readonly delivered: Entry[] = [];
  readonly refused: Entry[] = [];
  #mapped = false;

  constructor(ordered: boolean) {
    this.ordered = ordered;
    // Few lanes, so that keys share them.
    this.lanes = new Lanes({ ordered, records: 1, random: () => 0.5 });
    this.open = new OpenAggregates({
      lanes: this.lanes,
      ordered,
      targetBytes: TARGET_BYTES,
      mostBytes: MOST_BYTES,
      lingerMs: LINGER_MS,
      random: () => 0.25,
      now: () => this.nowMs,
      onBroken: (head) => {
        this.refused.push(head);
        this.lanes.done(head);
      },
    });
  }

  add({ key, shape, bytes }: { readonly key: number; readonly shape: number; readonly bytes: number }): void {
    const data = new Uint8Array(new ArrayBuffer(Math.max(bytes, shape === 0 ? 4 : 0)));
    if (shape === 0) data.set(MAGIC);
    const explicitHashKey = shape === 1 ? `${2n ** 127n + BigInt(key)}` : undefined;
    const record = { partitionKey: `key-${key}`, explicitHashKey, data };
    const entry = new Entry(record, { owner, index: this.added.length, size: data.byteLength + 6 });
    this.added.push(entry);
    this.lanes.add(entry);
    this.open.follow(entry);
  }

  take(records: number): void {
    this.open.gather({ apart: false });
    this.open.closeDue();
    for (const aggregate of this.open.take({ records, bytes: 3_000 })) {
      this.#check(aggregate);
      this.underWay.push(aggregate);
    }
  }

  answer(nth: number, taken: boolean): void {
    const [aggregate] = this.underWay.splice(nth % Math.max(1, this.underWay.length), 1);
    if (aggregate === undefined) return;
    if (taken) this.delivered.push(...aggregate.entries);
    for (const head of aggregate.heads) {
      if (taken) this.lanes.doneRun(head);
      else this.lanes.retry(head);
    }
    aggregate.release(this.buffers);
    this.open.recycle(aggregate);
  }

  use(mapped: boolean): void {
    this.#mapped = mapped;
    for (const head of this.open.use(mapped ? map : undefined)) this.lanes.retry(head);
  }

  /** Somebody takes the bytes of a record away, which was not sent yet. */
  detach(nth: number): void {
    const entry = this.added[nth % Math.max(1, this.added.length)];
    const busy = this.underWay.some(({ entries }) => [...entries].includes(entry as Entry));
    if (
      entry !== undefined &&
      entry.dataBytes > 0 &&
      isWhole(entry) &&
      !busy &&
      !this.delivered.includes(entry)
    )
      (entry.data.buffer as ArrayBuffer).transfer();
  }

  finish(): void {
    for (let n = 0; n < MAX_STEPS && this.delivered.length + this.refused.length < this.added.length; n++) {
      this.nowMs += LINGER_MS;
      this.take(4);
      this.answer(0, true);
    }
  }

  #check(aggregate: Aggregate): void {
    const entries = [...aggregate.entries];
    const heads = [...aggregate.heads];
    const record = aggregate.encode(this.buffers);
    const size = record.data.byteLength + Buffer.byteLength(record.partitionKey);
    expect(heads.reduce((sum, { run }) => sum + run, 0)).toBe(entries.length);
    if (entries.length === 1) {
      expect(record).toBe(entries[0]);
      return;
    }
    expect(size).toBeLessThanOrEqual(heads.length === 1 ? MOST_BYTES : TARGET_BYTES);
    const inside = decodeAggregate(record.data) ?? [];
    expect(inside.map(({ partitionKey, data }) => [partitionKey, data.byteLength])).toEqual(
      entries.map(({ partitionKey, dataBytes }) => [partitionKey, dataBytes]),
    );
    const places = new Set(inside.map((one) => ring.shardOf(one).id));
    const keys = new Set(
      inside.map(({ partitionKey, explicitHashKey }) => `${partitionKey}/${explicitHashKey}`),
    );
    expect(places).toEqual(new Set([ring.shardOf(record).id]));
    expect(new Set(inside.map(({ explicitHashKey }) => explicitHashKey === undefined)).size).toBe(1);
    if (this.ordered && !this.#mapped) expect(keys.size).toBe(1);
    const lanesUnderWay = this.underWay.flatMap((other) => [...other.heads].map(({ lane }) => lane));
    if (this.ordered) for (const { lane } of heads) expect(lanesUnderWay).not.toContain(lane);
  }
}

describe('records that are gathered into aggregates', () => {
  it.each([true, false])(
    'all leave once, in the order of their lane, with those they may be with (ordered: %s)',
    (ordered) => {
      fc.assert(
        fc.property(fc.array(step, { maxLength: 150 }), (steps) => {
          const world = new World(ordered);
          for (const one of steps) {
            if (one.kind === 'add') world.add(one);
            else if (one.kind === 'pass') world.nowMs += one.ms;
            else if (one.kind === 'take') world.take(one.records);
            else if (one.kind === 'answer') world.answer(one.nth, one.taken);
            else if (one.kind === 'use') world.use(one.mapped);
            else world.detach(one.nth);
          }
          world.finish();
          const left = [...world.delivered, ...world.refused];
          expect(new Set(left).size).toBe(world.added.length);
          expect(left).toHaveLength(world.added.length);
          if (!ordered) return;
          const lanes = Map.groupBy(world.delivered, ({ lane }) => lane);
          for (const entries of lanes.values()) {
            expect(entries.map(({ index }) => index)).toEqual(
              entries.map(({ index }) => index).toSorted((a, b) => a - b),
            );
          }
        }),
        { numRuns: 300 },
      );
    },
  );

  it('join an aggregate that already waits, so that a key that comes in small steps shares it', () => {
    const world = new World(true);
    world.add({ key: 1, shape: 2, bytes: 10 });
    world.open.gather({ apart: false });
    world.add({ key: 1, shape: 2, bytes: 10 });
    world.add({ key: 1, shape: 2, bytes: 10 });
    world.nowMs += LINGER_MS;
    world.take(4);
    expect(world.underWay.map(({ entries }) => entries.length)).toEqual([3]);
  });
});

describe('a lane', () => {
  /** Keys of one shard, in lanes of their own. */
  const keysOfOneShard = (count: number): number[] => {
    const lanes = new Lanes({ ordered: true, records: 1, random: () => 0.5 });
    const shardOf = (key: number) => ring.shardOf({ partitionKey: `key-${key}` }).id;
    const keys: number[] = [];
    const taken = new Set<number>();
    for (let key = 0; keys.length < count; key++) {
      const lane = lanes.laneOf(`key-${key}`);
      if (taken.has(lane) || (keys[0] !== undefined && shardOf(key) !== shardOf(keys[0]))) continue;
      taken.add(lane);
      keys.push(key);
    }
    return keys;
  };
  const [one = 0, two = 0] = keysOfOneShard(2);
  const gathered = (...keys: readonly number[]): World => {
    const world = new World(true);
    world.use(true);
    for (const key of keys) world.add({ key, shape: 2, bytes: 10 });
    world.open.gather({ apart: false });
    return world;
  };
  const send = (world: World): readonly (readonly number[])[] => {
    world.nowMs += LINGER_MS;
    world.take(4);
    return world.underWay.map(({ entries }) => [...entries].map(({ index }) => index));
  };

  it('keeps its order when one of its records may not join', () => {
    const world = gathered(one);
    world.add({ key: one, shape: 1, bytes: 10 });
    world.add({ key: one, shape: 2, bytes: 10 });
    expect(send(world)).toEqual([[0]]);
  });

  it('joins an aggregate that it shares only while that one takes records', () => {
    const world = gathered(one, two);
    world.open.closeAll();
    world.add({ key: one, shape: 2, bytes: 10 });
    expect(send(world)).toEqual([[0, 1]]);
  });

  it('joins no aggregate of a later time', () => {
    const world = gathered(one);
    send(world);
    world.answer(0, true);
    world.add({ key: two, shape: 2, bytes: 10 });
    world.open.gather({ apart: false });
    world.add({ key: one, shape: 2, bytes: 10 });
    expect(send(world)).toEqual([[1, 2]]);
    world.answer(0, true);
    expect(world.delivered).toHaveLength(3);
  });
});
