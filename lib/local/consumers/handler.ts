import { appendFileSync } from 'node:fs';
import type { KinesisStreamBatchResponse, KinesisStreamEvent } from 'aws-lambda';
import { takeApart } from '../../consumer/take-apart.ts';
import type { Processed } from './ledger.ts';
import { LEDGER } from './settings.ts';

const file = process.env[LEDGER] ?? '';

/** A consumer as an application would have one: it takes records apart, skips marked ones, and does its work on the rest. */
export async function handler({ Records }: KinesisStreamEvent): Promise<KinesisStreamBatchResponse> {
  const records = Records.flatMap(({ kinesis }) => takeApart(kinesis));
  const lines = records.flatMap((record) => {
    if (record.probe !== undefined || !('data' in record)) return [];
    const processed: Processed = { id: Buffer.from(record.data).toString(), atMs: Date.now() };
    return [`${JSON.stringify(processed)}\n`];
  });
  if (lines.length > 0) appendFileSync(file, lines.join(''));
  return { batchItemFailures: [] };
}
