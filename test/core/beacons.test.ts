import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  type Beacon,
  beaconClasses,
  beaconClassNames,
  healthIntervalMs,
  itemOf,
} from '../../lambda/core/beacon-item.ts';
import { type RememberedBeacon, rememberBeacons } from '../../lambda/core/beacon-memory.ts';
import { type BeaconSight, judgeBeacons } from '../../lambda/core/beacons.ts';
import {
  beacon,
  failing,
  judged,
  judgedItems,
  nowMs,
  PRIMARY,
  processId,
  question,
  STANDBY,
  several,
  tally,
} from './beacon-fixtures.ts';

const rank: Readonly<Record<BeaconSight, number>> = { well: 0, unknown: 1, suspicious: 2, failing: 3 };

describe('a quorum of beacons', () => {
  it('is five sources that fail, of fewer than ten', () => {
    expect(judged([...several(5, failing), ...several(4, beacon, 5)])).toEqual({
      cell: 'orders',
      sight: 'failing',
      sources: 9,
      failing: 5,
    });
  });

  it('is not four of five', () => {
    expect(judged([...several(4, failing), beacon(4)])).toMatchObject({
      sight: 'suspicious',
      reason: '4 of 5 sources fail, and a quorum needs 5',
    });
  });

  it('is not half of the sources', () => {
    expect(judged([...several(6, failing), ...several(6, beacon, 6)])).toMatchObject({
      sight: 'suspicious',
      reason: expect.stringContaining('not more than half'),
    });
  });

  it('is all of a fleet of fewer than five', () => {
    expect(judged(several(3, failing)).sight).toBe('failing');
    expect(judged([failing(0)]).sight).toBe('failing');
  });

  it('is not all that are left of a fleet of which the others fell silent while it failed', () => {
    const first = [failing(0, { atMs: nowMs - 16_000 }), failing(1, { atMs: nowMs - 16_000 })];
    const atFirst = rememberBeacons(new Map(), { items: first.map(itemOf), nowMs: nowMs - 15_000 }).memory;
    const series = [8_000, 1_000].reduce((memory, agoMs, n) => {
      const next = [0, 1].map((source) => failing(source, { atMs: nowMs - agoMs, sequence: n + 2 }));
      return rememberBeacons(memory, { items: next.map(itemOf), nowMs: nowMs - agoMs }).memory;
    }, atFirst);
    const gone = several(4, (n) => beacon(n, { atMs: nowMs - 20_000 }), 2);
    const { memory } = rememberBeacons(series, { items: gone.map(itemOf), nowMs });
    expect(judgeBeacons({ ...question, memory })[0]).toMatchObject({
      sight: 'suspicious',
      reason: '2 of 6 sources fail, and a quorum needs 4',
    });
  });

  it.each([1, 3, 4, 20])(
    'is all of a fleet of %i that has replaced a larger one some minutes ago',
    (size) => {
      const gone = several(size + 2, (n) => beacon(n, { atMs: nowMs - 60_000, intervalMs: 10_000 }), 100);
      expect(judged([...several(size, failing), ...gone]).sight).toBe('failing');
    },
  );

  it('counts those that failed when they fell silent, however long ago', () => {
    const gone = several(3, (n) => failing(n, { atMs: nowMs - 10 * 60_000 }), 2);
    expect(judged([failing(0), failing(1), ...gone])).toMatchObject({
      sight: 'suspicious',
      reason: '2 of 5 sources fail, and a quorum needs 3',
    });
  });

  it('needs a hundred attempts among those that fail', () => {
    const few = (n: number) => failing(n, { regions: { [PRIMARY]: tally(0, { timeout: 20 }) } });
    expect(judged(several(4, few))).toMatchObject({
      sight: 'suspicious',
      reason: expect.stringContaining('80 attempts'),
    });
    expect(judged(several(5, few)).sight).toBe('failing');
  });

  it('needs two failure domains, where there are others that are well', () => {
    const inOne = several(6, (n) => failing(n, { domain: 'use1-az0' }));
    const elsewhere = several(4, (n) => beacon(n, { domain: 'use1-az1' }), 6);
    expect(judged([...inOne, ...elsewhere])).toMatchObject({
      sight: 'suspicious',
      reason: 'all failing sources are in use1-az0, and those elsewhere are well',
    });
    expect(judged([...inOne, ...elsewhere, failing(10, { domain: 'use1-az1' })]).sight).toBe('failing');
  });

  it('needs no second domain of a fleet that has only one', () => {
    expect(judged(several(5, (n) => failing(n, { domain: 'host' }))).sight).toBe('failing');
  });

  it('is nothing while not all beacons have been read', () => {
    expect(judged(several(9, failing), { isComplete: false })).toMatchObject({
      sight: 'suspicious',
      reason: 'not all beacons have been read yet',
    });
    expect(judged(several(9, beacon), { isComplete: false }).sight).toBe('unknown');
  });

  it('does not accuse the primary when the same sources fail in the standby too', () => {
    const regions = { [PRIMARY]: tally(0, { timeout: 500 }), [STANDBY]: tally(0, { timeout: 500 }) };
    expect(judged(several(6, (n) => failing(n, { regions })))).toEqual({
      cell: 'orders',
      sight: 'suspicious',
      sources: 6,
      failing: 6,
      reason: 'the same sources fail in the standby too, so it is not the region',
      failsInStandbyToo: true,
    });
  });

  it('says so of a fleet that has replaced another in the standby', () => {
    const regions = { [STANDBY]: tally(0, { reset: 100 }) };
    const moved = several(3, (n) => failing(n, { regions }));
    const gone = several(3, (n) => beacon(n, { atMs: nowMs - 60_000 }), 100);
    expect(judged([...moved, ...gone])).toMatchObject({ failing: 0, failsInStandbyToo: true });
  });

  it('says that a fleet which has moved goes on failing in the standby', () => {
    const moved = several(6, (n) => failing(n, { regions: { [STANDBY]: tally(0, { reset: 100 }) } }));
    expect(judged(moved)).toMatchObject({ sight: 'unknown', failing: 0, failsInStandbyToo: true });
  });

  it('is of the stream of the cell, in the region of its role', () => {
    const cells = [{ cell: 'orders', streams: { primary: 'orders-east', standby: 'orders-west' } }];
    expect(judged(several(6, failing), { cells }).sight).toBe('unknown');
    const east = several(6, (n) => failing(n, { stream: 'orders-east' }));
    expect(judged(east, { cells }).sight).toBe('failing');
  });
});

describe('a source', () => {
  it('has one voice, however many items it writes', () => {
    const liar = several(900, (n) => failing(n, { source: 'liar' }));
    expect(judged([...liar, ...several(99, beacon, 1_000)])).toMatchObject({ failing: 1, sight: 'well' });
  });

  it('fails when all its processes together fail by more than the least gain', () => {
    const of = (n: number, ok: number, timeout: number) =>
      beacon(n, { source: 'one', regions: { [PRIMARY]: tally(ok, { timeout }) } });
    expect(judged([of(0, 100, 0), of(1, 0, 25)]).failing).toBe(0);
    expect(judged([of(0, 100, 0), of(1, 0, 26)]).failing).toBe(1);
  });

  const own = beaconClassNames.filter((name) => beaconClasses[name] === 'own');
  it.each(own)('that fails by its own fault accuses nobody: %s', (name) => {
    const sources = several(9, (n) => failing(n, { regions: { [PRIMARY]: tally(0, { [name]: 500 }) } }));
    expect(judged(sources)).toEqual({ cell: 'orders', sight: 'unknown', sources: 9, failing: 0 });
  });

  const region = beaconClassNames.filter((name) => beaconClasses[name] === 'region');
  it.each(region)('that fails by the region’s fault accuses it: %s', (name) => {
    const sources = several(9, (n) => failing(n, { regions: { [PRIMARY]: tally(0, { [name]: 500 }) } }));
    expect(judged(sources).sight).toBe('failing');
  });

  it('whose event loop is late accuses nobody', () => {
    expect(judged(several(9, (n) => failing(n, { lagMs: 1_001 })))).toMatchObject({
      sight: 'unknown',
      failing: 0,
    });
  });

  it('with fewer than twenty attempts is unknown', () => {
    const of = (attempts: number) => [failing(0, { regions: { [PRIMARY]: tally(0, { server: attempts }) } })];
    expect(judged(of(19)).failing).toBe(0);
    expect(judged(of(20)).failing).toBe(1);
  });

  it('whose beacon has expired is unknown: two and a half intervals', () => {
    expect(judged([failing(0, { atMs: nowMs - 12_499 })]).failing).toBe(1);
    expect(judged([failing(0, { atMs: nowMs - 12_500 })]).failing).toBe(0);
  });
});

describe('suspicion', () => {
  it('begins with two sources of a small fleet, and five per cent of a large one', () => {
    const of = (fails: number, well: number) =>
      judged([...several(fails, failing), ...several(well, beacon, fails)]);
    expect(of(1, 9).sight).toBe('well');
    expect(of(1, 5).sight).toBe('unknown');
    expect(of(2, 8).sight).toBe('suspicious');
    expect(of(4, 96).sight).toBe('well');
    expect(of(5, 95).sight).toBe('suspicious');
  });

  it('is not raised by one liar among a hundred', () => {
    expect(judged([failing(0), ...several(99, beacon, 1)])).toMatchObject({ sight: 'well', failing: 1 });
  });

  it('is not raised by one liar while the others are idle', () => {
    const idle = several(99, (n) => beacon(n, { regions: { [PRIMARY]: tally(1) } }), 1);
    expect(judged([failing(0), ...idle]).sight).toBe('unknown');
  });
});

describe('what is read', () => {
  const good = several(6, failing);
  const seen = rememberBeacons(new Map(), { items: good.map(itemOf), nowMs });
  it.each([
    ['future', itemOf(beacon(0, { sequence: 2, atMs: nowMs + 5_001 }))],
    ['replayed', itemOf(beacon(0, { sequence: 0, atMs: nowMs - 900 }))],
    ['replayed', itemOf(beacon(0, { sequence: 2, atMs: nowMs - 2_000 }))],
    ['replayed', itemOf(beacon(0, { sequence: 1, atMs: nowMs }))],
    ['oversized', { ...itemOf(beacon(0, { sequence: 2, atMs: nowMs })), more: 'x'.repeat(4_000) }],
    ['malformed', { ...itemOf(beacon(0, { sequence: 2, atMs: nowMs })), every: 86_400_000 }],
    ['malformed', { ...itemOf(beacon(0, { sequence: 2, atMs: nowMs })), v: 2 }],
    ['malformed', { ...itemOf(beacon(0, { sequence: 2, atMs: nowMs })), regions: { [PRIMARY]: [1] } }],
    ['malformed', { pk: 'somebody' }],
    ['malformed', 5n],
  ])('is ignored and counted when it is %s', (because, item) => {
    const after = rememberBeacons(seen.memory, { items: [item], nowMs });
    expect(after.ignored).toEqual({ [because]: 1 });
    expect(after.memory).toEqual(seen.memory);
  });

  it('is taken when it is newer, and read twice without a word', () => {
    const newer = itemOf(beacon(0, { sequence: 2, atMs: nowMs }));
    const after = rememberBeacons(seen.memory, {
      items: [newer, newer, { pk: 'fleet', sk: 'fleet' }],
      nowMs,
    });
    expect(after.ignored).toEqual({});
    expect([...after.memory.values()].find(({ source }) => source === beacon(0).source)?.trouble).toBe(false);
  });

  it('is bounded: a source keeps a thousand beacons, and the others keep theirs', () => {
    const many = several(1_500, (n) => itemOf(failing(n, { source: 'liar', process: processId(n + 5_000) })));
    const after = rememberBeacons(seen.memory, { items: many, nowMs });
    expect(after.ignored).toEqual({ tooMany: 500 });
    expect(after.memory.size).toBe(1_006);
  });

  it('is forgotten a quarter of an hour after it has expired', () => {
    const at = (laterMs: number) =>
      rememberBeacons(seen.memory, { items: [], nowMs: nowMs + laterMs }).memory.size;
    expect(at(11_499 + 15 * 60_000)).toBe(6);
    expect(at(11_500 + 15 * 60_000)).toBe(0);
  });
});

describe('the interval of a fleet', () => {
  it.each([
    [0, 90_000],
    [1_000, 90_000],
    [2_000, 180_000],
    [10_000, 900_000],
    [1_000_000, 900_000],
  ])('of %i beacons is %i ms', (beacons, intervalMs) => {
    expect(healthIntervalMs(beacons)).toBe(intervalMs);
  });
});

describe('properties', () => {
  const someTally = fc
    .record({ ok: fc.nat(2_000), timeout: fc.nat(2_000), throttled: fc.nat(2_000) })
    .map(({ ok, timeout, throttled }) => tally(ok, { timeout, throttled }));
  const someBeacon = (n: number): fc.Arbitrary<Beacon> =>
    fc
      .record({
        here: someTally,
        there: fc.option(someTally, { nil: undefined }),
        domain: fc.constantFrom('a', 'b', 'c', 'd'),
        lagMs: fc.constantFrom(0, 0, 0, 5_000),
        ageMs: fc.nat(20_000),
      })
      .map(({ here, there, domain, lagMs, ageMs }) =>
        beacon(n, {
          domain,
          lagMs,
          atMs: nowMs - ageMs,
          regions: { [PRIMARY]: here, ...(there === undefined ? {} : { [STANDBY]: there }) },
        }),
      );
  const fleet = fc.integer({ min: 0, max: 14 }).chain((size) => fc.tuple(...several(size, someBeacon)));
  const garbage = fc.array(
    fc.oneof(fc.anything(), fc.object({ key: fc.constantFrom('pk', 'sk', 'at', 'v') })),
  );

  it('no minority of liars makes it failing, whatever they write and however often', () => {
    const worst = fc.constantFrom('a', 'b').map((domain) => failing(0, { domain }));
    const lie = fc.oneof(someBeacon(0), worst);
    const lies = fc.array(fc.tuple(fc.nat(5), lie, fc.integer({ min: 1, max: 50 })), {
      maxLength: 30,
    });
    fc.assert(
      fc.property(fc.integer({ min: 6, max: 20 }), lies, garbage, (honest, told, noise) => {
        const items = told.flatMap(([liar, said, copies], n) =>
          several(copies, (copy) =>
            itemOf({ ...said, source: `liar-${liar}`, process: processId(n * 100 + copy), trouble: true }),
          ),
        );
        const all = [...noise, ...items, ...several(honest, (n) => itemOf(beacon(n)))];
        expect(judgedItems(all).sight).not.toBe('failing');
      }),
    );
  });

  it('no minority of fewer than five is a quorum of a fleet that falls silent while they lie', () => {
    const sizes = fc
      .integer({ min: 1, max: 4 })
      .chain((liars) =>
        fc.record({ liars: fc.constant(liars), honest: fc.integer({ min: liars + 1, max: 20 }) }),
      )
      .chain(({ liars, honest }) =>
        fc.record({ liars: fc.constant(liars), honest: fc.constant(honest), silent: fc.nat(honest) }),
      );
    fc.assert(
      fc.property(sizes, fc.nat(11_000), ({ liars, honest, silent }, agoMs) => {
        const told = several(liars, (n) => failing(n, { atMs: nowMs - 12_000 }));
        const heard = several(
          honest,
          (n) => beacon(n, n < 100 + silent ? { atMs: nowMs - 12_500 - agoMs, intervalMs: 5_000 } : {}),
          100,
        );
        expect(judged([...told, ...heard]).sight).not.toBe('failing');
      }),
    );
  });

  it('fewer than half of those who fail cannot hold up the others by how long they say so', () => {
    const ago = fc.integer({ min: 1, max: 900_000 });
    fc.assert(
      fc.property(
        fc.integer({ min: 3, max: 9 }),
        fc.array(ago, { maxLength: 4 }),
        ago,
        (honest, lies, goneMs) => {
          const liars = lies.slice(0, Math.ceil(honest / 2) - 1);
          const memory = new Map<string, RememberedBeacon>(
            [
              ...liars.map((agoMs, n) => ({ ...failing(n), failingSinceMs: nowMs - agoMs })),
              ...several(honest, failing, 10),
              ...several(6, (n) => beacon(n, { atMs: nowMs - goneMs - 14_000 }), 100),
            ].map((each) => [each.source, each]),
          );
          expect(judgeBeacons({ ...question, memory })[0]?.sight).toBe('failing');
        },
      ),
    );
  });

  it('fewer than a third who lie cannot hold up a fleet that fails', () => {
    const lies = fc.array(someBeacon(0), { minLength: 1, maxLength: 30 });
    fc.assert(
      fc.property(fc.integer({ min: 11, max: 20 }), lies, (honest, told) => {
        const liars = told.map((lie, n) =>
          itemOf({
            ...lie,
            regions: { [PRIMARY]: lie.regions[PRIMARY] ?? tally(0) },
            source: `liar-${n % 5}`,
            process: processId(n),
          }),
        );
        const inOneZone = several(honest, (n) => itemOf(failing(n, { domain: 'a' })));
        expect(judgedItems([...liars, ...inOneZone]).sight).toBe('failing');
      }),
    );
  });

  it('replays and garbage change nothing', () => {
    fc.assert(
      fc.property(
        fleet,
        garbage,
        fc.array(fc.tuple(fc.nat(13), fc.integer({ min: 1, max: 9_000 }))),
        (of, noise, old) => {
          const items = of.map((each) => itemOf({ ...each, sequence: 100 }));
          const replays = old.flatMap(([n, earlierMs]) => {
            const each = of[n];
            if (each === undefined) return [];
            const regions = { [PRIMARY]: tally(0, { timeout: 500 }) };
            return [itemOf({ ...each, regions, trouble: true, sequence: 99, atMs: each.atMs - earlierMs })];
          });
          const { memory } = rememberBeacons(new Map(), { items, nowMs });
          const after = rememberBeacons(memory, { items: [...noise, ...replays], nowMs });
          expect(judgeBeacons({ ...question, memory: after.memory })).toEqual(
            judgeBeacons({ ...question, memory }),
          );
        },
      ),
    );
  });

  it('the order in which beacons are read does not matter', () => {
    fc.assert(
      fc.property(fleet, (of) => {
        expect(judged(of.toReversed())).toEqual(judged(of));
      }),
    );
  });

  it('a source more that fails, or one that turns to failing, never lowers it', () => {
    const inPrimaryOnly = (each: Beacon): Beacon => ({
      ...each,
      regions: { [PRIMARY]: each.regions[PRIMARY] ?? tally(0) },
    });
    fc.assert(
      fc.property(fleet, fc.constantFrom('a', 'b', 'e'), fc.nat(13), (drawn, domain, turned) => {
        const of = drawn.map(inPrimaryOnly);
        const before = rank[judged(of).sight];
        // Later than all others: otherwise the trouble began earlier, and the silent count.
        expect(rank[judged([...of, failing(99, { domain, atMs: nowMs })]).sight]).toBeGreaterThanOrEqual(
          before,
        );
        const each = of[turned];
        if (each === undefined) return;
        const worse = of.with(turned, failing(turned, { domain: each.domain, atMs: nowMs }));
        expect(rank[judged(worse).sight]).toBeGreaterThanOrEqual(before);
      }),
    );
  });
});
