import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { countedIn, tallyOf } from '../../../lambda/core/beacon-item.ts';
import { failureClassOf } from '../../../lib/producer/beacons/failure-class.ts';
import { Tally } from '../../../lib/producer/beacons/tally.ts';
import { Entry, Ticket } from '../../../lib/producer/entry.ts';
import { RecordFailure } from '../../../lib/producer/errors.ts';
import { limitsOf } from '../../../lib/producer/options.ts';
import { Sender } from '../../../lib/producer/sender.ts';
import type { RecordResult, Transport } from '../../../lib/producer/transport.ts';
import { RequestTimeoutError } from '../../../lib/producer/wire/errors.ts';

const limits = limitsOf({
  signal: { name: 'signal.orders.example.com' },
  regions: ['us-east-1', 'us-west-2'],
});
const PUT_EVERY_MS = 100;
/** What the stream does with a record; `hang` holds up the whole request until its time-out. */
type Fate = 'take' | 'fail' | 'throttle' | 'hang';

/** A sender whose stream treats each record as a test says, in time that tests let pass. */
class World {
  fate: (key: string) => Fate = () => 'take';
  #put = 0;
  readonly #tallies: Readonly<Record<string, Tally>> = { 'us-east-1': new Tally(), 'us-west-2': new Tally() };
  readonly #sender: Sender;

  constructor({ ordered = true }: { readonly ordered?: boolean } = {}) {
    const transport: Transport = {
      send: async ({ region, records }) => {
        const fates = records.map(({ partitionKey }) => this.fate(partitionKey));
        if (fates.includes('hang')) {
          await new Promise((resolve) => setTimeout(resolve, 500));
          throw new RequestTimeoutError(500);
        }
        return fates.map((fate): RecordResult => {
          if (fate === 'fail') return new RecordFailure('InternalFailure', 'sorry');
          if (fate === 'throttle')
            return new RecordFailure('ProvisionedThroughputExceededException', 'slow down');
          return { region, shardId: 'shardId-000000000000', sequenceNumber: '1' };
        });
      },
      close() {},
    };
    this.#sender = new Sender({
      limits,
      ordered,
      deliveryTimeoutMs: 120_000,
      transport,
      random: () => 0.5,
      now: () => performance.now(),
      hooks: {
        onRetry() {},
        onRefused() {},
        onOverdue() {},
        onProgress() {},
        onAnswer: ({ region, records, tookMs, refused, failure }) => {
          const tally = this.#tallies[region] as Tally;
          const nowMs = performance.now();
          tally.answered(failure === undefined ? records - refused.length : 0, { nowMs, tookMs });
          if (failure === undefined) tally.refused(refused, nowMs);
          else tally.failed(records, { nowMs, as: failureClassOf(failure) });
        },
      },
    });
    this.aim('us-east-1');
  }

  aim(region: string): void {
    this.#sender.aim({ region, stream: 'orders' });
  }

  /** Puts as many records a second as it is told, whose keys are drawn from so many, and lets time pass. */
  async pass(ms: number, { perSecond = 100, keys = Number.POSITIVE_INFINITY } = {}): Promise<void> {
    let owed = 0;
    for (let passedMs = 0; passedMs < ms; passedMs += PUT_EVERY_MS) {
      owed += (perSecond * PUT_EVERY_MS) / 1_000;
      for (; owed >= 1; owed--) {
        const partitionKey = `k${keys === Number.POSITIVE_INFINITY ? this.#put : this.#put % keys}`;
        this.#put++;
        const owner = new Ticket(1, performance.now());
        this.#sender.add(new Entry({ partitionKey, data: Buffer.from('x') }, { owner, index: 0, size: 10 }));
        this.#sender.offered();
      }
      await vi.advanceTimersByTimeAsync(PUT_EVERY_MS);
    }
  }

  seen(region = 'us-east-1'): { readonly counted: number; readonly share: number } {
    const { counted, failed } = countedIn(tallyOf(this.#tallies[region]?.window(performance.now()) ?? []));
    return { counted, share: failed / counted };
  }

  close(): void {
    this.#sender.close();
  }
}

const everyFiftieth = (key: string): Fate => (/[05]7$/.test(key) ? 'fail' : 'take');
let world: World;
beforeEach(() => {
  vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout', 'performance'], now: 0 });
  vi.advanceTimersByTime(1_000);
});
afterEach(() => {
  world.close();
  vi.useRealTimers();
});

describe('the share of failures that a producer reports', () => {
  it.each([
    ['kept in order by their keys', true],
    ['sent in no order', false],
  ])(
    'is that of the records that fail for good, however often they are tried: %s',
    async (_what, ordered) => {
      world = new World({ ordered });
      world.fate = everyFiftieth;
      await world.pass(60_000);
      const { counted, share } = world.seen();
      expect(counted).toBeGreaterThan(500);
      expect(share).toBeGreaterThan(0.01);
      expect(share).toBeLessThan(0.04);
    },
  );

  it('has the records that wait behind a failed one of their key', async () => {
    world = new World();
    world.fate = (key) => (/[012]$/.test(key) ? 'fail' : 'take');
    await world.pass(30_000, { keys: 100 });
    expect(world.seen().share).toBeCloseTo(0.3, 1);
  });

  it.each([
    [2, 60_000],
    [100, 110_000],
    [1_000, 30_000],
  ])('is all, of at least twenty, while nothing gets through: %i records a second', async (perSecond, ms) => {
    world = new World();
    await world.pass(10_000, { perSecond });
    world.fate = () => 'hang';
    await world.pass(15_000, { perSecond });
    for (let passedMs = 15_000; passedMs < ms; passedMs += 5_000) {
      await world.pass(5_000, { perSecond });
      const { counted, share } = world.seen();
      expect(counted).toBeGreaterThanOrEqual(20);
      expect(share).toBe(1);
    }
  });

  it('is all while a producer that can put no more only tries again', async () => {
    world = new World();
    await world.pass(10_000);
    world.fate = () => 'hang';
    await world.pass(5_000);
    for (let n = 0; n < 8; n++) {
      await world.pass(10_000, { perSecond: 0 });
      expect(world.seen().share).toBe(1);
      expect(world.seen().counted).toBeGreaterThanOrEqual(20);
    }
  });

  it('is none soon after the region takes records again', async () => {
    world = new World();
    world.fate = () => 'hang';
    await world.pass(20_000);
    world.fate = () => 'take';
    await world.pass(12_000);
    expect(world.seen()).toEqual({ counted: expect.any(Number), share: 0 });
    expect(world.seen().counted).toBeGreaterThanOrEqual(500);
  });

  it('is not made by an old record that fails, while little is put and all of that is taken', async () => {
    world = new World();
    world.fate = (key) => (/^k.$/.test(key) ? 'fail' : 'take');
    await world.pass(5_000, { perSecond: 2 });
    await world.pass(100_000, { perSecond: 0.5 });
    expect(world.seen().share).toBe(0);
  });

  it('has no throttled record, and has it once it is taken', async () => {
    world = new World();
    world.fate = () => 'throttle';
    await world.pass(3_000);
    world.fate = () => 'take';
    await world.pass(1_000, { perSecond: 0 });
    expect(world.seen()).toEqual({ counted: 300, share: 0 });
  });

  it('begins anew in another region', async () => {
    world = new World();
    world.fate = () => 'hang';
    await world.pass(3_000, { perSecond: 1_000 });
    world.fate = () => 'take';
    world.aim('us-west-2');
    await world.pass(2_000, { perSecond: 0 });
    expect(world.seen('us-west-2')).toEqual({ counted: 3_000, share: 0 });
  });
});
