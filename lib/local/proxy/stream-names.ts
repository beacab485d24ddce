import { z } from 'zod';
import type { RequestFacts } from '../../scenario/request-facts.ts';
import { wireContent } from '../../scenario/wire-content.ts';

const requestSchema = z.looseObject({
  StreamName: z.string().optional(),
  StreamARN: z.string().optional(),
  ShardIterator: z.string().optional(),
});
const answerSchema = z.looseObject({
  ShardIterator: z.string().nullish(),
  NextShardIterator: z.string().nullish(),
});

/** Iterators live for five minutes, and observers ask for new ones in each round. */
const MOST_ITERATORS = 2_000;

/**
 * The stream of each call to Kinesis, as scenarios name it. GetRecords names an iterator alone: its stream is known from
 * the answer that brought the iterator.
 */
export class StreamNames {
  readonly #names: ReadonlyMap<string, string>;
  readonly #iterators = new Map<string, string>();

  /** `names`: the cell of a stream, or `canary`, by `region/stream`. */
  constructor(names: ReadonlyMap<string, string>) {
    this.#names = names;
  }

  of({ region, service }: RequestFacts, body: Buffer): string | undefined {
    if (service !== 'kinesis') return undefined;
    const parsed = requestSchema.safeParse(wireContent(body)?.value);
    if (!parsed.success) return undefined;
    const { StreamName, StreamARN, ShardIterator } = parsed.data;
    const name = StreamName ?? StreamARN?.split('/').at(-1);
    if (name !== undefined) return this.#names.get(`${region}/${name}`);
    return ShardIterator === undefined ? undefined : this.#iterators.get(ShardIterator);
  }

  /** Takes in the answer of a call to this stream. */
  answered(stream: string, content: Buffer): void {
    const parsed = answerSchema.safeParse(wireContent(content)?.value);
    if (!parsed.success) return;
    for (const iterator of [parsed.data.ShardIterator, parsed.data.NextShardIterator]) {
      if (iterator) this.#iterators.set(iterator, stream);
    }
    for (const oldest of this.#iterators.keys()) {
      if (this.#iterators.size <= MOST_ITERATORS) return;
      this.#iterators.delete(oldest);
    }
  }
}
