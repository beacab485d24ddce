import { z } from 'zod';
import type { ConsumersOfCell } from './consumer-facts.ts';
import { judgeCell, nameIn, workingIn } from './consumer-judge.ts';
import { type ConsumerKind, consumerKindNames, consumerKinds } from './consumers.ts';

/** The survey's last look at who reads each cell's stream in the standby, from healthy times. */
export const CONSUMERS_PARTITION = 'consumers';
export const consumerDigestKey = (cell: string) => ({ pk: CONSUMERS_PARTITION, sk: cell });

const MOST_TEXTS = 3;
const MOST_CHARACTERS = 300;
/** Surveys come each hour: a word that three of them could not renew says nothing of now. */
const WORD_HOLDS_MS = 10_800_000;

const reader = z.object({
  kind: z.enum(consumerKindNames as [ConsumerKind, ...ConsumerKind[]]),
  name: z.string(),
  /** Whether records that arrive in the standby would be read by it, as far as it is known. */
  works: z.enum(['yes', 'no', 'unknown']),
  /** Why not, as sentences. */
  because: z.array(z.string()),
  /** When it was last looked at with success; absent in digests of older versions, which have the time of the cell alone. */
  knownAtMs: z.number().optional(),
});
export const consumerDigestSchema = z.object({
  cell: z.string().min(1),
  lookedAtMs: z.number(),
  readers: z.array(reader),
});
/** Who would read a cell's stream in the standby. Nobody: the config names none, and none is found. */
export type ConsumerDigest = Readonly<z.infer<typeof consumerDigestSchema>>;
export type Reader = ConsumerDigest['readers'][number];

/** Pure: what is kept of a look at the consumers of a cell. */
export function digestOf(cell: ConsumersOfCell, atMs: number): ConsumerDigest {
  const findings = judgeCell(cell, atMs);
  return {
    cell: cell.cell,
    lookedAtMs: atMs,
    readers: cell.consumers.map((consumer): Reader => {
      const name = nameIn(consumer, 'standby');
      const works = workingIn(consumer, 'standby', findings);
      const own = findings.filter(
        ({ level, kind, consumer: of, role }) =>
          level === 'bad' && kind === consumer.kind && of === name && role !== 'primary',
      );
      const because = works === 'no' ? own.slice(0, MOST_TEXTS).map(({ text }) => text) : [];
      return {
        ...{ kind: consumer.kind, name, works },
        because: because.map((text) => text.slice(0, MOST_CHARACTERS)),
        ...(works !== 'unknown' && { knownAtMs: atMs }),
      };
    }),
  };
}

export interface FreshLook {
  readonly fresh: ConsumerDigest;
  /** False: the config names none, and the consumers of the region could not be listed in full. */
  readonly complete: boolean;
}

/**
 * Combines a look with what was known before: a consumer of which nothing could be read keeps its old word, because the
 * word is wanted when nothing can be read.
 */
export function mergedDigest(
  { fresh, complete }: FreshLook,
  known: ConsumerDigest | undefined,
): ConsumerDigest {
  if (known === undefined || known.lookedAtMs > fresh.lookedAtMs) return known ?? fresh;
  const keyOf = (one: Reader): string => `${one.kind} ${one.name}`;
  const before = new Map(known.readers.map((one) => [keyOf(one), withTime(one, known)]));
  const now = new Set(fresh.readers.map(keyOf));
  const unseen = complete ? [] : [...before].flatMap(([key, one]) => (now.has(key) ? [] : [one]));
  const isKnown =
    fresh.readers.some(({ works }) => works !== 'unknown') || (complete && fresh.readers.length === 0);
  const readers = [
    ...fresh.readers.map((one) => (one.works === 'unknown' ? (before.get(keyOf(one)) ?? one) : one)),
    ...unseen,
  ];
  // The time is that of the last word: an old one has to look old.
  return { cell: fresh.cell, lookedAtMs: isKnown ? fresh.lookedAtMs : known.lookedAtMs, readers };
}

const withTime = (one: Reader, { lookedAtMs }: ConsumerDigest): Reader =>
  one.works === 'unknown' ? one : { ...one, knownAtMs: one.knownAtMs ?? lookedAtMs };

/** The consumers that would leave records of the standby unread. */
export const idleReaders = ({ readers }: ConsumerDigest): readonly Reader[] =>
  readers.filter(({ works }) => works === 'no');

/** `Lambda function orders-indexer` */
export const readerText = ({ kind, name }: Pick<Reader, 'kind' | 'name'>): string =>
  `${consumerKinds[kind].label} ${name}`;

/**
 * Cells with a consumer that would leave records unread, each in a sentence. A word that no look has renewed for three
 * hours does not count: an alarm must not stand for ever on what nobody may read any more.
 */
export function unreadCells(digests: readonly ConsumerDigest[], nowMs: number): readonly string[] {
  return digests.flatMap((digest) => {
    const idle = idleReaders(digest).filter(
      ({ knownAtMs = digest.lookedAtMs }) => nowMs - knownAtMs < WORD_HOLDS_MS,
    );
    if (idle.length === 0) return [];
    const words = idle.map((one) => one.because[0] ?? `${readerText(one)} does not work`);
    return [`${digest.cell}: ${words.join('; ')}`];
  });
}
