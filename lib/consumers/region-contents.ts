import type { ConsumerFacts } from '../../lambda/core/consumer-facts.ts';
import { workingMapping } from '../../lambda/core/consumer-mapping-rules.ts';
import { streamReference } from '../config/config.ts';
import { type AgeSource, readAges } from './iterator-age.ts';
import { carriesAggregates, readStored } from './positions.ts';
import { type CellInRegion, each, type RegionQuestion } from './region-question.ts';
import { polledStreams } from './streams.ts';

const AGE_MINUTES = 15;

/** Adds how far behind consumers are, by CloudWatch; the KCL's lag is known by its checkpoints. */
export async function withAges(
  question: RegionQuestion,
  cells: readonly CellInRegion[],
): Promise<readonly CellInRegion[]> {
  const { clients, asker, nowMs } = question;
  const sources: AgeSource[] = [];
  const indexes = new Map<ConsumerFacts, number>();
  for (const { facts, name, stream } of namedFacts(question, cells)) {
    const source = ageSource(facts, name, stream);
    if (source !== undefined) indexes.set(facts, sources.push(source) - 1);
  }
  if (sources.length === 0) return cells;
  const answer = await asker.ask({
    service: 'CloudWatch',
    action: 'cloudwatch:GetMetricData',
    ask: (signal) =>
      readAges(sources, {
        ...{ client: clients.cloudWatch, nowMs: nowMs(), minutes: AGE_MINUTES, signal },
      }),
  });
  if (answer === undefined || answer === 'missing') return cells;
  const withAge = <Facts extends ConsumerFacts | undefined>(facts: Facts): Facts => {
    const index = facts === undefined ? undefined : indexes.get(facts);
    if (index === undefined) return facts;
    const { maxMs } = answer.value[index]?.latest ?? {};
    return { ...facts, lagMs: maxMs === undefined ? null : Math.round(maxMs) };
  };
  return cells.map((cell) => ({
    ...cell,
    declared: cell.declared.map(withAge),
    found: cell.found.map((one) => ({ ...one, facts: withAge(one.facts) })),
  }));
}

interface NamedFacts {
  readonly facts: ConsumerFacts;
  readonly name: string;
  readonly stream: string;
}

function* namedFacts(
  { cells: config, role }: RegionQuestion,
  cells: readonly CellInRegion[],
): Generator<NamedFacts> {
  for (const [n, { declared, found, stream }] of cells.entries()) {
    for (const [at, facts] of declared.entries()) {
      const name = config[n]?.consumers?.[at]?.name[role];
      if (facts !== undefined && name !== undefined) yield { facts, name, stream: stream.name };
    }
    for (const { facts, name } of found) yield { facts, name, stream: stream.name };
  }
}

function ageSource(facts: ConsumerFacts, name: string, stream: string): AgeSource | undefined {
  switch (facts.kind) {
    case 'lambda':
      return facts.mappings?.length ? { kind: 'lambda', function: name } : undefined;
    case 'enhancedFanOut':
      return facts.status ? { kind: 'enhancedFanOut', stream, name } : undefined;
    case 'firehose':
      return facts.status ? { kind: 'firehose', name } : undefined;
    case 'kcl':
    case 'other':
      return undefined;
    default:
      return facts satisfies never;
  }
}

/** Adds what is in the streams, where that says what a consumer would do, and who else reads them. */
export async function withContents(
  question: RegionQuestion,
  cells: readonly CellInRegion[],
  { looksForAggregates }: { readonly looksForAggregates: boolean },
): Promise<readonly CellInRegion[]> {
  const { clients, asker, role, cells: config, nowMs } = question;
  const polled = await polledOf(question, cells);
  return each(cells, async (known, n) => {
    const cell = config[n];
    if (cell === undefined || known.stream.exists === false) return known;
    const stream = { client: clients.kinesis, stream: streamReference(cell.streams[role]) };
    const wouldReplay = [...known.declared, ...known.found.map(({ facts }) => facts)].some(
      (facts) => replays(facts) || (role === 'primary' && isAbsent(facts)),
    );
    const stored = wouldReplay ? await readStored(asker, stream) : undefined;
    const takesNone = (cell.consumers ?? []).some(({ takes }) => !takes.includes('aggregates'));
    const aggregates =
      looksForAggregates && takesNone && role === 'primary'
        ? await carriesAggregates(asker, { ...stream, nowMs: nowMs() })
        : undefined;
    return {
      ...known,
      stream: {
        ...known.stream,
        ...(stored !== undefined && { stored }),
        ...(polled.has(known.stream.name) && { isPolled: true }),
      },
      ...(aggregates !== undefined && { carriesAggregates: aggregates }),
    };
  });
}

/** Of the standby's streams of which nothing else is found, those that somebody reads. */
async function polledOf(
  { clients, asker, role, cells: config, nowMs }: RegionQuestion,
  cells: readonly CellInRegion[],
): Promise<ReadonlySet<string>> {
  const lonely = cells.filter(
    ({ found, searched }, n) => config[n]?.consumers === undefined && searched && found.length === 0,
  );
  if (lonely.length === 0 || role === 'primary') return new Set();
  const streams = lonely.map(({ stream }) => stream.name);
  return polledStreams(asker, { client: clients.cloudWatch, streams, nowMs: nowMs() });
}

/** Whether its mapping would have to be created. */
const isAbsent = (facts: ConsumerFacts | undefined): boolean =>
  facts?.kind === 'lambda' && facts.mappings !== undefined && workingMapping(facts.mappings) === undefined;

/** Whether it has not begun, and would begin with the oldest record. */
function replays(facts: ConsumerFacts | undefined): boolean {
  if (facts?.kind === 'kcl') return (facts.leases?.atTrimHorizon ?? 0) > 0;
  if (facts?.kind !== 'lambda') return false;
  const mapping = workingMapping(facts.mappings);
  if (mapping === undefined || mapping.state === 'enabled') return false;
  return !mapping.hasRead && mapping.start === 'TRIM_HORIZON';
}
