import { connect as connectHttp2 } from 'node:http2';
import { connect } from 'node:net';
import { setTimeout } from 'node:timers/promises';
import { afterEach, describe, expect, it, vi } from 'vitest';
import { AggregateEncoder } from '../../lib/aggregate/encoder.ts';
import { isSynthetic } from '../../lib/sidecar/synthetic.ts';
import { ask, base64 } from './ask.ts';
import { type SidecarWorld, startSidecarWorld } from './world.ts';

let world: SidecarWorld;
afterEach(async () => {
  await world.close();
});

const texts = (): readonly string[] => world.east.records.map(({ text }) => text);
const records = (count: number, key = (n: number) => `k${n}`) =>
  Array.from({ length: count }, (_, n) => ({ PartitionKey: key(n), Data: base64(String(n)) }));
const put = (Records: readonly object[]) => ask(world.url, 'PutRecords', { StreamName: 'orders', Records });

interface Entry {
  readonly ShardId?: string;
  readonly SequenceNumber?: string;
  readonly ErrorCode?: string;
}
/** The value of a metric with its labels. */
async function metric(name: string): Promise<number> {
  const text = await (await fetch(`${world.url}/metrics`)).text();
  const line = text.split('\n').find((one) => one.startsWith(`${name} `));
  return Number(line?.slice(name.length));
}

const entries = ({ document }: Awaited<ReturnType<typeof put>>): readonly Entry[] =>
  document.Records as Entry[];

describe('a record on the disk', () => {
  it('is answered with a number that is ours, sorts, and satisfies the pattern of Kinesis, and with the shard that clients were told', async () => {
    world = await startSidecarWorld({ spool: true, producer: { acknowledge: 'spooled' } });
    const { document } = await ask(world.url, 'ListShards', { StreamName: 'orders' });
    await ask(world.url, 'ListShards', { NextToken: document.NextToken });
    const Records = [
      { PartitionKey: 'a', Data: base64('a'), ExplicitHashKey: '0' },
      { PartitionKey: 'a', Data: base64('b'), ExplicitHashKey: String(2n ** 127n) },
    ];
    const answered = [...entries(await put(Records)), ...entries(await put(Records))];
    const numbers = answered.map(({ SequenceNumber }) => SequenceNumber ?? '');
    expect(numbers.every((number) => isSynthetic(number) && /^(?:0|[1-9]\d{0,128})$/.test(number))).toBe(
      true,
    );
    expect(numbers.toSorted()).toEqual(numbers);
    expect(new Set(numbers).size).toBe(4);
    expect(answered.map(({ ShardId }) => ShardId)).toEqual(
      [0, 1, 0, 1].map((n) => `shardId-00000000000${n}`),
    );
  });

  it('is in the stream before the sidecar ends', async () => {
    world = await startSidecarWorld({ spool: true, producer: { acknowledge: 'spooled' } });
    await put(records(20));
    expect(await world.sidecar.close({ timeoutMs: 5_000 })).toBe(0);
    expect(texts().length).toBe(20);
  });
});

describe('a region that takes no records', () => {
  it('is answered for from the disk, within the patience of a client', async () => {
    world = await startSidecarWorld({ spool: true, producer: { spoolAfterMs: 100 } });
    world.east.mode = 'hang';
    const answer = await put(records(3));
    expect(entries(answer).every(({ SequenceNumber }) => isSynthetic(SequenceNumber ?? ''))).toBe(true);
    expect(await (await fetch(`${world.url}/healthz`)).json()).toMatchObject({
      ok: true,
      cells: [{ spooling: true }],
    });
    expect(world.events).toContainEqual({ event: 'spooling', cell: 'orders' });
  });

  it('is told as InternalFailure without a spool', async () => {
    world = await startSidecarWorld({ producer: { deliveryTimeoutMs: 300 } });
    world.east.mode = 'fail';
    const answer = await put(records(2));
    expect(answer).toMatchObject({ status: 200, document: { FailedRecordCount: 2 } });
    expect(entries(answer).map(({ ErrorCode }) => ErrorCode)).toEqual(['InternalFailure', 'InternalFailure']);
    const one = await ask(world.url, 'PutRecord', { StreamName: 'orders', ...records(1)[0] });
    expect(one).toMatchObject({ status: 500, document: { __type: 'InternalFailure' } });
  });

  it('is left for the other, where the stream has another name and the client still writes the first', async () => {
    world = await startSidecarWorld();
    await put(records(1));
    world.move();
    await vi.waitFor(() => expect(world.sidecar.health().cells[0]?.region).toBe('us-west-2'));
    expect(await put(records(2))).toMatchObject({ document: { FailedRecordCount: 0 } });
    expect(world.west.records.map(({ stream }) => stream)).toEqual(['orders-west', 'orders-west']);
    await ask(world.url, 'DescribeStreamSummary', { StreamName: 'orders' });
    expect(world.west.asked).toEqual([
      { operation: 'DescribeStreamSummary', input: { StreamName: 'orders-west' } },
    ]);
  });

  it('is named by what it refused, as a role without rights is not seen otherwise', async () => {
    world = await startSidecarWorld({ producer: { deliveryTimeoutMs: 300 } });
    world.east.mode = 'deny';
    const { document } = await put(records(1));
    expect(document.Records).toMatchObject([{ ErrorCode: 'InternalFailure' }]);
    expect(JSON.stringify(document.Records)).toContain('AccessDeniedException');
    const events = world.events.filter(({ event }) => event === 'retrying');
    expect(events).toEqual([
      { event: 'retrying', cell: 'orders', region: 'us-east-1', code: 'AccessDeniedException' },
    ]);
  });

  it('passes on a refusal of the request as one', async () => {
    world = await startSidecarWorld();
    world.east.mode = 'refuse';
    expect(await put(records(2))).toMatchObject({ status: 400, document: { __type: 'ValidationException' } });
  });
});

describe('back-pressure', () => {
  it('is told at once for the records that have no room', async () => {
    world = await startSidecarWorld({ producer: { maxBufferedRecords: 10 } });
    world.east.mode = 'hang';
    const first = put(records(8));
    await vi.waitFor(async () =>
      expect(await metric('spillway_producer_buffered_records{cell="orders"}')).toBe(8),
    );
    // Two of these have room.
    const second = put(records(6, (n) => `other-${n}`));
    await vi.waitFor(async () =>
      expect(await metric('spillway_producer_buffered_records{cell="orders"}')).toBe(10),
    );
    const single = await ask(world.url, 'PutRecord', {
      StreamName: 'orders',
      PartitionKey: 'x',
      Data: base64('x'),
    });
    expect(single).toMatchObject({
      status: 400,
      document: { __type: 'ProvisionedThroughputExceededException' },
    });
    world.east.mode = 'serve';
    expect(await first).toMatchObject({ document: { FailedRecordCount: 0 } });
    expect(entries(await second).map(({ ErrorCode }) => ErrorCode)).toEqual([
      undefined,
      undefined,
      ...Array.from({ length: 4 }, () => 'ProvisionedThroughputExceededException'),
    ]);
  });

  it('refuses a request when those in progress hold as many bytes as they may', async () => {
    world = await startSidecarWorld({ limits: { maxRequestBytes: 2_000 } });
    const Data = base64('x'.repeat(2_000));
    const answer = await ask(world.url, 'PutRecord', { StreamName: 'orders', PartitionKey: 'x', Data });
    expect(answer).toMatchObject({
      status: 400,
      document: { __type: 'ProvisionedThroughputExceededException' },
    });
    expect(await put(records(1))).toMatchObject({ status: 200 });
  });
});

describe('order', () => {
  const target = {
    'content-type': 'application/x-amz-json-1.1',
    'x-amz-target': 'Kinesis_20131202.PutRecord',
  };
  const body = (n: number): string =>
    JSON.stringify({ StreamName: 'orders', PartitionKey: 'k', Data: base64(String(n)) });

  it('is that of the requests of one connection, also when they do not wait for answers', async () => {
    world = await startSidecarWorld();
    const socket = connect(Number(new URL(world.url).port), '127.0.0.1');
    const headers = Object.entries(target).map(([name, value]) => `${name}: ${value}\r\n`);
    const requests = Array.from({ length: 30 }, (_, n) => {
      const text = body(n);
      return `POST / HTTP/1.1\r\nhost: x\r\n${headers.join('')}content-length: ${text.length}\r\n\r\n${text}`;
    });
    socket.write(requests.join(''));
    await vi.waitFor(() => expect(texts().length).toBe(30), { timeout: 5_000 });
    expect(texts()).toEqual(Array.from({ length: 30 }, (_, n) => String(n)));
    socket.destroy();
  });

  it('is that in which streams of HTTP/2 begin, even when a later one is complete first', async () => {
    world = await startSidecarWorld();
    const session = connectHttp2(world.url);
    const open = () => session.request({ ':method': 'POST', ':path': '/', ...target });
    const first = open();
    first.write(body(0).slice(0, 10));
    const second = open();
    second.end(body(1));
    const answered = second.toArray();
    await setTimeout(150);
    expect(texts()).toEqual([]);
    first.end(body(0).slice(10));
    await Promise.all([first.toArray(), answered]);
    expect(texts()).toEqual(['0', '1']);
    const gone = open();
    gone.write('{');
    const last = open();
    last.end(body(2));
    gone.close();
    await last.toArray();
    expect(texts()).toEqual(['0', '1', '2']);
    session.close();
  });
});

describe('a KPL aggregate', () => {
  const aggregate = (...keys: readonly string[]): Buffer => {
    const encoder = new AggregateEncoder({ maxBytes: 100_000 });
    for (const key of keys) encoder.add({ partitionKey: key, data: Buffer.from(`inner ${key}`) });
    return Buffer.from(encoder.finish());
  };

  it('is taken apart, and answered as one record', async () => {
    world = await startSidecarWorld();
    const answer = await put([
      { PartitionKey: 'outer', Data: aggregate('a', 'b', 'c').toString('base64') },
      { PartitionKey: 'plain', Data: base64('plain') },
    ]);
    expect(entries(answer)).toHaveLength(2);
    expect(world.east.records.map(({ partitionKey, text }) => [partitionKey, text])).toEqual([
      ['a', 'inner a'],
      ['b', 'inner b'],
      ['c', 'inner c'],
      ['plain', 'plain'],
    ]);
    expect(world.events).toContainEqual({ event: 'aggregatesApart', cell: 'orders' });
  });

  it('is passed on as it is when its MD5 does not match', async () => {
    world = await startSidecarWorld();
    const bytes = aggregate('a', 'b');
    bytes[10] = (bytes[10] as number) ^ 1;
    await put([{ PartitionKey: 'outer', Data: bytes.toString('base64') }]);
    expect(world.east.records.map(({ partitionKey, data }) => [partitionKey, data.equals(bytes)])).toEqual([
      ['outer', true],
    ]);
  });

  it('is written as a whole or not at all', async () => {
    world = await startSidecarWorld({ producer: { maxBufferedRecords: 4 } });
    world.east.mode = 'hang';
    const first = put(records(2));
    await vi.waitFor(async () =>
      expect(await metric('spillway_producer_buffered_records{cell="orders"}')).toBe(2),
    );
    const Data = aggregate('a', 'b', 'c').toString('base64');
    const refused = await put([{ PartitionKey: 'outer', Data }]);
    expect(entries(refused).map(({ ErrorCode }) => ErrorCode)).toEqual([
      'ProvisionedThroughputExceededException',
    ]);
    world.east.mode = 'serve';
    await first;
    expect(await put([{ PartitionKey: 'outer', Data }])).toMatchObject({
      document: { FailedRecordCount: 0 },
    });
    expect(texts().filter((text) => text.startsWith('inner'))).toEqual(['inner a', 'inner b', 'inner c']);
    const large = aggregate(...'abcde').toString('base64');
    expect(await put([{ PartitionKey: 'outer', Data: large }])).toMatchObject({
      status: 400,
      document: { __type: 'InvalidArgumentException' },
    });
  });

  it('is grouped again with `aggregate`', async () => {
    world = await startSidecarWorld({ producer: { aggregate: { by: 'key', lingerMs: 20 } } });
    await put([{ PartitionKey: 'outer', Data: aggregate('a', 'a', 'a').toString('base64') }]);
    expect(world.east.records).toHaveLength(1);
    expect(world.east.records[0]?.partitionKey).toBe('a');
    expect(world.events.some(({ event }) => event === 'aggregatesApart')).toBe(false);
  });
});

describe('the end', () => {
  it('answers what is in progress, says that it is draining, and takes no more connections', async () => {
    world = await startSidecarWorld();
    world.east.mode = 'hang';
    const open = put(records(2));
    await vi.waitFor(async () => {
      const text = await (await fetch(`${world.url}/metrics`)).text();
      expect(text).toMatch(/spillway_sidecar_requests_in_progress 1\n/);
    });
    const closing = world.sidecar.close({ timeoutMs: 5_000 });
    expect(world.sidecar.health()).toMatchObject({ ok: false, draining: true });
    await expect(fetch(world.url, { headers: { connection: 'close' } })).rejects.toThrow();
    world.east.mode = 'serve';
    const answer = await open;
    expect(answer).toMatchObject({ status: 200, document: { FailedRecordCount: 0 } });
    expect(answer.headers.get('connection')).toBe('close');
    expect(await closing).toBe(0);
  });
});

describe('the metrics', () => {
  it('count requests, records and errors', async () => {
    world = await startSidecarWorld();
    await put(records(3));
    await ask(world.url, 'PutRecord', { StreamName: 'other', PartitionKey: 'k', Data: '' });
    const answer = await fetch(`${world.url}/metrics`);
    expect(answer.headers.get('content-type')).toContain('text/plain; version=0.0.4');
    const text = await answer.text();
    for (const line of [
      'spillway_sidecar_requests_total{operation="PutRecords",code="ok"} 1',
      'spillway_sidecar_requests_total{operation="PutRecord",code="ResourceNotFoundException"} 1',
      'spillway_sidecar_records_total{cell="orders",outcome="delivered"} 3',
      'spillway_producer_delivered_records{cell="orders"} 3',
      'spillway_producer_region{cell="orders",region="us-east-1"} 1',
    ]) {
      expect(text.split('\n')).toContain(line);
    }
  });
});
