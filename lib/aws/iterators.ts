import { z } from 'zod';
import { type CallTarget, targetOf } from './call-target.ts';

const inputSchema = z.looseObject({ ShardIterator: z.string() });
const outputSchema = z.looseObject({
  ShardIterator: z.string().nullish(),
  NextShardIterator: z.string().nullish(),
});
/** Iterators live for five minutes; a reader has one or two of each shard. */
const MOST_ITERATORS = 500;

/**
 * What calls are about, with the streams of iterators: GetRecords names an iterator alone, and IAM judges the stream that it
 * was made for.
 */
export class Targets {
  readonly #streams = new Map<string, string>();

  of(service: string, input: unknown): CallTarget {
    const target = targetOf(service, input);
    if (service !== 'kinesis' || target.resource !== undefined) return target;
    const parsed = inputSchema.safeParse(input);
    const resource = parsed.success ? this.#streams.get(parsed.data.ShardIterator) : undefined;
    return resource === undefined ? target : { ...target, resource };
  }

  /** Takes in the answer of a call to this stream. */
  answered({ resource }: CallTarget, output: unknown): void {
    const parsed = outputSchema.safeParse(output);
    if (resource === undefined || !parsed.success) return;
    for (const iterator of [parsed.data.ShardIterator, parsed.data.NextShardIterator]) {
      if (iterator) this.#streams.set(iterator, resource);
    }
    for (const oldest of this.#streams.keys()) {
      if (this.#streams.size <= MOST_ITERATORS) return;
      this.#streams.delete(oldest);
    }
  }
}
