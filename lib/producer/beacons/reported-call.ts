import type { PutRecordsCommandOutput, ServiceOutputTypes } from '@aws-sdk/client-kinesis';
import { RecordFailure } from '../errors.ts';
import type { PutInput } from '../put-input.ts';
import type { BeaconReporter } from './reporter.ts';

interface Call {
  readonly beacons: BeaconReporter;
  readonly region: string;
  readonly target: PutInput;
  readonly abortSignal: AbortSignal | undefined;
}

/** Makes a call of PutRecord or PutRecords, and counts what becomes of it. @throws what the call throws */
export async function reported<Output extends ServiceOutputTypes>(
  send: () => Promise<Output>,
  { beacons, region, target, abortSignal }: Call,
): Promise<Output> {
  const stream = streamIn(target);
  const records = 'Records' in target ? (target.Records?.length ?? 0) : 1;
  const startedMs = performance.now();
  const tell = (refused: readonly unknown[], failure?: unknown): void =>
    beacons.answered({ region, stream, records, tookMs: performance.now() - startedMs, refused, failure });
  try {
    const output = await send();
    tell(refusedIn(output as Partial<PutRecordsCommandOutput>));
    return output;
  } catch (error) {
    // Whoever gives up a call by himself accuses nobody.
    if (abortSignal?.aborted !== true) tell([], error);
    throw error;
  }
}

function streamIn({ StreamName, StreamARN = '' }: PutInput): string {
  return StreamName ?? StreamARN.slice(StreamARN.indexOf('/') + 1);
}

function refusedIn({
  FailedRecordCount = 0,
  Records = [],
}: Partial<PutRecordsCommandOutput>): readonly unknown[] {
  if (FailedRecordCount === 0) return [];
  return Records.flatMap(({ ErrorCode, ErrorMessage = '' }) =>
    ErrorCode === undefined ? [] : [new RecordFailure(ErrorCode, ErrorMessage)],
  );
}
