import { once } from 'node:events';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { json } from 'node:stream/consumers';
import { DynamoDBClient } from '@aws-sdk/client-dynamodb';
import { DynamoDBDocumentClient } from '@aws-sdk/lib-dynamodb';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { itemOf } from '../../lambda/core/beacon-item.ts';
import { BeaconReader } from '../../lambda/observer/beacon-reader.ts';
import { attributesOf } from '../../lib/producer/beacons/beacon-calls.ts';
import { beacon, failing, nowMs, PRIMARY, STANDBY, several } from '../core/beacon-fixtures.ts';

interface Call {
  readonly operation: string;
  readonly TableName: string;
  readonly IndexName?: string;
  readonly ExclusiveStartKey?: { readonly pk: { readonly S: string }; readonly sk: { readonly S: string } };
  readonly Item?: Readonly<Record<string, { readonly S?: string; readonly N?: string }>>;
}

/** DynamoDB on a real socket: a page of the table, or of its index, is one of these lists. */
let server: Server;
let calls: Call[];
let table: readonly (readonly object[])[];
let index: readonly (readonly object[])[];
/** Pages of the table, by number, that are answered with an error, once each. */
let broken: Set<number>;
/** The error of every scan of one of them. */
let refused: Partial<Record<'table' | 'index', string>>;
let flooding: string[];
let clockMs: number;
let errors: unknown[];
let ignored: unknown[];

beforeEach(async () => {
  [calls, table, index, broken, clockMs, errors, ignored] = [[], [[]], [[]], new Set(), nowMs, [], []];
  [refused, flooding] = [{}, []];
  server = createServer(async (request, response) => {
    const operation = String(request.headers['x-amz-target']).split('.')[1] ?? '';
    const call = { operation, ...((await json(request)) as object) } as Call;
    calls.push(call);
    response.setHeader('content-type', 'application/x-amz-json-1.0');
    if (operation !== 'Scan') return response.end('{}');
    const pages = call.IndexName === undefined ? table : index;
    const refusal = refused[call.IndexName === undefined ? 'table' : 'index'];
    if (refusal !== undefined) {
      response.statusCode = 400;
      return response.end(JSON.stringify({ __type: refusal }));
    }
    const page = pageOf(pages, call.ExclusiveStartKey);
    if (call.IndexName === undefined && broken.delete(page)) {
      response.statusCode = 500;
      return response.end('{"__type":"InternalServerError"}');
    }
    const Items = (pages[page] ?? []).map(attributesOf);
    const last = Items.at(-1)?.pk ?? { S: 'none' };
    const more = page + 1 < pages.length ? { LastEvaluatedKey: { pk: last, sk: { S: `${page + 1}` } } } : {};
    return response.end(JSON.stringify({ Items, Count: Items.length, ...more }));
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
});
afterEach(() => {
  server.closeAllConnections();
  server.close();
});

/** The sort key of the start names the page, or the end of a source: then the first page that is not of that source alone. */
function pageOf(pages: readonly (readonly object[])[], start: Call['ExclusiveStartKey']): number {
  if (start === undefined) return 0;
  if (!start.sk.S.startsWith('\u{10FFFF}')) return Number(start.sk.S);
  const isOf = (item: object): boolean => 'pk' in item && item.pk === start.pk.S;
  const last = pages.findLastIndex((items) => items.some(isOf));
  return pages[last]?.every(isOf) ? last + 1 : last;
}

function create(tellsFleet = false): BeaconReader {
  const client = new DynamoDBClient({
    region: STANDBY,
    endpoint: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    credentials: { accessKeyId: 'test', secretAccessKey: 'test' },
    maxAttempts: 1,
  });
  return new BeaconReader({
    client: DynamoDBDocumentClient.from(client),
    table: 'shop-beacons',
    cells: [{ cell: 'orders', streams: { primary: 'orders', standby: 'orders' } }],
    regions: { primary: PRIMARY, standby: STANDBY },
    policy: { minimumGain: 0.2 },
    nowMs: () => clockMs,
    tellsFleet,
    onIgnored: (each) => ignored.push(each),
    onFlooding: (source) => flooding.push(source),
    onError: (error) => errors.push(error),
  });
}

const scans = (of: 'table' | 'index'): number =>
  calls.filter(
    ({ operation, IndexName }) => operation === 'Scan' && (IndexName === undefined) === (of === 'table'),
  ).length;
const items = (beacons: readonly Parameters<typeof itemOf>[0][]): readonly object[] => beacons.map(itemOf);

describe('the reader of beacons', () => {
  it('is only suspicious until it has read the whole table: those in trouble may be few of many', async () => {
    index = [items(several(6, failing))];
    table = [items([...several(6, failing), ...several(50, beacon, 6)])];
    broken.add(0);
    const reader = create();
    expect((await reader.read())[0]).toMatchObject({
      sight: 'suspicious',
      sources: 6,
      reason: 'not all beacons have been read yet',
    });
    await reader.settled();
    clockMs += 15_000;
    const later = { atMs: clockMs, sequence: 2 };
    table = [items([...several(6, (n) => failing(n, later)), ...several(50, (n) => beacon(n, later), 6)])];
    await reader.read();
    await reader.settled();
    expect(await reader.read()).toEqual([
      expect.objectContaining({ cell: 'orders', sight: 'suspicious', sources: 56, failing: 6 }),
    ]);
  });

  it('does not take sources that have come since the last whole reading for all there are', async () => {
    const reader = create();
    await reader.read();
    await reader.settled();
    // A fleet has started, and those of it that are well are not in the index.
    clockMs += 5_000;
    const now = { atMs: clockMs };
    index = [items(several(12, (n) => failing(n, now)))];
    table = [items([...several(12, (n) => failing(n, now)), ...several(28, (n) => beacon(n, now), 12)])];
    expect((await reader.read()).map(({ sight }) => sight)).not.toContain('failing');
    clockMs += 5_000;
    await reader.read();
    await reader.settled();
    expect(await reader.read()).toMatchObject([{ sight: 'suspicious', sources: 40, failing: 12 }]);
    expect(scans('table')).toBe(2);
  });

  it('tells a quorum', async () => {
    table = [items([...several(6, failing), beacon(6)])];
    const reader = create();
    await reader.read();
    await reader.settled();
    expect((await reader.read())[0]).toMatchObject({ sight: 'failing', sources: 7, failing: 6 });
  });

  it('reads the index in each round, and the table once a minute', async () => {
    const reader = create();
    for (let n = 0; n < 25; n++) {
      await reader.read();
      await reader.settled();
      clockMs += 5_000;
    }
    expect(scans('index')).toBe(25);
    expect(scans('table')).toBe(3);
    expect(calls[0]).toMatchObject({ TableName: 'shop-beacons' });
  });

  it('reads at most twenty pages at once, and goes on from there in the next round', async () => {
    table = several(45, (n) => items(n === 44 ? several(6, failing) : [beacon(100 + n, { trouble: false })]));
    const reader = create();
    const sights: unknown[] = [];
    const scanned: number[] = [];
    for (let n = 0; n < 3; n++) {
      await reader.read();
      await reader.settled();
      scanned.push(scans('table'));
    }
    expect(scanned).toEqual([20, 40, 45]);
    sights.push((await reader.read())[0]);
    expect(sights).toEqual([expect.objectContaining({ sources: 50, failing: 6 })]);
  });

  it('keeps the pages before one that failed, and does not take half of the table for the whole', async () => {
    table = [items(several(6, failing)), items(several(50, beacon, 6))];
    broken.add(1);
    const reader = create();
    await reader.read();
    await reader.settled();
    expect(errors).toHaveLength(1);
    expect((await reader.read())[0]).toMatchObject({ sight: 'suspicious', sources: 6 });
    clockMs += 4_000;
    await reader.read();
    await reader.settled();
    expect(scans('table')).toBe(2);
    clockMs += 11_000;
    table = [items([]), items(several(50, (n) => beacon(n, { atMs: clockMs }), 6))];
    await reader.read();
    await reader.settled();
    expect((await reader.read())[0]).toMatchObject({ sight: 'well', sources: 50 });
  });

  it('goes on with what it knows while the table does not answer, until that has expired', async () => {
    table = [items(several(6, failing))];
    const reader = create();
    await reader.read();
    await reader.settled();
    server.closeAllConnections();
    server.close();
    expect((await reader.read())[0]?.sight).toBe('failing');
    clockMs += 12_000;
    expect((await reader.read())[0]).toMatchObject({ sight: 'unknown', sources: 0 });
    expect(errors.length).toBeGreaterThan(0);
  });

  it('says which items it ignored, once for a reading of the table', async () => {
    table = [
      [...items(several(3, beacon)), { pk: 'AROA:x', sk: 'y' }, itemOf(beacon(7, { atMs: nowMs + 60_000 }))],
    ];
    const reader = create();
    await reader.read();
    await reader.settled();
    expect(ignored).toEqual([{ malformed: 1, future: 1 }]);
  });

  it.each([true, false])(
    'tells the writers how many they are, where it is told to: %s',
    async (tellsFleet) => {
      table = [
        items(several(1_900, beacon)),
        [{ pk: 'fleet', sk: 'fleet', every: 1 }],
        items(several(100, (n) => beacon(n, { stream: 'clicks' }))),
      ];
      const reader = create(tellsFleet);
      await reader.read();
      await reader.settled();
      const puts = calls.filter(({ operation }) => operation === 'PutItem');
      expect(puts).toHaveLength(tellsFleet ? 1 : 0);
      if (!tellsFleet) return;
      expect(puts[0]?.Item).toMatchObject({
        pk: { S: 'fleet' },
        sources: { N: '1900' },
        beacons: { N: '2000' },
        every: { N: '180000' },
      });
    },
  );

  describe('beside a source with far too many items', () => {
    const honest = several(40, failing);
    /** Items of 400 KB, few in a page, or small ones: how many pages are read, and what is in one. */
    const floods: readonly [string, number, readonly object[]][] = [
      ['large', 5, [{ pk: 'liar', sk: 'x', junk: 'y'.repeat(4_100) }]],
      ['small', 3, items(several(1_100, (n) => beacon(n, { source: 'liar' })))],
    ];
    it.each(floods)('reads the others, and names that one: %s items', async (_size, pages, junk) => {
      table = [items(honest.slice(0, 20)), ...several(300, () => junk), items(honest.slice(20))];
      const reader = create();
      await reader.read();
      await reader.settled();
      expect((await reader.read())[0]).toMatchObject({ sight: 'failing', failing: 40 });
      expect(scans('table')).toBe(pages);
      expect(flooding).toEqual(['liar']);
      expect(reader.table).toMatchObject({ isComplete: true, flooding: 'liar' });
    });

    it('takes no source with a thousand processes for one', async () => {
      const lambda = items(several(1_000, (n) => beacon(n, { source: 'AROAEXAMPLE:function' })));
      table = [items([beacon(1)]), lambda.slice(0, 600), lambda.slice(600), items([beacon(2)])];
      const reader = create();
      await reader.read();
      await reader.settled();
      expect(scans('table')).toBe(4);
      expect(flooding).toEqual([]);
    });

    it('no longer names it once its items are gone', async () => {
      table = [...several(30, () => [{ pk: 'liar', sk: 'x' }]), items(honest)];
      const reader = create();
      await reader.read();
      await reader.settled();
      expect(reader.table.flooding).toBe('liar');
      table = [items(honest)];
      clockMs += 60_000;
      await reader.read();
      await reader.settled();
      expect(reader.table.flooding).toBeUndefined();
    });
  });

  describe('says how it stands with the table', () => {
    it('when all is well: who reports, by cell', async () => {
      table = [items(several(12, beacon)), [{ pk: 'x', sk: 'y' }]];
      const reader = create();
      await reader.read();
      await reader.settled();
      expect(reader.table).toEqual({
        completeAtMs: nowMs,
        isComplete: true,
        sources: 12,
        cells: { orders: 12 },
        silentCells: 0,
        ignored: { malformed: 1 },
      });
    });

    it('when nobody reports', async () => {
      const reader = create();
      await reader.read();
      await reader.settled();
      expect(reader.table).toMatchObject({ sources: 0, cells: { orders: 0 }, silentCells: 1 });
    });

    it.each([
      ['ResourceNotFoundException', 'missing'],
      ['AccessDeniedException', 'access'],
      ['ThrottlingException', 'throttled'],
    ])(
      'when it is refused: %s is %s, since the first time, until it is read again',
      async (error, errorClass) => {
        refused = { table: error, index: error };
        const reader = create();
        for (let n = 0; n < 5; n++) {
          await reader.read();
          await reader.settled();
          clockMs += 20_000;
        }
        expect(reader.table).toMatchObject({ problem: { errorClass, sinceMs: nowMs }, isComplete: false });
        refused = { table: error };
        await reader.read();
        await reader.settled();
        expect(reader.table.problem?.errorClass).toBe(errorClass);
        refused = {};
        clockMs += 20_000;
        await reader.read();
        await reader.settled();
        expect(reader.table).not.toHaveProperty('problem');
        expect(reader.table).toMatchObject({ isComplete: true, sources: 0 });
      },
    );

    it('when a reading no longer comes to its end: the last whole count, and that it is old', async () => {
      table = [items(several(3, (n) => beacon(n, { intervalMs: 900_000 })))];
      const reader = create();
      await reader.read();
      await reader.settled();
      refused = { table: 'InternalServerError' };
      clockMs += 200_000;
      await reader.read();
      await reader.settled();
      expect(reader.table).toMatchObject({
        completeAtMs: nowMs,
        isComplete: false,
        sources: 3,
        problem: { errorClass: 'server' },
      });
    });
  });
});
