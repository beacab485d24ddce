import type { Shard } from '@aws-sdk/client-kinesis';
import { type ConsumerSpec, consumerKinds } from '../../lambda/core/consumers.ts';
import type { Role } from '../../lambda/core/role.ts';
import type { AgeSource, Ages } from '../consumers/iterator-age.ts';
import { type LeaseTableReading, leasesOf } from '../consumers/leases.ts';
import { isGapless, lastAtTip, readUntil } from './age-places.ts';
import { leasePlaces } from './lease-places.ts';
import type { ConsumerName, ConsumerPlace, PlaceSource } from './positions.ts';

/** Consumers were at most this far behind when the cell was moved; nothing shows it, so people are told. */
export const MOVE_MARGIN_MS = 15 * 60_000;

/** What is known of a consumer's place. */
export interface PlaceFacts {
  readonly name: ConsumerName;
  readonly leases?: LeaseTableReading;
  /** Its own age. Absent: it has no metric of its own, or CloudWatch does not tell. */
  readonly ages?: Ages;
  /** The age of everybody who polls the stream. */
  readonly streamAges?: Ages;
}

export interface PlaceQuestion {
  readonly stream: string;
  readonly shards: readonly Shard[];
  /** The time that the caller gave. */
  readonly sinceMs?: number;
  /** Whether traffic left the stream; null: not known. */
  readonly moved: boolean | null;
  /** Consumers that the config has on other streams of the region as well: an age of theirs is of all of them. */
  readonly shared: readonly string[];
  /** When the cell was moved; absent: it was not, or that is not known. */
  readonly movedAtMs?: number;
  /** What the stream keeps at all. */
  readonly keptFromMs: number;
}

export interface FoundPlace {
  readonly place: ConsumerPlace;
  /** The last minute in which everybody who polled the stream was at its tip. A count polls as well, so it is only a hint. */
  readonly tipMs?: number;
  /** Records expired before it read them. */
  readonly lost: boolean;
  /** What people should know of it. */
  readonly findings: readonly { readonly level: 'bad' | 'unknown' | 'note'; readonly text: string }[];
}

/** The name of a consumer in the region of the old stream. */
export const consumerName = ({ kind, name }: ConsumerSpec, role: Role): ConsumerName => ({
  kind,
  name: name[role],
});

/** For people: `KCL application orders`. */
export const consumerWords = ({ kind, name }: ConsumerName): string =>
  kind === 'unknown' ? 'whoever reads it' : `${consumerKinds[kind].label} ${name}`;

/** Whose age tells where a consumer stands; undefined: it has no metric of its own. */
export function ageSourceOf({ kind, name }: ConsumerName, stream: string): AgeSource | undefined {
  switch (kind) {
    case 'lambda':
      return { kind, function: name };
    case 'enhancedFanOut':
      return { kind, stream, name };
    case 'firehose':
      return { kind, name };
    case 'kcl':
    case 'other':
    case 'unknown':
      return undefined;
    default:
      return kind satisfies never;
  }
}

/** Where a consumer stands, by the best that is known of it. */
export function placeOf(facts: PlaceFacts, question: PlaceQuestion): FoundPlace {
  const tipMs = facts.streamAges === undefined ? undefined : lastAtTip(facts.streamAges);
  return { ...foundPlace(facts, question), ...(tipMs !== undefined && { tipMs }) };
}

function foundPlace(facts: PlaceFacts, question: PlaceQuestion): FoundPlace {
  const { name, leases } = facts;
  const fallback = timePlace(facts, question);
  if (leases === undefined) return { place: { ...name, ...fallback }, lost: false, findings: [] };
  const who = consumerWords(name);
  if (leases.state !== 'leases') {
    const text = `the lease table of ${who} ${leaseTroubles[leases.state]}${'why' in leases ? ` (${leases.why})` : ''}: counted from ${fallback.because}`;
    const level = leases.state === 'unanswered' || leases.state === 'refused' ? 'unknown' : 'bad';
    return { place: { ...name, ...fallback }, lost: false, findings: [{ level, text }] };
  }
  const own = leasesOf(leases.leases, question.stream);
  if (own.length === 0) {
    const text = `${who} has no lease of ${question.stream}: it has never read it, or its leases were deleted; counted from ${fallback.because}`;
    return { place: { ...name, ...fallback }, lost: false, findings: [{ level: 'bad', text }] };
  }
  const unbegun = fallback.of('');
  const { of, unbegun: some, gone } = leasePlaces(own, { shards: question.shards, unbegun });
  const by: PlaceSource = some.length === 0 ? 'lease' : fallback.by;
  const because =
    some.length === 0 ? 'its leases' : `its leases and, where it has not begun, ${fallback.because}`;
  const said = (text: string, shards: readonly string[]) =>
    shards.length === 0 ? [] : [{ level: 'bad' as const, text: `${who}: ${text} (${listed(shards)})` }];
  return {
    place: { ...name, by, because, atMs: null, of },
    lost: gone.length > 0,
    findings: [
      ...said('has not begun in shards where it begins at a place that its leases do not tell', some),
      ...said('was not through with shards that are no longer kept: their last records have expired', gone),
      ...(leases.complete
        ? []
        : [{ level: 'unknown' as const, text: `${who} has more leases than were read` }]),
      ...(leases.damaged === 0
        ? []
        : [
            {
              level: 'unknown' as const,
              text: `${who}: ${leases.damaged} items of its table cannot be read as leases, and their shards are counted in whole`,
            },
          ]),
    ],
  };
}

const leaseTroubles = {
  missing: 'does not exist',
  foreign: 'is not one of the KCL',
  refused: 'may not be read',
  unanswered: 'does not answer',
} as const;

const MAX_LISTED = 3;
const listed = (shards: readonly string[]): string =>
  `${shards.slice(0, MAX_LISTED).join(', ')}${shards.length > MAX_LISTED ? ` and ${shards.length - MAX_LISTED} more` : ''}`;

type TimePlace = Pick<ConsumerPlace, 'by' | 'because' | 'atMs' | 'of'>;

/** The place of a consumer whose checkpoints nobody but itself can see. */
function timePlace(facts: PlaceFacts, question: PlaceQuestion): TimePlace {
  const shown = shownPlace(facts, question);
  const { sinceMs } = question;
  if (sinceMs === undefined) return shown;
  const given = `the time given, ${time(sinceMs)}`;
  const isLater = shown.atMs !== null && sinceMs > shown.atMs;
  if (shown.by === 'iterator age' && !isLater) return from('since and age', sinceMs, given);
  const aged = shown.by === 'iterator age' || shown.by === 'uncertain age';
  return aged && isLater
    ? from('since after age', sinceMs, `${given}, although without it: ${shown.because}`)
    : from('since', sinceMs, given);
}

/** The same, by what CloudWatch and the state table show. */
function shownPlace({ name, ages, streamAges }: PlaceFacts, question: PlaceQuestion): TimePlace {
  const { moved, movedAtMs, shards, shared } = question;
  const beforeMs = movedAtMs === undefined ? undefined : movedAtMs - MOVE_MARGIN_MS;
  const seenMs = ages === undefined ? undefined : readUntil(ages);
  if (ages !== undefined && seenMs !== undefined) {
    const doubts = [
      ...(shared.includes(name.name) ? ['is that of all its streams together'] : []),
      ...(shards.length > 1 ? [`is that of all ${shards.length} shards together`] : []),
      ...(isGapless(ages) ? [] : ['has gaps']),
    ];
    const because = `${time(seenMs)}, up to which it had read by its age in CloudWatch`;
    if (doubts.length === 0) return from('iterator age', seenMs, because);
    const why = `because its age in CloudWatch ${doubts.join(' and ')}`;
    if (beforeMs !== undefined) {
      const atMs = Math.min(seenMs, beforeMs);
      return from('uncertain age', atMs, `${time(atMs)}, the earlier of its age and ${MARGIN_TEXT}, ${why}`);
    }
    // Its consumers read on there, so that nothing is decided by this.
    if (moved === false) return from('uncertain age', seenMs, `${because}, which is not certain, ${why}`);
    return everything(`, ${why}`);
  }
  // Of all who poll together: one that had stopped does not show in it.
  const tipMs =
    streamAges === undefined || name.kind === 'kcl' || name.kind === 'lambda'
      ? undefined
      : lastAtTip(streamAges);
  if (tipMs !== undefined && tipMs < (beforeMs ?? Number.POSITIVE_INFINITY)) {
    const because = `${time(tipMs)}, when everybody who polled the stream was at its tip`;
    return from('stream age', tipMs, because);
  }
  return beforeMs === undefined
    ? everything()
    : from('evacuation', beforeMs, `${time(beforeMs)}, ${MARGIN_TEXT}`);
}

const MARGIN_TEXT = `${MOVE_MARGIN_MS / 60_000} minutes before the cell may have been moved at first`;

const everything = (why = ''): TimePlace => ({
  ...{ by: 'retention', because: `the oldest record that the stream keeps${why}`, atMs: null },
  of: () => ({ kind: 'oldest' }),
});

const from = (by: PlaceSource, atMs: number, because: string): TimePlace => ({
  by,
  because,
  atMs,
  of: () => ({ kind: 'time', atMs }),
});

const time = (ms: number): string => new Date(ms).toISOString().replace('.000Z', 'Z');
