import {
  type EventSourceMappingConfiguration,
  type LambdaClient,
  ListEventSourceMappingsCommand,
} from '@aws-sdk/client-lambda';
import pMap from 'p-map';
import type { MappingFacts } from '../../lambda/core/consumer-facts.ts';
import type { Asker } from './asker.ts';
import { mappingFacts } from './mapping-facts.ts';

/** Lambda gives up to 100 in an answer, and an account may have tens of thousands. */
const MAX_PAGES = 500;
/** Of more streams than this, all mappings of the account take fewer calls. */
export const FEW_SOURCES = 25;
const PARALLEL = 4;

export type MappingQuestion =
  | { readonly EventSourceArn: string }
  | { readonly FunctionName: string }
  | Readonly<Record<string, never>>;

export interface MappingsRead {
  readonly mappings: readonly MappingFacts[];
  /** False: some are missing, so that none is known to be absent. */
  readonly complete: boolean;
}

/** The mappings that these questions are answered with, each once. */
export async function readMappings(
  asker: Asker,
  client: LambdaClient,
  questions: readonly MappingQuestion[],
): Promise<MappingsRead> {
  const answers = await pMap(questions, (question) => readAll(asker, client, question), {
    concurrency: PARALLEL,
  });
  const byId = new Map(answers.flatMap(({ mappings }) => mappings).map((one) => [one.uuid, one]));
  return { mappings: [...byId.values()], complete: answers.every(({ complete }) => complete) };
}

async function readAll(asker: Asker, client: LambdaClient, question: MappingQuestion): Promise<MappingsRead> {
  const found: EventSourceMappingConfiguration[] = [];
  let Marker: string | undefined;
  for (let page = 0; page < MAX_PAGES; page++) {
    const from = Marker;
    const answer = await asker.ask({
      service: 'Lambda',
      action: 'lambda:ListEventSourceMappings',
      ask: (abortSignal) =>
        client.send(
          new ListEventSourceMappingsCommand({ ...question, ...(from !== undefined && { Marker: from }) }),
          { abortSignal },
        ),
    });
    // A function, or a registered consumer, that is not there has no mappings.
    if (answer === 'missing') return { mappings: [], complete: true };
    if (answer === undefined) return { mappings: factsOf(found), complete: false };
    found.push(...(answer.value.EventSourceMappings ?? []));
    Marker = answer.value.NextMarker;
    if (!Marker) return { mappings: factsOf(found), complete: true };
  }
  return { mappings: factsOf(found), complete: false };
}

const factsOf = (found: readonly EventSourceMappingConfiguration[]): readonly MappingFacts[] =>
  found.flatMap((mapping) => mappingFacts(mapping) ?? []);
