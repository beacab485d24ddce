import { BatchProcessor, EventType, processPartialResponse } from '@aws-lambda-powertools/batch';
import type { KinesisStreamHandler, KinesisStreamRecord } from 'aws-lambda';
import { describe, expect, it } from 'vitest';
import { Deduplicator, type EventRecord, processRecord } from '../../lib/consumer/index.ts';
import { aggregate, damaged, enveloped, eventOf, probe } from './fixtures/lambda-event.ts';

const group = (...data: readonly Uint8Array[]): Buffer =>
  aggregate(...data.map((one) => ({ partitionKey: 'k', data: one })));

function application(...failing: readonly string[]) {
  const handled: string[] = [];
  const left = new Set(failing);
  const handle = async ({ data }: EventRecord<KinesisStreamRecord>) => {
    const text = Buffer.from(data).toString();
    if (left.has(text)) throw new Error(`cannot handle ${text}`);
    handled.push(text);
  };
  const processor = new BatchProcessor(EventType.KinesisDataStreams);
  const deduplicator = new Deduplicator();
  const recordHandler = (record: KinesisStreamRecord) => processRecord(record, handle, { deduplicator });
  const handler: KinesisStreamHandler = async (event, context) =>
    processPartialResponse(event, recordHandler, processor, { context, processInParallel: false });
  return {
    handled,
    recover: () => left.clear(),
    invoke: (event: object) => handler(event as never, {} as never, () => {}),
  };
}

describe("in the record handler of Powertools' batch processor", () => {
  it('records are taken apart, unwrapped, and marked ones left out', async () => {
    const { handled, invoke } = application();
    expect(await invoke(eventOf(group(enveloped(1), enveloped(2)), probe, Buffer.from('3')))).toEqual({
      batchItemFailures: [],
    });
    expect(handled).toEqual(['1', '2', '3']);
  });

  it('a failed record of an aggregate reports the aggregate, and is all that is handled when it comes again', async () => {
    const { handled, invoke, recover } = application('2');
    const event = eventOf(group(enveloped(1), enveloped(2)), enveloped(3));
    expect(await invoke(event)).toEqual({ batchItemFailures: [{ itemIdentifier: '100' }] });
    recover();
    expect(await invoke(event)).toEqual({ batchItemFailures: [] });
    // Powertools goes on after a failure: where the order of a key matters, `processRecords` does not.
    expect(handled).toEqual(['1', '3', '2']);
  });

  it('a bad record is reported', async () => {
    const { invoke } = application();
    const event = eventOf(enveloped(1), damaged(enveloped(2)));
    expect(await invoke(event)).toEqual({ batchItemFailures: [{ itemIdentifier: '101' }] });
  });
});
