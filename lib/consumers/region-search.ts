import type { StreamOfCell } from '../../lambda/core/consumer-facts.ts';
import type { Cell } from '../config/config.ts';
import { listRegistered, type RegisteredConsumer } from './fan-out.ts';
import { functionParts, isOfFunction } from './mapping-facts.ts';
import { MappingIndex } from './mapping-index.ts';
import { FEW_SOURCES, type MappingsRead, readMappings } from './mappings.ts';
import {
  type CellInRegion,
  declaredFunctions,
  each,
  type FoundConsumer,
  type RegionQuestion,
  streamOf,
} from './region-question.ts';

/** Who is registered with a stream whose consumers nobody has named; undefined: not known, or not asked. */
export type Registered = readonly RegisteredConsumer[] | undefined;

export function readRegistered(question: RegionQuestion): Promise<readonly Registered[]> {
  const { cells, clients, asker } = question;
  return each(cells, async (cell): Promise<Registered> => {
    const { arn } = streamOf(question, cell);
    if (cell.consumers !== undefined || arn === undefined) return undefined;
    return listRegistered(asker, { client: clients.kinesis, stream: arn });
  });
}

/** The mappings of the region that may be about these cells: by stream where there are few, else all of the account. */
export const searchMappings = async (
  question: RegionQuestion,
  registered: readonly Registered[],
): Promise<MappingIndex> => new MappingIndex(await readSome(question, registered));

async function readSome(question: RegionQuestion, registered: readonly Registered[]): Promise<MappingsRead> {
  const { cells, clients, asker } = question;
  const wanted = cells.filter(
    ({ consumers }) => consumers === undefined || consumers.some(({ kind }) => kind === 'lambda'),
  );
  if (wanted.length === 0) return { mappings: [], complete: true };
  const arns = wanted.map((cell) => streamOf(question, cell).arn);
  const known = arns.filter((arn) => arn !== undefined);
  const fanOuts = registered.flatMap((some) => (some ?? []).map(({ arn }) => arn));
  const sources = [...new Set([...known, ...fanOuts])];
  if (known.length < arns.length || sources.length > FEW_SOURCES) {
    return readMappings(asker, clients.lambda, [{}]);
  }
  const byStream = await readMappings(
    asker,
    clients.lambda,
    sources.map((EventSourceArn) => ({ EventSourceArn })),
  );
  if (!byStream.complete) return byStream;
  // A function that reads none of them may read another stream, or a registered consumer of one.
  const lost = declaredFunctions(question).filter(
    (named) => !byStream.mappings.some((mapping) => isOfFunction(mapping, named)),
  );
  const elsewhere = await readMappings(
    asker,
    clients.lambda,
    lost.map((FunctionName) => ({ FunctionName })),
  );
  return {
    mappings: [...byStream.mappings, ...elsewhere.mappings],
    complete: elsewhere.complete,
  };
}

/** What is found of a cell whose consumers nobody has named. */
export function foundOf(
  { consumers }: Cell,
  stream: StreamOfCell,
  { mappings, registered }: { readonly mappings: MappingIndex; readonly registered: Registered },
): CellInRegion {
  if (consumers !== undefined) return { stream, declared: [], found: [], searched: true };
  const own = mappings.onStream(stream);
  const byFunction = Map.groupBy(own, ({ function: arn }) => nameWithQualifier(arn));
  const lambdas = [...byFunction].map(
    ([name, some]): FoundConsumer => ({
      kind: 'lambda',
      name,
      facts: { kind: 'lambda', mappings: some },
    }),
  );
  // One that a mapping uses is the function's.
  const fanOuts = (registered ?? [])
    .filter(({ arn }) => !own.some(({ source }) => source === arn))
    .map(
      ({ name, status }): FoundConsumer => ({
        kind: 'enhancedFanOut',
        name,
        facts: { kind: 'enhancedFanOut', status },
      }),
    );
  const searched = mappings.complete && registered !== undefined;
  return { stream, declared: [], found: [...lambdas, ...fanOuts], searched };
}

function nameWithQualifier(arn: string): string {
  const { name, qualifier } = functionParts(arn);
  return qualifier === undefined ? name : `${name}:${qualifier}`;
}
