import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { Fault } from '../../lib/scenario/schema.ts';
import { defaultFleet, type Lie } from '../../lib/scenario/sources.ts';
import { Calls } from '../../lib/simulator/calls.ts';
import { CellFleet } from '../../lib/simulator/fleet.ts';
import { Fleets } from '../../lib/simulator/fleets.ts';
import { deployed, fault, MINUTE_MS } from './deployed.ts';

const { regions, policy } = deployed;
const SECOND_MS = 1_000;
/** The longest from a failure to the beacon that tells of it, and to the time at which nothing is known of it any more. */
const LONGEST_LAG_MS = 7 * SECOND_MS;
const LONGEST_TRACE_MS = 17 * SECOND_MS;

interface World {
  readonly faults?: readonly Fault[];
  readonly lies?: readonly Lie[];
  readonly instances?: number;
  readonly movedMs?: number;
}

function fleetsWith({ faults = [], lies = [], instances = 40, movedMs }: World): Fleets {
  return new Fleets({
    cells: ['orders', 'clicks'],
    producers: { ...defaultFleet, instances, cells: {} },
    lies,
    regions,
    policy,
    calls: new Calls({ roles: regions, faults, noise: [], latencyMs: () => 50 }),
    seed: 7,
    inStandbySinceMs: (cell) => (cell === 'orders' ? movedMs : undefined),
  });
}

const look = (world: World, atMs: number, cell = 'orders') =>
  fleetsWith(world)
    .look(atMs, { allHome: world.movedMs === undefined })
    .find((each) => each.cell === cell);

const streamFails = (changes: Partial<Fault> = {}): Fault =>
  fault({
    atMs: MINUTE_MS,
    untilMs: 3 * MINUTE_MS,
    where: { region: 'primary', service: 'kinesis', streams: ['orders'] },
    ...changes,
  });
const lie = (share: number, says: Lie['says'] = 'failing'): Lie => ({
  atMs: MINUTE_MS,
  untilMs: 3 * MINUTE_MS,
  cells: ['orders'],
  share,
  says,
});

describe('a fleet', () => {
  test('is well before a fault, while it lasts reports it source by source, and is well again after it', () => {
    const faults = [streamFails()];
    const failing = [-1, 1, 3, 5, LONGEST_LAG_MS / SECOND_MS].map(
      (seconds) => look({ faults }, MINUTE_MS + seconds * SECOND_MS)?.failing ?? -1,
    );

    expect(failing).toEqual([0, 0, ...failing.slice(2, 4), 40]);
    expect(failing[2]).toBeGreaterThan(0);
    expect(failing[3]).toBeGreaterThan(failing[2] ?? 0);
    expect(look({ faults }, 2 * MINUTE_MS)).toMatchObject({ sight: 'failing', sources: 40, failing: 40 });
    expect(look({ faults }, 3 * MINUTE_MS + 10 * SECOND_MS)).toMatchObject({ sight: 'failing', failing: 40 });
    expect(look({ faults }, 3 * MINUTE_MS + LONGEST_TRACE_MS)).toMatchObject({ sight: 'well', failing: 0 });
    expect(look({ faults }, 2 * MINUTE_MS, 'clicks')).toMatchObject({ sight: 'well' });
  });

  test.each([
    ['a throttle', { effect: { kind: 'throttle' } }],
    ['denied access', { effect: { kind: 'error', status: 400, code: 'AccessDeniedException' } }],
    ['what observers alone see', { seenFrom: ['us-east-2'] }],
    ['an eighth of the puts', { rate: 0.12 }],
  ] as const)('does not accuse for %s', (_, changes) => {
    const world = { faults: [streamFails(changes as Partial<Fault>)] };

    expect(look(world, 2 * MINUTE_MS)).toMatchObject({ failing: 0 });
  });

  test.each([
    ['its own endpoint', { seenFrom: ['producers'] }],
    ['everything its region sees', { seenFrom: ['primary'] }],
    ['records that are refused', { effect: { kind: 'partial', code: 'InternalFailure', rate: 0.5 } }],
  ] as const)('accuses for %s', (_, changes) => {
    const world = { faults: [streamFails(changes as Partial<Fault>)] };

    expect(look(world, 2 * MINUTE_MS)).toMatchObject({ sight: 'failing' });
  });

  test('that cannot reach the table is unknown when its beacons have expired, sooner in trouble', () => {
    const cut = fault({
      atMs: 2 * MINUTE_MS,
      untilMs: 20 * MINUTE_MS,
      where: { region: 'standby', service: 'dynamodb' },
      seenFrom: ['primary'],
    });
    const seenAfter = (faults: readonly Fault[], seconds: number) =>
      look({ faults }, 2 * MINUTE_MS + seconds * SECOND_MS);

    expect(seenAfter([cut], 200)).toMatchObject({ sight: 'well', sources: 40 });
    expect(seenAfter([cut], 240)).toMatchObject({ sight: 'unknown', sources: 0 });
    expect(seenAfter([cut, streamFails()], 10)).toMatchObject({ sight: 'failing' });
    expect(seenAfter([cut, streamFails()], 20)).toMatchObject({ sight: 'unknown', sources: 0 });
  });

  test('that has followed its cell speaks of the standby, and says so when it goes on failing there', () => {
    const movedMs = MINUTE_MS;
    const dead = fault({ where: { region: 'standby', service: 'kinesis', streams: ['orders'] } });

    expect(look({ movedMs }, 2 * MINUTE_MS)).toMatchObject({ sight: 'unknown', failing: 0 });
    expect(look({ movedMs, faults: [dead] }, 2 * MINUTE_MS)).toMatchObject({ failsInStandbyToo: true });
  });
});

describe('liars', () => {
  test.each([
    [0.9, 'failing'],
    [0.3, 'suspicious'],
    [0.025, 'well'],
  ])('a share of %d that claims to fail makes the cell %s', (share, sight) => {
    expect(look({ lies: [lie(share)] }, 2 * MINUTE_MS)).toMatchObject({ sight });
    expect(look({ lies: [lie(share)] }, 2 * MINUTE_MS, 'clicks')).toMatchObject({ sight: 'well' });
    expect(look({ lies: [lie(share)] }, 4 * MINUTE_MS)).toMatchObject({ sight: 'well' });
  });

  test('a third that claims to be well does not hide what the others report', () => {
    const world = { faults: [streamFails()], lies: [lie(0.33, 'healthy')] };

    expect(look(world, 2 * MINUTE_MS)).toMatchObject({ sight: 'failing', failing: 27 });
  });
});

test('outside of what is called trouble, nothing that anybody reports matters', () => {
  const span = fc.record({ atMs: fc.nat(600), forMs: fc.integer({ min: 1, max: 120 }) });
  const faults = fc.array(
    fc.tuple(span, fc.constantFrom(0.02, 0.08, 0.15, 0.3, 1), fc.constantFrom('orders', 'clicks')),
    { maxLength: 5 },
  );
  const lies = fc.array(fc.tuple(span, fc.constantFrom(0.01, 0.03, 0.06, 0.2)), { maxLength: 3 });
  fc.assert(
    fc.property(faults, lies, fc.constantFrom(1, 3, 12, 40), (failing, lying, instances) => {
      const within = ({ atMs, forMs }: { readonly atMs: number; readonly forMs: number }) => ({
        atMs: atMs * SECOND_MS,
        untilMs: (atMs + forMs) * SECOND_MS,
      });
      const fleets = fleetsWith({
        instances,
        faults: failing.map(([when, rate, name]) =>
          streamFails({
            ...within(when),
            rate,
            where: { region: 'primary', service: 'kinesis', streams: [name] },
          }),
        ),
        lies: lying.map(([when, share]) => ({ ...lie(share), ...within(when) })),
      });
      for (let atMs = 0; atMs < 750 * SECOND_MS; atMs += 3 * SECOND_MS) {
        const inTrouble = fleets.trouble.some((each) => each.atMs <= atMs && atMs < each.untilMs);
        // As if nothing were known of quiet stretches.
        const seen = fleets.look(atMs, { allHome: false });
        expect(inTrouble || fleets.areCalm(seen)).toBe(true);
        if (!inTrouble) expect(fleets.look(atMs, { allHome: true })).toHaveLength(seen.length);
      }
    }),
    { numRuns: 60 },
  );
});

test('a fleet of ten thousand is counted as quickly as one of ten', () => {
  const calls = new Calls({ roles: regions, faults: [streamFails()], noise: [], latencyMs: () => 50 });
  const put = calls.know({
    source: regions.primary,
    region: regions.primary,
    service: 'kinesis',
    operation: 'PutRecords',
    stream: 'orders',
  });
  const fleet = new CellFleet({
    cell: 'orders',
    instances: 10_000,
    seed: 1,
    puts: { primary: put, standby: put },
    write: { ...put, faults: [] },
    lies: [],
    inStandbySinceMs: () => undefined,
  });

  const groups = fleet.sourcesAt(MINUTE_MS + 4 * SECOND_MS);

  expect(groups.length).toBeLessThanOrEqual(6);
  expect(groups.reduce((sum, { count }) => sum + count, 0)).toBe(10_000);
});
