import { DynamoDBClient } from '@aws-sdk/client-dynamodb';
import fc from 'fast-check';
import { afterEach, describe, expect, it } from 'vitest';
import { clientSettings } from '../../lib/aws/clients.ts';
import { type Lease, parseLeaseItem } from '../../lib/consumers/lease-item.ts';
import { leasesOf, readLeaseTable } from '../../lib/consumers/leases.ts';
import { type Answer, startFakeRegion } from '../survey/fake-region.ts';
import { anyLease, itemOf } from './lease-samples.ts';

/** What KCL 1 and 2 know of a lease. */
const asOld = ({ hashKeys: _, throughputKBps: _t, checkpointOwner: _o, ...lease }: Lease): Lease => ({
  ...lease,
  children: [],
});

describe('an item of a lease table', () => {
  it('is read as KCL 1 and 2 write it', () => {
    fc.assert(
      fc.property(anyLease, (lease) => {
        expect(parseLeaseItem(itemOf(lease))).toEqual(asOld(lease));
      }),
    );
  });

  it('names stream and shard in its key, where the application reads several streams', () => {
    fc.assert(
      fc.property(anyLease, (lease) => {
        const { streamName: _, shardId: _s, ...item } = itemOf(lease);
        expect(parseLeaseItem(item)).toEqual(asOld(lease));
      }),
    );
  });

  it.each(['LEADER', 'STREAM', 'WORKER_METRIC_STATS', 'SOMETHING_NEW'])(
    'is no lease when KCL 3 says %s',
    (kind) => {
      expect(parseLeaseItem({ leaseKey: { S: 'any' }, entityType: { S: kind } })).toBe('other');
    },
  );

  it('is damaged without a checkpoint, and with one that is none', () => {
    const item = { leaseKey: { S: 'shardId-1' }, leaseCounter: { N: '1' } };
    expect(parseLeaseItem(item)).toBe('damaged');
    expect(parseLeaseItem({ ...item, checkpoint: { S: 'somewhere' } })).toBe('damaged');
    expect(parseLeaseItem({ ...item, checkpoint: { N: '7' } })).toBe('damaged');
  });

  it('never makes the parser throw', () => {
    const value = fc.oneof(
      fc.string().map((S) => ({ S })),
      fc.string().map((N) => ({ N })),
      fc.array(fc.string()).map((SS) => ({ SS })),
      fc.boolean().map((BOOL) => ({ BOOL })),
    );
    const names = fc.constantFrom(...Object.keys(itemOf(fc.sample(anyLease, 1)[0] as Lease)), 'else');
    fc.assert(fc.property(fc.dictionary(names, value), (item) => void parseLeaseItem(item)));
  });
});

let close: () => Promise<void> = async () => {};
afterEach(() => close());

async function reading(answer: (operation: string, body: Readonly<Record<string, unknown>>) => Answer) {
  const region = await startFakeRegion(({ operation, body }) => answer(operation, body));
  const client = new DynamoDBClient({
    ...clientSettings('us-east-1', { timeoutMs: 1_000, maxSockets: 4 }),
    endpoint: region.url,
    credentials: { accessKeyId: 'x', secretAccessKey: 'y' },
  });
  close = async () => {
    client.destroy();
    await region.close();
  };
  return { table: await readLeaseTable({ client, table: 'app', timeoutMs: 500 }), asked: region.asked };
}

const described = (key = 'leaseKey') => ({
  Table: {
    KeySchema: [{ AttributeName: key, KeyType: 'HASH' }],
    AttributeDefinitions: [{ AttributeName: key, AttributeType: 'S' }],
    TableStatus: 'ACTIVE',
    CreationDateTime: 1_790_000_000,
  },
});
const leases = fc
  .sample(anyLease, { numRuns: 5, seed: 7 })
  .map((lease, n) => asOld({ ...lease, counter: n }));
const items = leases.map(itemOf);

describe('a lease table', () => {
  it('is read over all its pages', async () => {
    const { table, asked } = await reading((operation, body) => {
      if (operation === 'DescribeTable') return described();
      const first = body.ExclusiveStartKey === undefined;
      return first
        ? { Items: items.slice(0, 2), LastEvaluatedKey: { leaseKey: { S: 'x' } } }
        : { Items: [...items.slice(2), { leaseKey: { S: 'lead' }, entityType: { S: 'LEADER' } }] };
    });
    expect(table).toEqual({
      ...{ state: 'leases', leases, complete: true, damaged: 0, createdAtMs: 1_790_000_000_000 },
    });
    expect(asked.map(({ operation }) => operation)).toEqual(['DescribeTable', 'Scan', 'Scan']);
    expect(asked[1]?.body).toMatchObject({ ConsistentRead: true });
  });

  it('needs no right to describe it', async () => {
    const { table } = await reading((operation) =>
      operation === 'Scan' ? { Items: items } : 'AccessDeniedException',
    );
    expect(table).toEqual({ state: 'leases', leases, complete: true, damaged: 0 });
  });

  it('may be empty', async () => {
    const { table } = await reading((operation) => (operation === 'Scan' ? { Items: [] } : described()));
    expect(table).toMatchObject({ state: 'leases', leases: [], complete: true });
  });

  it('is said to be unfinished when it is larger than what is read', async () => {
    const { table, asked } = await reading((operation) =>
      operation === 'Scan' ? { Items: items, LastEvaluatedKey: { leaseKey: { S: 'x' } } } : described(),
    );
    expect(table).toMatchObject({ state: 'leases', complete: false });
    expect(asked).toHaveLength(51);
  });

  const scanned = (answer: Answer) => (operation: string) => (operation === 'Scan' ? answer : described());
  it.each([
    ['missing', () => 400],
    ['refused', () => 'AccessDeniedException'],
    ['foreign', () => described('id')],
    ['foreign', scanned({ Items: [{ leaseKey: { S: 'a' } }] })],
    ['refused', scanned('AccessDeniedException')],
    ['unanswered', scanned(500)],
    ['unanswered', () => undefined],
  ] as const)('is %s', async (state, answer) => {
    const { table } = await reading(answer);
    expect(table).toMatchObject({ state });
  });
});

describe('leases of a stream', () => {
  it('are those that name it, and those that name none', () => {
    const [lease] = leases as [Lease];
    const { stream: _, ...own } = lease;
    const mine = { ...lease, stream: { name: 'orders' } };
    const others = { ...lease, stream: { name: 'returns' } };
    expect(leasesOf([own, mine, others], 'orders')).toEqual([own, mine]);
  });
});
