import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import {
  type BeaconItem,
  HEALTH_INTERVAL_MS,
  MOST_BEACON_BYTES,
  TROUBLE_INTERVAL_MS,
} from '../../../lambda/core/beacon-item.ts';
import { readBeacon } from '../../../lambda/core/beacon-schema.ts';
import { beaconCalls } from '../../../lib/producer/beacons/beacon-calls.ts';
import { type Answer, BeaconReporter } from '../../../lib/producer/beacons/reporter.ts';
import { RequestTimeoutError } from '../../../lib/producer/wire/errors.ts';
import { denied, type FakeStandby, plainItem, startFakeStandby } from './fake-standby.ts';

const WALL_MS = 1_800_000_000_000;

/** A reporter in time that tests let pass, which writes to a real socket. */
class World {
  nowMs = 1_000;
  lagMs = 0;
  readonly problems: string[] = [];
  readonly reporter: BeaconReporter;
  #timer: { readonly atMs: number; readonly run: () => void } | undefined;

  constructor(standby: FakeStandby) {
    this.reporter = new BeaconReporter({
      calls: beaconCalls({
        table: 'shop-beacons',
        region: 'us-west-2',
        endpoint: standby.url,
        credentials: { accessKeyId: 'test', secretAccessKey: 'test' },
      }),
      domain: 'use1-az1',
      onProblem: (problem) => this.problems.push(problem),
      parts: {
        now: () => this.nowMs,
        wallMs: () => WALL_MS + this.nowMs,
        random: () => 0.5,
        after: (ms, run) => {
          const timer = { atMs: this.nowMs + ms, run };
          this.#timer = timer;
          return () => {
            if (this.#timer === timer) this.#timer = undefined;
          };
        },
        lag: { take: () => this.lagMs, stop: () => {} },
      },
    });
  }

  answered(change: Partial<Answer> = {}): void {
    const answer = { region: 'us-east-1', stream: 'orders', records: 500, tookMs: 20, refused: [] };
    this.reporter.answered({ ...answer, ...change });
  }

  failed(change: Partial<Answer> = {}): void {
    this.answered({ failure: new RequestTimeoutError(3_000), tookMs: 3_000, ...change });
  }

  /** Lets time pass; `meanwhile` runs once a second. */
  async pass(ms: number, meanwhile: () => void = () => {}): Promise<void> {
    const untilMs = this.nowMs + ms;
    while (this.nowMs < untilMs) {
      const next = Math.min(untilMs, this.nowMs + 1_000);
      while (this.#timer !== undefined && this.#timer.atMs <= next) await this.#fire(this.#timer);
      this.nowMs = next;
      meanwhile();
    }
  }

  async #fire(timer: { readonly atMs: number; readonly run: () => void }): Promise<void> {
    this.nowMs = Math.max(this.nowMs, timer.atMs);
    this.#timer = undefined;
    timer.run();
    // The next timer is set when the beat is over.
    await vi.waitFor(() => expect(this.#timer).toBeDefined(), { timeout: 10_000, interval: 2 });
  }
}

let standby: FakeStandby;
let world: World;
beforeEach(async () => {
  standby = await startFakeStandby();
  world = new World(standby);
});
afterEach(async () => {
  world.reporter.close();
  await standby.close();
});

const written = (): readonly BeaconItem[] => standby.items.map(plainItem) as unknown as readonly BeaconItem[];

describe('a reporter in health', () => {
  it('writes what was put, under its own name, and what it writes is understood', async () => {
    world.answered();
    world.answered({ tookMs: 80 });
    await world.pass(10_000);
    const [item, ...more] = written();
    expect(more).toEqual([]);
    expect(readBeacon(item)).toEqual({
      ok: true,
      beacon: expect.objectContaining({
        source: 'AROAEXAMPLE:task-1',
        stream: 'orders',
        sequence: 1,
        atMs: WALL_MS + 6_000,
        intervalMs: HEALTH_INTERVAL_MS,
        domain: 'use1-az1',
        trouble: false,
        regions: { 'us-east-1': expect.objectContaining({ ok: 1_000, latency: [1, 0, 1, 0, 0, 0, 0, 0] }) },
      }),
    });
    expect(item).not.toHaveProperty('trouble');
  });

  it('writes once in its interval, a little early, and asks who it is once', async () => {
    await world.pass(600_000, () => world.answered());
    // From the sixth second on, each 81 s.
    expect(standby.items).toHaveLength(8);
    const times = written().map(({ at }) => at);
    expect(times[1]).toBe((times[0] as number) + 0.9 * HEALTH_INTERVAL_MS);
    expect(standby.calls.filter((call) => call === 'GetCallerIdentity')).toHaveLength(1);
    expect(standby.calls.filter((call) => call === 'GetItem')).toHaveLength(1);
    expect(written().map(({ seq }) => seq)).toEqual([1, 2, 3, 4, 5, 6, 7, 8]);
  });

  it('writes nothing while nothing is put', async () => {
    world.answered();
    await world.pass(600_000);
    expect(standby.items).toHaveLength(1);
  });

  it('writes as seldom as the fleet is large, within a quarter of an hour', async () => {
    standby.fleetEveryMs = 200_000;
    await world.pass(600_000, () => world.answered());
    expect(written().map(({ every }) => every)).toEqual([200_000, 200_000, 200_000, 200_000]);
    standby.fleetEveryMs = 9e9;
    await world.pass(1_000_000, () => world.answered());
    expect(written().at(-1)?.every).toBe(900_000);
  });

  it('does without the size of the fleet when it may not read it', async () => {
    standby.refuse = (operation) => (operation === 'GetItem' ? denied : undefined);
    await world.pass(100_000, () => world.answered());
    expect(written().map(({ every }) => every)).toEqual([90_000, 90_000]);
    expect(world.problems).toEqual([]);
  });

  it('writes an item for each stream, and keeps each below a kilobyte', async () => {
    const regions = ['ap-southeast-2', 'ap-northeast-3', 'eu-central-1', 'us-east-1'];
    standby.userId = `AROA${'X'.repeat(17)}:${'s'.repeat(64)}`;
    for (const stream of ['a'.repeat(128), 'orders']) {
      for (const region of regions) {
        world.answered({ stream, region, records: 99_999_999 });
        world.failed({ stream, region, records: 99_999_999 });
      }
    }
    await world.pass(10_000);
    expect(new Set(written().map(({ sk }) => sk.slice(37)))).toEqual(new Set(['a'.repeat(128), 'orders']));
    for (const item of standby.items) expect(bytesOf({ M: item })).toBeLessThanOrEqual(MOST_BEACON_BYTES);
    for (const item of written()) expect(readBeacon(item).ok).toBe(true);
  });
});

describe('a reporter in trouble', () => {
  it('says so within five seconds, goes on each five seconds, and says when it is over', async () => {
    await world.pass(60_000, () => world.answered());
    const before = standby.items.length;
    await world.pass(30_000, () => world.failed());
    const trouble = written().slice(before);
    expect(trouble.length).toBeGreaterThanOrEqual(6);
    expect(trouble[0]).toMatchObject({ every: TROUBLE_INTERVAL_MS, trouble: trouble[0]?.sk.slice(0, 36) });
    expect((trouble[0] as BeaconItem).at - (WALL_MS + 62_000)).toBeLessThanOrEqual(TROUBLE_INTERVAL_MS);
    expect(trouble.at(-1)?.regions['us-east-1']?.slice(0, 3)).toEqual([0, 0, expect.any(Number)]);
    await world.pass(60_000, () => world.answered());
    const after = written();
    expect(after.at(-1)).toMatchObject({ every: HEALTH_INTERVAL_MS });
    expect(after.at(-1)).not.toHaveProperty('trouble');
    expect(after.length).toBeLessThan(before + trouble.length + 5);
  });

  it('is not in trouble for a failure among a hundred, or for its own fault', async () => {
    await world.pass(20_000, () => world.answered());
    const before = standby.items.length;
    world.failed({ records: 1 });
    world.answered({ failure: Object.assign(new Error('no'), { name: 'AccessDeniedException' }) });
    await world.pass(10_000, () => world.answered());
    expect(standby.items.length).toBe(before);
  });

  it('reports trouble for the stream that has it alone', async () => {
    await world.pass(60_000, () => {
      world.answered({ stream: 'clicks' });
      world.failed();
    });
    const of = (stream: string) => written().filter(({ sk }) => sk.endsWith(`/${stream}`)).length;
    expect(of('clicks')).toBe(1);
    expect(of('orders')).toBeGreaterThan(9);
  });

  it('tells how late its event loop ran', async () => {
    world.lagMs = 2_345;
    world.answered();
    await world.pass(10_000);
    expect(written()[0]?.lag).toBe(2_345);
  });
});

describe('a reporter that cannot write', () => {
  it('without the right says so once, and tries again each quarter of an hour', async () => {
    standby.refuse = (operation) => (operation === 'PutItem' ? denied : undefined);
    await world.pass(3_600_000, () => world.answered());
    expect(world.problems).toEqual([expect.stringMatching(/AccessDeniedException.*beacon-writer/)]);
    const puts = standby.calls.filter((call) => call === 'PutItem').length;
    expect(puts).toBeGreaterThanOrEqual(4);
    expect(puts).toBeLessThanOrEqual(5);
    standby.refuse = () => undefined;
    await world.pass(900_000, () => world.answered());
    expect(standby.items.length).toBeGreaterThan(0);
  });

  it('asks for its name again when it has changed with the credentials', async () => {
    await world.pass(10_000, () => world.answered());
    standby.userId = 'AROAEXAMPLE:task-2';
    standby.refuse = (operation, item) =>
      operation === 'PutItem' && item?.pk?.S !== standby.userId ? denied : undefined;
    await world.pass(300_000, () => world.answered());
    expect(written().at(-1)?.pk).toBe('AROAEXAMPLE:task-2');
    expect(world.problems).toEqual([]);
  });

  it('says nothing of a single failure, and something of the third in a row', async () => {
    standby.refuse = (operation) =>
      operation === 'PutItem' ? { status: 500, type: 'InternalServerError' } : undefined;
    await world.pass(100_000, () => world.answered());
    expect(world.problems).toEqual([]);
    await world.pass(100_000, () => world.answered());
    expect(world.problems).toEqual([expect.stringContaining('InternalServerError')]);
    const puts = standby.calls.filter((call) => call === 'PutItem').length;
    expect(puts).toBe(3);
  });

  it('asks STS again after a minute', async () => {
    standby.refuse = (operation) =>
      operation === 'GetCallerIdentity' ? { status: 503, type: 'ServiceUnavailable' } : undefined;
    await world.pass(50_000, () => world.failed());
    expect(standby.calls.filter((call) => call === 'GetCallerIdentity')).toHaveLength(1);
    standby.refuse = () => undefined;
    await world.pass(30_000, () => world.failed());
    expect(standby.items.length).toBeGreaterThan(0);
  });

  it('gives up a call that hangs, and writes the next beacon', { timeout: 20_000 }, async () => {
    let hangs = true;
    standby.refuse = (operation) => (operation === 'PutItem' && hangs ? 'hang' : undefined);
    world.answered();
    await world.pass(10_000);
    hangs = false;
    await world.pass(100_000, () => world.answered());
    expect(standby.items.length).toBe(1);
  });

  it('reports a thousand streams, and says that there are more', async () => {
    for (let n = 0; n < 1_100; n++) world.answered({ stream: `stream-${n}` });
    await world.pass(10_000);
    expect(standby.items).toHaveLength(1_000);
    expect(world.problems).toEqual([expect.stringContaining('more than 1000 streams')]);
  });
});

it('stops when it is closed, even while a call is under way', async () => {
  let arrived = () => {};
  const hung = new Promise<void>((resolve) => {
    arrived = resolve;
  });
  standby.refuse = () => {
    arrived();
    return 'hang';
  };
  world.answered();
  void world.pass(10_000).catch(() => {});
  await hung;
  world.reporter.close();
  world.failed();
  expect(standby.items).toEqual([]);
  expect(world.problems).toEqual([]);
});

/**
 * Bytes by DynamoDB's own rules ("DynamoDB item sizes and formats", Amazon DynamoDB Developer Guide): names and texts in
 * UTF-8, a number about one byte per two digits and one more, three bytes for a list or map and one for each element.
 */
function bytesOf({ S, N, L, M }: Parameters<typeof import('./fake-standby.ts').plain>[0]): number {
  if (S !== undefined) return Buffer.byteLength(S);
  if (N !== undefined) return Math.ceil(N.length / 2) + 1;
  if (L !== undefined) return 3 + L.reduce((sum, each) => sum + 1 + bytesOf(each), 0);
  return 3 + Object.entries(M ?? {}).reduce((sum, [name, each]) => sum + 1 + name.length + bytesOf(each), 0);
}
