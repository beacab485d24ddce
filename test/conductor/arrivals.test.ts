import { ListShardsCommand, SplitShardCommand } from '@aws-sdk/client-kinesis';
import { beforeAll, describe, expect, it, onTestFinished } from 'vitest';
import { readArrivals } from '../../lambda/conductor/arrivals.ts';
import { probeRecord } from '../../lib/envelope/probe-record.ts';
import {
  isActive,
  type KinesisServer,
  makeStream,
  putAll,
  sharedKinesis,
} from '../drain/fixtures/kinesis.ts';
import { clientFor } from '../drain/fixtures/plain-client.ts';
import { type Answer, type Asked, startFakeRegion } from '../survey/fake-region.ts';

const REGION = 'us-west-2';
const numbered = (what: string) => Array.from({ length: 30 }, (_, n) => [`key${n}`, what] as const);

describe('in a stream that was split', () => {
  let kinesis: KinesisServer;
  beforeAll(async () => {
    kinesis = await sharedKinesis();
  });

  async function splitAll(stream: string): Promise<void> {
    const client = clientFor(kinesis.url, REGION);
    const { Shards = [] } = await client.send(new ListShardsCommand({ StreamName: stream }));
    for (const { ShardId, HashKeyRange } of Shards) {
      const { StartingHashKey = '0', EndingHashKey = '0' } = HashKeyRange ?? {};
      const NewStartingHashKey = String((BigInt(StartingHashKey) + BigInt(EndingHashKey)) / 2n);
      await client.send(
        new SplitShardCommand({ StreamName: stream, ShardToSplit: ShardId, NewStartingHashKey }),
      );
      await isActive(client, stream);
    }
  }

  it('records are seen where they arrive now, however old and empty the closed shards are', async () => {
    const client = clientFor(kinesis.url, REGION);
    await makeStream(client, 'arrivals-split', 3);
    await splitAll('arrivals-split');
    const sinceMs = Date.now();
    expect(await readArrivals(client, ['arrivals-split'], sinceMs)).toMatchObject({
      seen: [],
      silent: ['arrivals-split'],
    });
    await putAll(client, 'arrivals-split', numbered('after'));
    expect(await readArrivals(client, ['arrivals-split'], sinceMs)).toMatchObject({
      seen: ['arrivals-split'],
      silent: [],
    });
  });

  it('records are seen in a stream that is named by its ARN', async () => {
    const client = clientFor(kinesis.url, REGION);
    await makeStream(client, 'arrivals-elsewhere', 1);
    const sinceMs = Date.now();
    await putAll(client, 'arrivals-elsewhere', numbered('after'));
    const arn = `arn:aws:kinesis:${REGION}:000000000000:stream/arrivals-elsewhere`;
    expect(await readArrivals(client, [arn], sinceMs)).toMatchObject({ seen: [arn] });
  });

  it('marked records of observers are not taken for records of producers', async () => {
    const client = clientFor(kinesis.url, REGION);
    await makeStream(client, 'arrivals-probed', 1);
    const sinceMs = Date.now();
    const probes = Array.from({ length: 30 }, (_, place) => {
      const { partitionKey, data } = probeRecord({ observer: 'us-east-2', atMs: sinceMs, place });
      return [partitionKey, data] as const;
    });
    await putAll(client, 'arrivals-probed', probes);
    expect(await readArrivals(client, ['arrivals-probed'], sinceMs)).toMatchObject({
      seen: [],
      silent: ['arrivals-probed'],
    });
    await putAll(client, 'arrivals-probed', [['key', 'after']]);
    expect(await readArrivals(client, ['arrivals-probed'], sinceMs)).toMatchObject({
      seen: ['arrivals-probed'],
    });
  });

  it('records are seen that arrived in a shard before it was closed', async () => {
    const client = clientFor(kinesis.url, REGION);
    await makeStream(client, 'arrivals-closed', 1);
    const sinceMs = Date.now();
    await putAll(client, 'arrivals-closed', numbered('before'));
    await splitAll('arrivals-closed');
    expect(await readArrivals(client, ['arrivals-closed'], sinceMs)).toMatchObject({
      seen: ['arrivals-closed'],
    });
  });
});

describe('as Kinesis answers', () => {
  interface Script {
    /** Of shards in order; a closed one has an end. */
    readonly shards: readonly { readonly id: string; readonly closed?: boolean }[];
    /** Pages of a shard, from the first; the last one is given for ever. A number is a status to fail with. */
    readonly pages?: (shard: string) => readonly (Page | number)[];
    readonly pageSize?: number;
  }
  interface Page {
    readonly records?: number;
    /** Marked records of observers, before the others. */
    readonly probes?: number;
    readonly behindMs?: number;
    /** The shard ends here. */
    readonly children?: readonly string[];
  }
  const tip: Page = { records: 0, behindMs: 0 };
  const record = (PartitionKey: string, data: string | Uint8Array) => ({
    Data: Buffer.from(data as string).toString('base64'),
    PartitionKey,
    SequenceNumber: '1',
  });
  const { partitionKey, data } = probeRecord({ observer: 'us-east-2', atMs: 1, place: 1 });
  const marked = record(partitionKey, data);

  async function world({ shards, pages = () => [tip], pageSize = 1_000 }: Script) {
    const listed = (from: number) => ({
      Shards: shards.slice(from, from + pageSize).map(({ id, closed = false }) => ({
        ShardId: id,
        SequenceNumberRange: {
          StartingSequenceNumber: '1',
          ...(closed ? { EndingSequenceNumber: '2' } : {}),
        },
      })),
      ...(from + pageSize < shards.length ? { NextToken: String(from + pageSize) } : {}),
    });
    const paged = (iterator: string): Answer => {
      const [shard = '', number] = iterator.split('/');
      const all = pages(shard);
      const page = all[Math.min(Number(number), all.length - 1)] ?? tip;
      if (typeof page === 'number') return page;
      return {
        Records: [
          ...Array.from({ length: page.probes ?? 0 }, () => marked),
          ...Array.from({ length: page.records ?? 0 }, () => record('k', '')),
        ],
        MillisBehindLatest: page.behindMs ?? 0,
        ...(page.children === undefined
          ? { NextShardIterator: `${shard}/${Number(number) + 1}` }
          : { ChildShards: page.children.map((ShardId) => ({ ShardId, ParentShards: [shard] })) }),
      };
    };
    const region = await startFakeRegion(({ operation, body }: Asked) => {
      if (operation === 'ListShards') return listed(Number(body.NextToken ?? 0));
      if (operation === 'GetShardIterator') return { ShardIterator: `${body.ShardId}/0` };
      return paged(String(body.ShardIterator));
    });
    onTestFinished(region.close);
    const arrivals = () => readArrivals(clientFor(region.url, REGION), ['orders'], Date.now() - 60_000);
    const lookedAt = () =>
      region.asked
        .filter(({ operation }) => operation === 'GetShardIterator')
        .map(({ body }) => String(body.ShardId));
    return { arrivals, lookedAt, asked: region.asked };
  }
  const numberedShards = (count: number, closed = false) =>
    Array.from({ length: count }, (_, n) => ({ id: `${closed ? 'arrivals-closed' : 'open'}-${n}`, closed }));

  it('an empty page is not the end while the reading is behind', async () => {
    const late = { behindMs: 30_000 };
    const { arrivals } = await world({
      shards: numberedShards(1),
      pages: () => [late, late, { records: 1 }],
    });
    expect(await arrivals()).toMatchObject({ seen: ['orders'], silent: [], unknown: [] });
  });

  it('marked records of observers are no arrival, and a record behind them is one', async () => {
    const pages: readonly Page[] = [{ probes: 1 }, { probes: 10 }, { probes: 3 }];
    const silent = await world({ shards: numberedShards(1), pages: () => pages });
    expect(await silent.arrivals()).toMatchObject({ seen: [], silent: ['orders'] });
    const seen = await world({
      shards: numberedShards(1),
      pages: () => [...pages.slice(0, 2), { probes: 3, records: 1 }],
    });
    expect(await seen.arrivals()).toMatchObject({ seen: ['orders'], silent: [] });
  });

  it('pages are small until marked records fill them', async () => {
    const { arrivals, asked } = await world({
      shards: numberedShards(1),
      pages: () => [{ probes: 1, behindMs: 9 }, { behindMs: 9 }, { probes: 10, behindMs: 9 }, tip],
    });
    await arrivals();
    const limits = asked.flatMap(({ operation, body }) => (operation === 'GetRecords' ? [body.Limit] : []));
    expect(limits).toEqual([1, 10, 10, 100]);
  });

  it('where marked records go on for longer than is read, that is not silence', async () => {
    const { arrivals } = await world({
      shards: numberedShards(1),
      pages: () => [{ probes: 1 }, { probes: 10 }, { probes: 100 }, { probes: 1_000 }],
    });
    expect(await arrivals()).toMatchObject({
      silent: [],
      unknown: [{ stream: 'orders', why: expect.stringContaining('1 could not be read to the tip') }],
    });
  });

  it('that the tip was not reached is not silence', async () => {
    const { arrivals } = await world({ shards: numberedShards(1), pages: () => [{ behindMs: 30_000 }] });
    expect(await arrivals()).toMatchObject({
      silent: [],
      unknown: [{ stream: 'orders', why: expect.stringContaining('1 could not be read to the tip') }],
    });
  });

  it('open shards are looked at first, wherever they are in the list, and some from all over it', async () => {
    const { arrivals, lookedAt } = await world({
      shards: [...numberedShards(50, true), ...numberedShards(100)],
      pageSize: 40,
      pages: (shard) => [shard === 'open-50' ? { records: 1 } : tip],
    });
    expect(await arrivals()).toMatchObject({ seen: ['orders'] });
    expect(lookedAt().filter((shard) => shard.startsWith('arrivals-closed'))).toEqual([]);
    expect(lookedAt().length).toBeLessThanOrEqual(16);
  });

  it('of a stream with more shards than are looked at nobody says that it is silent', async () => {
    const { arrivals, lookedAt } = await world({ shards: numberedShards(100) });
    expect(await arrivals()).toMatchObject({
      silent: [],
      unknown: [{ why: '16 of 100 shards were read to their tips, and had none' }],
    });
    expect(lookedAt()).toHaveLength(16);
    expect(lookedAt().some((shard) => Number(shard.slice('open-'.length)) > 90)).toBe(true);
  });

  it('a shard that is split while it is read is followed into its children', async () => {
    const { arrivals, lookedAt } = await world({
      shards: numberedShards(1),
      pages: (shard) => [
        shard === 'open-0' ? { children: ['left', 'right'] } : shard === 'right' ? { records: 1 } : tip,
      ],
    });
    expect(await arrivals()).toMatchObject({ seen: ['orders'] });
    expect(lookedAt()).toEqual(['open-0', 'left', 'right']);
  });

  it('a shard that does not answer leaves the others to speak, and is not silent', async () => {
    const mixed = (pages: Page) =>
      world({ shards: numberedShards(2), pages: (shard) => [shard === 'open-0' ? 500 : pages] });
    expect(await (await mixed({ records: 1 })).arrivals()).toMatchObject({ seen: ['orders'] });
    expect(await (await mixed(tip)).arrivals()).toMatchObject({
      silent: [],
      unknown: [{ why: expect.stringContaining('1 did not answer') }],
    });
  });

  it('a stream of which nothing answers is unreadable', async () => {
    const { arrivals } = await world({ shards: numberedShards(2), pages: () => [500] });
    expect(await arrivals()).toMatchObject({ unreadable: ['orders'], unknown: [], silent: [] });
    const gone = await startFakeRegion(() => 400);
    onTestFinished(gone.close);
    const none = await readArrivals(clientFor(gone.url, REGION), ['orders'], Date.now() - 1_000);
    expect(none).toMatchObject({ unreadable: ['orders'] });
  });

  it('one that is read to all its tips is silent', async () => {
    const { arrivals } = await world({ shards: [...numberedShards(2, true), ...numberedShards(3)] });
    expect(await arrivals()).toEqual({ seen: [], silent: ['orders'], unknown: [], unreadable: [] });
  });
});
