import type { MappingFacts, StreamOfCell } from '../../lambda/core/consumer-facts.ts';
import { isStream } from '../../lambda/core/consumer-rules.ts';
import { functionParts, isOfFunction } from './mapping-facts.ts';
import type { MappingsRead } from './mappings.ts';

/** Mappings by what they read and by whom they call: a thousand cells look for theirs among thousands. */
export class MappingIndex {
  readonly complete: boolean;
  readonly #byStream: ReadonlyMap<string, readonly MappingFacts[]>;
  readonly #byFunction: ReadonlyMap<string, readonly MappingFacts[]>;

  constructor({ mappings, complete }: MappingsRead) {
    this.complete = complete;
    this.#byStream = Map.groupBy(mappings, ({ source }) => streamName(source));
    this.#byFunction = Map.groupBy(mappings, ({ function: arn }) => functionParts(arn).name);
  }

  /** Of a stream, and of its registered consumers. */
  onStream(stream: StreamOfCell): readonly MappingFacts[] {
    const named = this.#byStream.get(stream.name) ?? [];
    return named.filter(({ source }) => isStream(source, stream));
  }

  ofFunction(declared: string): readonly MappingFacts[] {
    const named = this.#byFunction.get(functionParts(declared).name) ?? [];
    return named.filter((mapping) => isOfFunction(mapping, declared));
  }
}

/** The name of the stream in its own ARN, or in that of a registered consumer of it. */
export const streamName = (arn: string): string => arn.split('/')[1] ?? '';
