import { randomUUID } from 'node:crypto';
import { setTimeout as pause } from 'node:timers/promises';
import { GetItemCommand } from '@aws-sdk/client-dynamodb';
import { DynamoDBDocumentClient } from '@aws-sdk/lib-dynamodb';
import fc from 'fast-check';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import {
  ClaimedElsewhereError,
  ConsumerConfigError,
  Deduplicator,
  DynamoSeenStore,
  type DynamoSeenStoreOptions,
  SeenStoreError,
} from '../../../lib/consumer/index.ts';
import { type DynamoServer, startDynamo } from './dynamo-server.ts';

let dynamo: DynamoServer;
beforeAll(async () => {
  dynamo = await startDynamo();
});
afterAll(() => dynamo.close());
afterEach(() => {
  dynamo.before = () => 'pass';
  dynamo.returnsItems = true;
  dynamo.asked.length = 0;
});

const DAY_MS = 86_400_000;
const START_MS = Date.UTC(2026, 10, 30);
const storeOf = (more: Partial<DynamoSeenStoreOptions> = {}) =>
  new DynamoSeenStore({ client: dynamo.client, table: 'handled', random: () => 0, ...more });
const itemOf = async (id: string) => {
  const { Item } = await dynamo.client.send(
    new GetItemCommand({ TableName: 'handled', Key: { id: { S: id } } }),
  );
  return Item;
};

describe('a store in DynamoDB', () => {
  it('remembers an id for all who share the table, with either client of the SDK', async () => {
    const id = randomUUID();
    const document = storeOf({ client: DynamoDBDocumentClient.from(dynamo.client) });
    expect(await storeOf().seen(id)).toBe(false);
    await document.remember(id);
    expect([await storeOf().seen(id), await document.seen(id)]).toEqual([true, true]);
  });

  it('writes the key, the state, and the second in which the item expires', async () => {
    const id = randomUUID();
    const store = storeOf({ prefix: 'billing/', windowMs: DAY_MS, now: () => START_MS + 1 });
    await new Deduplicator({ store }).once(id, () => {});
    expect(await itemOf(`billing/${id}`)).toEqual({
      id: { S: `billing/${id}` },
      state: { S: 'handled' },
      expiresAt: { N: `${(START_MS + DAY_MS) / 1_000 + 1}` },
    });
    expect(await storeOf().seen(id)).toBe(false);
  });

  it('forgets an id when its time is over, whether DynamoDB has deleted it or not', async () => {
    const id = randomUUID();
    let nowMs = START_MS;
    const store = storeOf({ windowMs: DAY_MS, now: () => nowMs });
    await store.remember(id);
    nowMs += DAY_MS;
    expect(await store.seen(id)).toBe(true);
    expect(await store.claim?.(id)).toEqual({ kind: 'handled' });
    nowMs += 1_000;
    expect(await store.seen(id)).toBe(false);
    expect(await store.claim?.(id)).toMatchObject({ kind: 'claimed' });
  });

  it.each([
    ['a write', true, []],
    ['a write and a read, where the server returns no item with a refusal,', false, ['GetItem']],
  ])('costs two writes for a new record, and %s for a copy', async (_, returnsItems, more) => {
    dynamo.returnsItems = returnsItems;
    const deduplicator = new Deduplicator({ store: storeOf() });
    const id = randomUUID();
    await deduplicator.once(id, () => {});
    expect(dynamo.asked).toEqual(['PutItem', 'PutItem']);
    await deduplicator.once(id, () => {});
    expect(dynamo.asked.slice(2)).toEqual(['PutItem', ...more]);
  });

  it('without claims costs a read and a write for a new record, and a read for a copy', async () => {
    const deduplicator = new Deduplicator({ store: storeOf({ claims: false }) });
    const id = randomUUID();
    for (const duplicate of [false, true])
      expect(await deduplicator.once(id, () => {})).toMatchObject({ duplicate });
    expect(dynamo.asked).toEqual(['GetItem', 'PutItem', 'GetItem']);
  });
});

describe('two consumers that share it', () => {
  it('handle each record once, whatever copies come and whatever fails', { timeout: 30_000 }, async () => {
    const ids = fc.array(fc.integer({ min: 0, max: 6 }), { minLength: 1, maxLength: 25 });
    await fc.assert(
      fc.asyncProperty(ids, ids, fc.infiniteStream(fc.nat(4)), async (one, other, fates) => {
        const prefix = `${randomUUID()}/`;
        const handled: number[] = [];
        const consume = async (stream: readonly number[]) => {
          const deduplicator = new Deduplicator({ store: storeOf({ prefix }) });
          for (const id of stream) {
            const handle = async () => {
              await pause(fates.next().value ?? 0);
              if (fates.next().value === 0) throw new Error('this time');
              handled.push(id);
            };
            await deduplicator
              .once(`${id}`, handle)
              .catch(() => deduplicator.once(`${id}`, () => handled.push(id)));
          }
        };
        await Promise.all([consume(one), consume(other)]);
        expect(handled.toSorted()).toEqual([...new Set([...one, ...other])].toSorted());
      }),
      { numRuns: 15 },
    );
  });

  it('wait for each other, and for one that has died until its claim is over', async () => {
    const id = randomUUID();
    let nowMs = START_MS;
    const store = storeOf({ leaseMs: 60, now: () => nowMs });
    expect(await store.claim?.(id)).toMatchObject({ kind: 'claimed' });
    expect(await store.claim?.(id)).toEqual({ kind: 'claimedElsewhere', leftMs: 60 });
    const hurried = new Deduplicator({ store, maxWaitMs: 0 });
    await expect(hurried.once(id, () => {})).rejects.toThrow(ClaimedElsewhereError);
    const patient = new Deduplicator({ store, maxWaitMs: 10_000 });
    const waiting = patient.once(id, () => 'handled');
    nowMs += 61;
    await expect(waiting).resolves.toEqual({ duplicate: false, value: 'handled' });
  });

  it('do not take each other’s claims away', async () => {
    const id = randomUUID();
    let nowMs = START_MS;
    const store = storeOf({ leaseMs: 1_000, now: () => nowMs });
    const slow = await store.claim?.(id);
    nowMs += 1_001;
    const next = await store.claim?.(id);
    if (slow?.kind !== 'claimed' || next?.kind !== 'claimed') throw new Error('not claimed');
    await slow.claim.release();
    expect(await store.claim?.(id)).toMatchObject({ kind: 'claimedElsewhere' });
    await slow.claim.finish();
    await next.claim.release();
    expect(await store.claim?.(id)).toEqual({ kind: 'handled' });
  });
});

describe('a table that fails', () => {
  it.each([
    ['throttles', { status: 400, type: 'ThrottlingException' }],
    ['throttles by its capacity', { status: 400, type: 'ProvisionedThroughputExceededException' }],
    ['fails', { status: 500, type: 'InternalServerError' }],
    ['carries out what was asked, and its answer is lost', 'lost'],
    ['does not answer', 'hang'],
  ] as const)('once or twice is asked again: it %s', async (_, fate) => {
    let left = 2;
    dynamo.before = () => (left-- > 0 ? fate : 'pass');
    const deduplicator = new Deduplicator({ store: storeOf({ requestTimeoutMs: 300 }) });
    const id = randomUUID();
    await expect(deduplicator.once(id, () => 1)).resolves.toEqual({ duplicate: false, value: 1 });
    await expect(deduplicator.once(id, () => 2)).resolves.toEqual({ duplicate: true });
  });

  it.each([
    ['ThrottlingException', { status: 400, type: 'ThrottlingException' }, 4, /scale on demand/],
    ['TimeoutError', 'hang', 4, /raise `requestTimeoutMs`/],
    [
      'AccessDeniedException',
      { status: 400, type: 'AccessDeniedException' },
      1,
      /dynamodb:PutItem, DeleteItem and GetItem/,
    ],
    ['ResourceNotFoundException', { status: 400, type: 'ResourceNotFoundException' }, 1, /create it/],
  ] as const)('for good is given up, and it is said what to do: %s', async (name, fate, attempts, advice) => {
    dynamo.before = () => fate;
    const handled: string[] = [];
    const requestTimeoutMs = fate === 'hang' ? 30 : 5_000;
    const deduplicator = new Deduplicator({ store: storeOf({ requestTimeoutMs }) });
    const failing = deduplicator.once('x', () => handled.push('x'));
    await expect(failing).rejects.toThrow(SeenStoreError);
    await expect(failing).rejects.toThrow(advice);
    await expect(failing).rejects.toMatchObject({ cause: { name } });
    expect([dynamo.asked.length, handled]).toEqual([attempts, []]);
  });

  it('with another key is told apart', async () => {
    await expect(storeOf({ keyAttribute: 'recordId' }).remember('x')).rejects.toThrow(/`keyAttribute`/);
  });

  it('keeps the failure of the handler in sight when the claim cannot be given back', async () => {
    const deduplicator = new Deduplicator({ store: storeOf({ attempts: 1 }) });
    dynamo.before = (operation) =>
      operation === 'DeleteItem' ? { status: 500, type: 'InternalServerError' } : 'pass';
    const failing = deduplicator.once(randomUUID(), () => Promise.reject(new Error('no room')));
    await expect(failing).rejects.toThrow('no room');
    expect(dynamo.asked).toEqual(['PutItem', 'DeleteItem']);
  });
});

it.each([
  [{ client: {} }, /DynamoDBClient/],
  [{ table: '' }, /name or the ARN/],
  [{ keyAttribute: 'state' }, /differ/],
  [{ keyAttribute: 'expiresAt' }, /differ/],
  [{ leaseMs: 0 }, /above 0/],
  [{ windowMs: Number.NaN }, /above 0/],
  [{ windowMs: 10, leaseMs: 20 }, /shorter than `leaseMs`/],
  [{ attempts: 0 }, /from 1 to 20/],
])('options that cannot be used are refused: %o', (wrong, why) => {
  expect(() => storeOf(wrong as never)).toThrow(ConsumerConfigError);
  expect(() => storeOf(wrong as never)).toThrow(why);
});

it('an id that is none is refused', async () => {
  await expect(storeOf().seen('')).rejects.toThrow(/pass `recordId`/);
  await expect(storeOf().claim?.(undefined as never)).rejects.toThrow(ConsumerConfigError);
});
