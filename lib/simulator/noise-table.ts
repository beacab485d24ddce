import { observerRegions, type Regions } from '../config/config.ts';
import type { Effect, Fault } from '../scenario/schema.ts';
import { between, exponential } from './random.ts';

/** What the world is like between outages. Rates are of one place: one path, one region, one observer. */
export interface FaultSource {
  readonly name: string;
  /** What this noise stands for. */
  readonly standsFor: string;
  /** Mean time from one occurrence to the next. Occurrences have no memory, so a year of them is drawn as gaps. */
  readonly everyMs: number;
  readonly places: (system: NoisySystem) => readonly Where[];
  readonly draw: (
    where: Where,
    random: () => number,
  ) => Omit<Fault, 'atMs' | 'untilMs'> & { readonly forMs: number };
}

/** Where noise is. */
export interface NoisySystem {
  readonly regions: Regions;
  /** Names of the cells, each with a stream of its own. */
  readonly cells: readonly string[];
}

interface Where {
  readonly region: string;
  /** The cell whose stream it is, alone. */
  readonly stream?: string;
  readonly source?: string;
}

const SECOND = 1_000;
const MINUTE = 60 * SECOND;
const DAY = 24 * 60 * MINUTE;
const WEEK = 7 * DAY;
const MONTH = 30 * DAY;
const QUARTER = 91 * DAY;

const paths = ({ regions }: NoisySystem): readonly Where[] =>
  observerRegions(regions).flatMap((source) =>
    [regions.primary, regions.standby].map((region) => ({ region, source })),
  );
const pair = ({ regions: { primary, standby } }: NoisySystem): readonly Where[] => [
  { region: primary },
  { region: standby },
];
/** Each cell's stream in either region. The canary is not among them. */
const streams = (system: NoisySystem): readonly Where[] =>
  system.cells.flatMap((stream) => pair(system).map(({ region }) => ({ region, stream })));
const observers = ({ regions }: NoisySystem): readonly Where[] =>
  observerRegions(regions).map((region) => ({ region }));

const lost: Effect = { kind: 'timeout' };
const refused: Effect = { kind: 'error', status: 500, code: 'InternalFailure' };
const cut: Effect = { kind: 'reset' };
/** How a failing region fails: it answers badly, cuts connections, or says nothing. */
const anyEffect = (random: () => number): Effect => [refused, cut, lost][Math.floor(random() * 3)] ?? refused;
const ofStream = ({ region, stream }: Where): Fault['where'] => ({
  region,
  service: 'kinesis',
  streams: stream === undefined ? [] : [stream],
});
const range = (random: () => number, from: number, to: number): number => from + random() * (to - from);

/**
 * The limits of the noise: noise is what needs no operator. A region that fails completely for at most 10 s,
 * or that loses up to 3 % for a minute or 1 % for ten, does not need an evacuation; a region that loses a
 * quarter of its puts for a minute does, and is no noise. A single path or observer may be as bad as
 * possible.
 */
export const faultSources: readonly FaultSource[] = [
  {
    name: 'path-burst',
    standsFor:
      'loss on one path, in bursts (Gilbert–Elliott: a good and a bad state, each left without memory): rerouting, a congested peering',
    everyMs: 4 * DAY,
    places: paths,
    draw: ({ region, source }, random) => ({
      where: { region },
      seenFrom: source === undefined ? [] : [source],
      effect: random() < 0.7 ? lost : cut,
      rate: range(random, 0.05, 0.5),
      forMs: Math.min(MINUTE, Math.round(SECOND + exponential(random(), 4 * SECOND))),
    }),
  },
  {
    name: 'region-blip',
    standsFor: 'a region that fails wholly for up to 10 s: a front end that fails over, a deployment',
    everyMs: WEEK,
    places: pair,
    draw: ({ region }, random) => ({
      where: { region },
      effect: anyEffect(random),
      rate: 1,
      forMs: between(random(), SECOND, 10 * SECOND),
    }),
  },
  {
    name: 'region-partial',
    standsFor: 'a part of a region’s calls fails for up to a minute: one bad host behind many',
    everyMs: WEEK,
    places: pair,
    draw: ({ region }, random) => ({
      where: { region },
      effect: anyEffect(random),
      rate: range(random, 0.01, 0.03),
      forMs: between(random(), 20 * SECOND, MINUTE),
    }),
  },
  {
    name: 'region-murmur',
    standsFor: 'slightly raised error rates for minutes: what a status page does not mention',
    everyMs: WEEK,
    places: pair,
    draw: ({ region }, random) => ({
      where: { region },
      effect: anyEffect(random),
      rate: range(random, 0.002, 0.01),
      forMs: between(random(), 2 * MINUTE, 10 * MINUTE),
    }),
  },
  {
    name: 'stream-blip',
    standsFor:
      'the stream of one cell fails wholly for some seconds, beside a healthy canary: Kinesis is cellular [inferred]',
    everyMs: MONTH,
    places: streams,
    draw: (where, random) => ({
      where: ofStream(where),
      effect: anyEffect(random),
      rate: 1,
      forMs: between(random(), SECOND, 8 * SECOND),
    }),
  },
  {
    name: 'stream-partial',
    standsFor: 'some records of one cell’s stream are refused for minutes: a shard that moves [inferred]',
    everyMs: QUARTER,
    places: streams,
    draw: (where, random) => ({
      where: ofStream(where),
      effect: anyEffect(random),
      rate: range(random, 0.01, 0.1),
      forMs: between(random(), 2 * MINUTE, 10 * MINUTE),
    }),
  },
  {
    name: 'throttling-storm',
    standsFor: 'a quota that is hit, by somebody else in the account: says nothing about the region',
    everyMs: WEEK,
    places: pair,
    draw: ({ region }, random) => ({
      where: { region, service: 'kinesis' },
      effect: { kind: 'throttle' },
      rate: range(random, 0.3, 1),
      forMs: between(random(), MINUTE, 10 * MINUTE),
    }),
  },
  {
    name: 'table',
    standsFor:
      'the table of an observer, or the state table in the standby, does not answer: votes are not stored, the control item is not read',
    everyMs: MONTH,
    places: observers,
    draw: ({ region }, random) => ({
      where: { region, service: 'dynamodb' },
      effect: random() < 0.5 ? lost : refused,
      rate: range(random, 0.5, 1),
      forMs: between(random(), 10 * SECOND, 2 * MINUTE),
    }),
  },
  {
    name: 'vote-endpoint',
    standsFor: 'a vote endpoint times out: its function starts cold, or somebody floods it',
    everyMs: WEEK,
    places: observers,
    draw: ({ region }, random) => ({
      where: { region, service: 'lambda', operations: ['InvokeFunctionUrl'] },
      effect: lost,
      rate: range(random, 0.3, 1),
      forMs: between(random(), 5 * SECOND, MINUTE),
    }),
  },
  {
    name: 'dns',
    standsFor:
      'a resolver that does not answer: for producers, and for observers that ask where the quorum is',
    everyMs: WEEK,
    places: (system) =>
      [...observers(system), { region: system.regions.primary }].map(({ region }) => ({
        region: 'dns',
        source: region,
      })),
    draw: ({ region, source }, random) => ({
      where: { region, service: 'route53', operations: ['Query'] },
      seenFrom: source === undefined ? [] : [source],
      effect: lost,
      rate: range(random, 0.3, 1),
      forMs: between(random(), 5 * SECOND, MINUTE),
    }),
  },
];

/**
 * Sources that lie: one of a fleet of forty claims for minutes to hours that its puts fail. With these times one source in
 * a hundred lies at any moment [inferred].
 */
export const lyingSources = {
  standsFor: 'a producer with a fault of its own, of which it does not know',
  everyMs: 95 * MINUTE,
  share: 1 / 40,
  forMs: { from: 5 * MINUTE, to: 120 * MINUTE },
} as const;

/** What happens to an observer itself. */
export const observerSources = {
  absence: {
    standsFor: 'an observer that is away: its function is not started, or ends before its time',
    everyMs: MONTH,
    forMs: { from: 20 * SECOND, to: 10 * MINUTE },
  },
  coldStart: {
    standsFor: 'a run that starts late: a cold start, a late event',
    everyMs: DAY,
    byMs: { from: SECOND, to: 10 * SECOND },
  },
  clockStep: {
    standsFor: 'a clock that jumps, either way, and is set right again',
    everyMs: MONTH,
    byMs: { from: SECOND, to: 5 * MINUTE },
    forMs: { from: MINUTE, to: 30 * MINUTE },
  },
} as const;

/** Single calls that fail for no reason; a healthy region is assumed to fail ten times as often by the default policy. */
export const BASELINE_RATE = 1e-4;
/** Single checkers that get no answer, or report the one before: checkers disagree. */
export const CHECK_FAILURE_RATE = 2e-3;
export const CHECK_STALE_RATE = 1e-3;
