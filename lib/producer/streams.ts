import { Writable } from 'node:stream';
import type { Receipt } from './entry.ts';
import type { ProducerRecord } from './record.ts';

const DEFAULT_WINDOW = 1_000;
const DEFAULT_HIGH_WATER_MARK = 1_000;

/** Receipts in the order of the source, at most `window` of them outstanding. The first failure ends it. */
export async function* receiptsOf(
  put: (record: ProducerRecord) => Promise<Receipt>,
  source: AsyncIterable<ProducerRecord> | Iterable<ProducerRecord>,
  { window = DEFAULT_WINDOW }: { readonly window?: number },
): AsyncGenerator<Receipt, void, undefined> {
  const outstanding: Promise<Receipt>[] = [];
  for await (const record of source) {
    const receipt = put(record);
    // Its failure is thrown when its turn comes, and must not end the process before.
    receipt.catch(() => {});
    outstanding.push(receipt);
    if (outstanding.length >= window) yield await (outstanding.shift() as Promise<Receipt>);
  }
  for (const receipt of outstanding) yield await receipt;
}

/** What is written together is put together; the stream takes more when that is acknowledged. */
export function writableOf(
  putMany: (records: readonly ProducerRecord[]) => Promise<unknown>,
  { highWaterMark = DEFAULT_HIGH_WATER_MARK }: { readonly highWaterMark?: number },
): Writable {
  const put = (records: readonly ProducerRecord[], done: (error?: Error | null) => void): void => {
    putMany(records).then(
      () => done(),
      (error: unknown) => done(error instanceof Error ? error : new Error(String(error))),
    );
  };
  return new Writable({
    objectMode: true,
    highWaterMark,
    write: (record: ProducerRecord, _encoding, done) => put([record], done),
    writev: (chunks, done) =>
      put(
        chunks.map(({ chunk }) => chunk as ProducerRecord),
        done,
      ),
  });
}
