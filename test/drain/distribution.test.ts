import { describe, expect, it } from 'vitest';
import { AggregateEncoder } from '../../lib/aggregate/encoder.ts';
import { chunksOf } from '../../lib/drain/chunks.ts';
import { DrainError, DrainUsageError } from '../../lib/drain/errors.ts';
import { putAll } from './fixtures/kinesis.ts';
import { clientFor } from './fixtures/plain-client.ts';
import type { Fate, TappedCall } from './fixtures/tap.ts';
import { drainWorld, EAST, numbered, WEST } from './fixtures/world.ts';

const world = drainWorld();
const KEYLESS = 'without-a-key';

interface Answer {
  StreamDescriptionSummary?: Record<string, unknown>;
  Records?: Record<string, unknown>[];
}

/**
 * kinesis-local knows no service-managed distribution: in between, its answers get the field, and records with this key lose it on
 * their way out.
 */
function serviceManaged(...regions: readonly string[]): void {
  world.tap.after = ({ operation, region }: TappedCall, bytes: Buffer): Fate => {
    if (operation !== 'DescribeStreamSummary' && operation !== 'GetRecords') return 'pass';
    const answer = JSON.parse(bytes.toString()) as Answer;
    const summary = answer.StreamDescriptionSummary;
    if (summary !== undefined && regions.includes(region)) summary.RecordDistributionStrategy = 'AUTO';
    for (const record of answer.Records ?? [])
      if (record.PartitionKey === KEYLESS && region === EAST) delete record.PartitionKey;
    return { status: 200, body: answer };
  };
}

describe('a record without a partition key', () => {
  it('is refused by a target that places by key, before anything of its page is written', async () => {
    serviceManaged(EAST);
    await putAll(world.east, world.stream, [
      ['k', '1'],
      [KEYLESS, '2'],
      ['k', '3'],
    ]);
    for (const dryRun of [true, false]) {
      const error = await world.run({ dryRun }).catch((reason: unknown) => reason);
      expect(error).toBeInstanceOf(DrainError);
      const { message } = error as Error;
      expect(message).toContain(`${world.stream} in ${EAST}, shardId-000000000000: the record `);
      expect(message).toMatch(
        /no partition key.*places records by their keys.*--to-stream.*--region us-west-2.*AUTO/,
      );
    }
    expect(world.puts()).toBe(0);
  });

  it('goes without one to a target that is service-managed, when the same command is run again', async () => {
    serviceManaged(EAST);
    await putAll(world.east, world.stream, [
      ...numbered(0, 5),
      [KEYLESS, 'x'],
      [KEYLESS, 'x'],
      [KEYLESS, 'y'],
    ]);
    const plan = await world.plan();
    await expect(world.run({ plan })).rejects.toThrow(DrainError);
    serviceManaged(EAST, WEST);
    // kinesis-local does refuse a record without a key, so the put itself is looked at.
    const sent: unknown[] = [];
    let unordered = 0;
    await world
      .run({
        plan,
        onUnordered: () => unordered++,
        clientOf: (region) => {
          const client = clientFor(world.tap.url, region);
          client.middlewareStack.add(
            (next, { commandName }) =>
              (args) => {
                const { Records = [] } = args.input as { Records?: Record<string, unknown>[] };
                if (commandName !== 'PutRecordsCommand') return next(args);
                sent.push(...Records.map(({ PartitionKey }) => PartitionKey));
                for (const record of Records) record.PartitionKey ??= 'any';
                return next(args);
              },
            { step: 'initialize' },
          );
          return client;
        },
      })
      .then(({ counts }) => expect(counts).toMatchObject({ read: 8, copied: 8 }));
    expect(sent.filter((key) => key === undefined)).toHaveLength(3);
    expect(sent.toSorted()).toEqual(['k0', 'k1', 'k2', 'k3', 'k4', undefined, undefined, undefined]);
    expect(unordered).toBe(1);
  });

  it('shares a request with others that can be told apart', () => {
    const record = (fingerprint: string) => ({ partitionKey: '', fingerprint, data: new Uint8Array(1) });
    expect(
      chunksOf([record('a'), record('b'), record('a'), record('c')]).map(({ length }) => length),
    ).toEqual([3, 1]);
  });
});

it('refuses to copy aggregates as they are to a target that is service-managed', async () => {
  serviceManaged(WEST);
  const encoder = new AggregateEncoder({ maxBytes: 1_000 });
  encoder.add({ partitionKey: 'k', data: Buffer.from('1') });
  await putAll(world.east, world.stream, [['whole', Buffer.from(encoder.finish())]]);
  const plan = { ...(await world.plan()), allowAggregated: true };
  await expect(world.run({ plan })).rejects.toThrow(DrainUsageError);
  expect(world.puts()).toBe(0);
  expect((await world.run()).counts).toMatchObject({ copied: 1, aggregates: 1 });
});
