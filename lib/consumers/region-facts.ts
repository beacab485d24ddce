import type {
  ConsumerFacts,
  LambdaFacts,
  MappingFacts,
  OtherFacts,
  StreamOfCell,
} from '../../lambda/core/consumer-facts.ts';
import { isStream } from '../../lambda/core/consumer-rules.ts';
import type { ConsumerSpec } from '../../lambda/core/consumers.ts';
import { type Cell, streamReference } from '../config/config.ts';
import { readAlarms } from './alarms.ts';
import { readFanOut } from './fan-out.ts';
import { readFunction } from './functions.ts';
import { readKcl } from './kcl.ts';
import { isOfFunction } from './mapping-facts.ts';
import type { MappingsRead } from './mappings.ts';
import {
  type CellInRegion,
  declaredFunctions,
  each,
  type RegionQuestion,
  streamOf,
} from './region-question.ts';

type FunctionsByName = ReadonlyMap<string, LambdaFacts['function']>;

/** Adds the facts of the consumers that the config names, and of the functions that were found. */
export async function withFacts(
  question: RegionQuestion,
  cells: readonly CellInRegion[],
  mappings: MappingsRead,
): Promise<readonly CellInRegion[]> {
  const { cells: config, role, clients, asker } = question;
  const specs = config.flatMap(({ consumers = [] }) => consumers);
  const [alarms, functions] = await Promise.all([
    readAlarms(asker, {
      client: clients.cloudWatch,
      names: specs.flatMap(({ alarm }) => alarm?.[role] ?? []),
    }),
    readFunctions(question, cells),
  ]);
  return each(cells, async (known, n) => {
    const cell = config[n];
    if (cell === undefined) return known;
    const declared = await each(cell.consumers ?? [], (spec) => {
      const alarm = spec.alarm && alarms.get(spec.alarm[role]);
      return factsOf(question, spec, { cell, stream: known.stream, mappings, functions, alarm });
    });
    const found = known.found.map(({ facts, ...rest }) => ({
      ...rest,
      facts: facts.kind === 'lambda' ? withFunction(facts, functions.get(rest.name)) : facts,
    }));
    return { ...known, declared, found };
  });
}

/** The functions that the config names; and those that were found, of which a policy knows nothing. */
async function readFunctions(
  question: RegionQuestion,
  cells: readonly CellInRegion[],
): Promise<FunctionsByName> {
  const { clients, asker } = question;
  const named = declaredFunctions(question);
  const found = cells.flatMap((cell) =>
    cell.found.flatMap(({ kind, name }) => (kind === 'lambda' ? name : [])),
  );
  const all = [...new Set([...named, ...found])];
  const facts = await each(all, (one) =>
    readFunction(asker, { client: clients.lambda, function: one, welcome: !named.includes(one) }),
  );
  return new Map(all.map((one, n) => [one, facts[n]]));
}

interface Known {
  readonly cell: Cell;
  readonly stream: StreamOfCell;
  readonly mappings: MappingsRead;
  readonly functions: FunctionsByName;
  readonly alarm: OtherFacts['alarm'] | undefined;
}

async function factsOf(
  question: RegionQuestion,
  { kind, name }: ConsumerSpec,
  { cell, stream, mappings, functions, alarm }: Known,
): Promise<ConsumerFacts | undefined> {
  const { clients, asker, role, nowMs, deep, looksMs } = question;
  const own = name[role];
  switch (kind) {
    case 'lambda':
      return withFunction(lambdaFacts(question, own, { stream, mappings }), functions.get(own));
    case 'kcl': {
      const looks = deep ? looksMs : (looksMs ?? []);
      const kinesis = { client: clients.kinesis, stream: streamReference(cell.streams[role]) };
      return readKcl(asker, {
        ...{ dynamo: clients.dynamo, table: own, name: stream.name, nowMs },
        ...(deep && { kinesis }),
        ...(looks !== undefined && { looksMs: looks }),
      });
    }
    case 'enhancedFanOut':
      if (stream.arn === undefined) return undefined;
      return readFanOut(asker, { client: clients.kinesis, stream: stream.arn, name: own });
    case 'firehose': {
      const { readFirehose } = await import('./firehose.ts');
      return readFirehose(asker, { client: await clients.firehose(), name: own });
    }
    case 'other':
      return { kind, ...(alarm !== undefined && { alarm }) };
    default:
      return kind satisfies never;
  }
}

function lambdaFacts(
  question: RegionQuestion,
  name: string,
  { stream, mappings }: { readonly stream: StreamOfCell; readonly mappings: MappingsRead },
): LambdaFacts {
  const own = mappings.mappings.filter((mapping) => isOfFunction(mapping, name));
  const here = own.filter(({ source }) => isStream(source, stream));
  if (here.length === 0 && !mappings.complete) return { kind: 'lambda' };
  const elsewhere = own.filter((mapping) => !isOfACell(question, mapping, name));
  return { kind: 'lambda', mappings: here, elsewhere: elsewhere.map(({ source }) => source) };
}

/** Whether a mapping reads the stream of a cell that has this function. */
const isOfACell = (question: RegionQuestion, { source }: MappingFacts, name: string): boolean =>
  question.cells.some(
    (cell) =>
      (cell.consumers ?? []).some((one) => one.kind === 'lambda' && one.name[question.role] === name) &&
      isStream(source, streamOf(question, cell)),
  );

const withFunction = (facts: LambdaFacts, one: LambdaFacts['function']): LambdaFacts =>
  one === undefined ? facts : { ...facts, function: one };
