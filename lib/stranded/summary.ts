import type { StreamFacts } from '../drain/stream.ts';
import type { Tally } from './count-shard.ts';
import type {
  ConsumerShard,
  Stranded,
  StrandedCell,
  StrandedConsumer,
  StrandedFinding,
  StrandedShard,
} from './document.ts';
import { consumerWords, type FoundPlace } from './places.ts';
import { type ConsumerPlace, doubtOf, placeSources } from './positions.ts';
import type { CellQuestion, Look, ShardResult } from './question.ts';
import { isStranded } from './verdict.ts';

const HOUR_MS = 3_600_000;
/** Less than this is left: whoever reads it should act now. */
const SOON_HOURS = 6;

export interface Counted {
  readonly question: CellQuestion;
  readonly ids: readonly string[];
  /** One for each shard. */
  readonly counts: readonly ShardResult[];
  /** One for each consumer. */
  readonly found: readonly FoundPlace[];
  readonly findings: readonly StrandedFinding[];
  readonly facts: StreamFacts;
  readonly atMs: number;
}

interface Figures {
  readonly records: number;
  readonly bytes: number;
  readonly probes: number;
  readonly oldestMs: number | null;
}

const nothing: Figures = { records: 0, bytes: 0, probes: 0, oldestMs: null };

/** Pure: what is known of a cell after its shards were counted. */
export function cellOf(counted: Counted): Look {
  const { question, ids, counts, found, facts, atMs } = counted;
  const finish = (figures: Figures): Stranded => ({
    ...figures,
    hoursLeft:
      figures.oldestMs === null ? null : round1((figures.oldestMs + facts.retentionMs - atMs) / HOUR_MS),
  });
  const isWhole = ({ cut, problem }: ShardResult): boolean => cut === undefined && problem === undefined;
  const complete = counts.every(isWhole);
  const shards = ids.flatMap((shardId, n): readonly StrandedShard[] => {
    const count = counts[n] as ShardResult;
    const slowest = slowestOf(count.tallies);
    const isEmpty = slowest.records === 0 && slowest.probes === 0 && isWhole(count);
    const { cut } = count;
    return isEmpty
      ? []
      : [{ shardId, ...finish(slowest), complete: isWhole(count), ...(cut !== undefined && { cut }) }];
  });
  const consumers = found.map(({ place }, at) => consumerOf(place, { counted, at, complete, finish }));
  const tallies = counts.map(({ tallies }) => slowestTally(tallies));
  const cell: StrandedCell = {
    ...{ cell: question.cell, stream: question.place.stream, region: question.place.region },
    ...finish(sum(shards)),
    ...{ moved: question.moved, complete, atMost: consumers.some((one) => one.atMost) },
    ...{ retentionHours: round1(facts.retentionMs / HOUR_MS) },
    damaged: tallies.reduce((all, { damaged }) => all + damaged, 0),
    mayHaveExpired: found.some((one) => one.lost || isCutOff(one, counted)) || someExpired(counts),
    newestMs: greatest(counts.flatMap(({ tallies }) => tallies.map(({ newestMs }) => newestMs))),
    ...{ shards, consumers, drained: question.drained },
  };
  const findings = [...counted.findings, ...findingsOf(counted, cell)];
  return { cell, findings, known: complete && findings.every(({ level }) => level !== 'unknown') };
}

/** Between the place of the consumer and what the stream keeps, records may have come and gone. */
const isCutOff = ({ place }: FoundPlace, { facts, atMs }: Pick<Counted, 'facts' | 'atMs'>): boolean =>
  place.atMs !== null && place.atMs < atMs - facts.retentionMs;

const someExpired = (counts: readonly ShardResult[]): boolean =>
  counts.some(({ tallies }) => tallies.some(({ mayHaveExpired }) => mayHaveExpired));

/** What is behind the slowest is behind all others as well, or they have read it. */
function slowestOf(tallies: readonly Readonly<Tally>[]): Figures {
  if (tallies.length === 0) return nothing;
  return {
    records: Math.max(...tallies.map(({ records }) => records)),
    bytes: Math.max(...tallies.map(({ bytes }) => bytes)),
    probes: Math.max(...tallies.map(({ probes }) => probes)),
    oldestMs: least(tallies.map(({ oldestMs }) => oldestMs)),
  };
}

const slowestTally = (tallies: readonly Readonly<Tally>[]): { readonly damaged: number } => ({
  damaged: tallies.reduce((most, { damaged }) => Math.max(most, damaged), 0),
});

function consumerOf(
  place: ConsumerPlace,
  {
    counted: { ids, counts },
    at,
    complete,
    finish,
  }: {
    readonly counted: Counted;
    readonly at: number;
    readonly complete: boolean;
    readonly finish: (figures: Figures) => Stranded;
  },
): StrandedConsumer {
  const shards = ids.flatMap((shardId, n): readonly ConsumerShard[] => {
    const { tallies, cut } = counts[n] as ShardResult;
    const { records, bytes, probes, oldestMs } = tallies[at] ?? nothing;
    const position = place.of(shardId);
    if (position.kind === 'finished') return [];
    return [
      {
        shardId,
        ...(position.kind === 'record' && {
          after: {
            sequenceNumber: position.sequenceNumber,
            subSequenceNumber: position.subSequenceNumber,
          },
        }),
        ...(position.kind === 'time' && { atMs: position.atMs }),
        ...finish({ records, bytes, probes, oldestMs }),
        ...(cut !== undefined && { cut }),
      },
    ];
  });
  const { kind, name, by, because, atMs } = place;
  return {
    ...{ kind, name, exact: placeSources[by].exact, atMost: !placeSources[by].exact, complete },
    ...{ from: { by, because, atMs }, ...finish(sum(shards)), shards },
  };
}

function sum(all: readonly Figures[]): Figures {
  return {
    records: all.reduce((total, { records }) => total + records, 0),
    bytes: all.reduce((total, { bytes }) => total + bytes, 0),
    probes: all.reduce((total, { probes }) => total + probes, 0),
    oldestMs: least(all.map(({ oldestMs }) => oldestMs)),
  };
}

function findingsOf(
  { question, ids, counts, found, facts, atMs }: Counted,
  cell: StrandedCell,
): readonly StrandedFinding[] {
  const of = (level: StrandedFinding['level'], text: string): StrandedFinding => ({
    level,
    cell: question.cell,
    text,
  });
  const cuts = counts.flatMap(({ cut }, n) => (cut === undefined ? [] : [`${ids[n]} (${cut})`]));
  const failed = counts.flatMap(({ problem }, n) =>
    problem === undefined ? [] : [`${ids[n]}: ${messageOf(problem)}`],
  );
  const expired = found.flatMap(({ place }, at) => {
    const some = ids.filter((_id, n) => counts[n]?.tallies[at]?.mayHaveExpired);
    return some.length === 0 ? [] : [{ place, some }];
  });
  const cutOff = found.filter((one) => isCutOff(one, { facts, atMs }));
  return [
    ...found.flatMap(({ findings }) => findings.map(({ level, text }) => of(level, text))),
    ...(cuts.length === 0 ? [] : [of('unknown', `there are more records than were counted in ${few(cuts)}`)]),
    ...(failed.length === 0
      ? []
      : [
          of(
            'unknown',
            `shards that could not be read: ${few(failed)}; ask again when the region has recovered`,
          ),
        ]),
    ...expired.map(({ place, some }) =>
      of(
        'bad',
        `the record at which ${consumerWords(place)} stands is no longer kept in ${few(some)}: what came next may have expired unread`,
      ),
    ),
    ...cutOff.map(({ place }) =>
      of(
        'bad',
        `${consumerWords(place)} is counted from ${new Date(place.atMs ?? 0).toISOString()} on, and the stream keeps only ${cell.retentionHours} h: what came next may have expired unread`,
      ),
    ),
    ...found.flatMap(({ place }) => {
      const doubt = doubtOf(place.by, consumerWords(place));
      return doubt === undefined
        ? []
        : of('note', `${doubt}: counted from ${place.because}${adviceFor(place)}`);
    }),
    ...(found.length === 0
      ? [of('note', 'the config says that nothing reads this cell (`consumers: []`): nothing can be unread')]
      : []),
    ...found.flatMap((one, at) =>
      (cell.consumers[at]?.records && !placeSources[one.place.by].exact && isStranded(cell)
        ? readsOn(one, cell)
        : []
      ).map((text) => of('note', text)),
    ),
    ...(cell.damaged === 0
      ? []
      : [of('note', `${cell.damaged} records begin like an aggregate and cannot be read as one`)]),
    ...(cell.hoursLeft !== null && cell.hoursLeft < SOON_HOURS && isStranded(cell)
      ? [
          of(
            'bad',
            `the oldest record expires in ${cell.hoursLeft} h: drain now, or lengthen the retention of ${cell.stream} first`,
          ),
        ]
      : []),
  ];
}

const adviceFor = ({ by }: ConsumerPlace): string =>
  by.startsWith('since') ? '' : '; name a better time with --since';

/** A consumer whose checkpoint is out of sight never gets to 0 by its place alone. */
function readsOn({ place, tipMs }: FoundPlace, { newestMs }: StrandedCell): readonly string[] {
  const who = consumerWords(place);
  const tip =
    tipMs === undefined || newestMs === null || tipMs < newestMs
      ? ''
      : `; at ${new Date(tipMs).toISOString()}, after the newest record, whoever polled the stream was at its tip`;
  return [
    `${who} may have read fewer or all of these by now: once its region has recovered, it reads on by itself if it is enabled, and a copy of what it reads is a duplicate. Look at \`spillway consumers\` first, and mark the cell with \`spillway drained\` when it is through${tip}`,
  ];
}

const MAX_LISTED = 3;
const few = (all: readonly string[]): string =>
  `${all.slice(0, MAX_LISTED).join('; ')}${all.length > MAX_LISTED ? ` and ${all.length - MAX_LISTED} more` : ''}`;

const messageOf = (error: unknown): string => (error instanceof Error ? error.message : String(error));

/** Messages of others often lack their full stop. */
const sentence = (text: string): string => (/[.!?]$/.test(text) ? text : `${text}.`);

const round1 = (value: number): number => Math.round(value * 10) / 10;

function least(values: readonly (number | null)[]): number | null {
  const known = values.filter((value) => value !== null);
  return known.length === 0 ? null : known.reduce((a, b) => Math.min(a, b));
}

function greatest(values: readonly (number | null)[]): number | null {
  const known = values.filter((value) => value !== null);
  return known.length === 0 ? null : known.reduce((a, b) => Math.max(a, b));
}

/** Pure: a cell whose stream could not be asked at all. */
export function failedCell({ cell, place, moved, drained }: CellQuestion, error: unknown): Look {
  const text =
    `${sentence(messageOf(error))} What is stranded there is not known: records stay until their retention ends. ` +
    'Ask again when the region has recovered.';
  return {
    cell: {
      ...{ cell, stream: place.stream, region: place.region, ...nothing, hoursLeft: null },
      ...{
        moved,
        complete: false,
        atMost: false,
        retentionHours: null,
        damaged: 0,
        mayHaveExpired: false,
        newestMs: null,
      },
      ...{ shards: [], consumers: [], drained },
    },
    findings: [{ level: 'unknown', cell, text }],
    known: false,
  };
}
