import { appendFileSync } from 'node:fs';
import type { KinesisStreamBatchResponse, KinesisStreamEvent } from 'aws-lambda';
import { processRecords } from '../../consumer/process-records.ts';
import type { Processed } from './ledger.ts';
import { LEDGER } from './settings.ts';

const file = process.env[LEDGER] ?? '';

/** A consumer as an application would have one: records are taken apart, and marked ones are left out, by `spillway/consumer`. */
export async function handler(event: KinesisStreamEvent): Promise<KinesisStreamBatchResponse> {
  const lines: string[] = [];
  const answer = await processRecords(event, ({ data }) => {
    const processed: Processed = { id: Buffer.from(data).toString(), atMs: Date.now() };
    lines.push(`${JSON.stringify(processed)}\n`);
  });
  if (lines.length > 0) appendFileSync(file, lines.join(''));
  return answer;
}
