import type {
  ConsumerFacts,
  LambdaFacts,
  OtherFacts,
  StreamOfCell,
} from '../../lambda/core/consumer-facts.ts';
import type { ConsumerSpec } from '../../lambda/core/consumers.ts';
import { type Cell, streamReference } from '../config/config.ts';
import { readAlarms } from './alarms.ts';
import { readFanOut } from './fan-out.ts';
import { readFunction } from './functions.ts';
import { readKcl } from './kcl.ts';
import { isOfFunction } from './mapping-facts.ts';
import { type MappingIndex, streamName } from './mapping-index.ts';
import { type CellInRegion, declaredFunctions, each, MANY, type RegionQuestion } from './region-question.ts';

type FunctionsByName = ReadonlyMap<string, LambdaFacts['function']>;

/** What is known of cells of a region, and with what it is looked up. */
export interface SearchedCells {
  readonly cells: readonly CellInRegion[];
  readonly mappings: MappingIndex;
  /** Functions that the config names. */
  readonly functions: FunctionsByName;
}

/** Adds the facts of the consumers that the config names, and of the functions that were found. */
export async function withFacts(
  question: RegionQuestion,
  { cells, mappings, functions }: SearchedCells,
): Promise<readonly CellInRegion[]> {
  const { cells: config, role, clients, asker } = question;
  const names = config.flatMap(({ consumers = [] }) => consumers.flatMap(({ alarm }) => alarm?.[role] ?? []));
  const [alarms, others] = await Promise.all([
    readAlarms(asker, { client: clients.cloudWatch, names }),
    foundFunctions(question, { cells, functions }),
  ]);
  const addFacts = async (known: CellInRegion, n: number): Promise<CellInRegion> => {
    const cell = config[n];
    if (cell === undefined) return known;
    const declared = await each(cell.consumers ?? [], (spec) => {
      const alarm = spec.alarm && alarms.get(spec.alarm[role]);
      return factsOf(question, spec, { cell, stream: known.stream, mappings, functions, alarm });
    });
    const found = known.found.map(({ facts, ...rest }) => ({
      ...rest,
      facts:
        facts.kind === 'lambda'
          ? withFunction(facts, functions.get(rest.name) ?? others.get(rest.name))
          : facts,
    }));
    return { ...known, declared, found };
  };
  return each(cells, addFacts, MANY);
}

export function namedFunctions(question: RegionQuestion): Promise<FunctionsByName> {
  return readFunctions(question, declaredFunctions(question), { welcome: false });
}

/** Functions that were found, of which a policy knows nothing. */
function foundFunctions(
  question: RegionQuestion,
  { cells, functions }: Pick<SearchedCells, 'cells' | 'functions'>,
): Promise<FunctionsByName> {
  const names = cells.flatMap(({ found }) =>
    found.flatMap(({ kind, name }) => (kind === 'lambda' && !functions.has(name) ? name : [])),
  );
  return readFunctions(question, [...new Set(names)], { welcome: true });
}

async function readFunctions(
  { clients, asker }: RegionQuestion,
  names: readonly string[],
  { welcome }: { readonly welcome: boolean },
): Promise<FunctionsByName> {
  const facts = await each(names, (one) =>
    readFunction(asker, { client: clients.lambda, function: one, welcome }),
  );
  return new Map(names.map((one, n) => [one, facts[n]]));
}

interface Known {
  readonly cell: Cell;
  readonly stream: StreamOfCell;
  readonly mappings: MappingIndex;
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
  { stream, mappings }: { readonly stream: StreamOfCell; readonly mappings: MappingIndex },
): LambdaFacts {
  const here = mappings.onStream(stream).filter((mapping) => isOfFunction(mapping, name));
  if (here.length > 0) return { kind: 'lambda', mappings: here, elsewhere: [] };
  if (!mappings.complete) return { kind: 'lambda' };
  // What it reads for other cells is not another stream in place of this one.
  const streams = new Set(
    question.allCells.flatMap(({ streams: of, consumers = [] }) =>
      consumers.some((one) => one.kind === 'lambda' && one.name[question.role] === name)
        ? of[question.role].name
        : [],
    ),
  );
  const sources = mappings.ofFunction(name).map(({ source }) => source);
  const elsewhere = sources.filter((source) => !streams.has(streamName(source)));
  return { kind: 'lambda', mappings: [], elsewhere };
}

const withFunction = (facts: LambdaFacts, one: LambdaFacts['function']): LambdaFacts =>
  one === undefined ? facts : { ...facts, function: one };
