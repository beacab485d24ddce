import { z } from 'zod';
import type { ConsumersOfCell } from './consumer-facts.ts';
import { judgeCell, nameIn, workingIn } from './consumer-judge.ts';
import { type ConsumerKind, consumerKindNames, consumerKinds } from './consumers.ts';

/** The survey's last look at who reads each cell's stream in the standby, from healthy times. */
export const CONSUMERS_PARTITION = 'consumers';
export const consumerDigestKey = (cell: string) => ({ pk: CONSUMERS_PARTITION, sk: cell });

const MOST_TEXTS = 3;
const MOST_CHARACTERS = 300;

const reader = z.object({
  kind: z.enum(consumerKindNames as [ConsumerKind, ...ConsumerKind[]]),
  name: z.string(),
  /** Whether records that arrive in the standby would be read by it, as far as it is known. */
  works: z.enum(['yes', 'no', 'unknown']),
  /** Why not, as sentences. */
  because: z.array(z.string()),
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
      };
    }),
  };
}

/**
 * Combines a look with what was known before: a consumer of which nothing could be read keeps its old word, because the
 * word is wanted when nothing can be read.
 */
export function mergedDigest(fresh: ConsumerDigest, known: ConsumerDigest | undefined): ConsumerDigest {
  if (known === undefined || known.lookedAtMs > fresh.lookedAtMs) return known ?? fresh;
  const isUnknown = fresh.readers.length > 0 && fresh.readers.every(({ works }) => works === 'unknown');
  const before = new Map(known.readers.map((one) => [`${one.kind} ${one.name}`, one]));
  const readers = fresh.readers.map((one) =>
    one.works === 'unknown' ? (before.get(`${one.kind} ${one.name}`) ?? one) : one,
  );
  // The time is that of the last word: an old one has to look old.
  return { cell: fresh.cell, lookedAtMs: isUnknown ? known.lookedAtMs : fresh.lookedAtMs, readers };
}

/** The consumers that would leave records of the standby unread. */
export const idleReaders = ({ readers }: ConsumerDigest): readonly Reader[] =>
  readers.filter(({ works }) => works === 'no');

/** `Lambda function orders-indexer` */
export const readerText = ({ kind, name }: Pick<Reader, 'kind' | 'name'>): string =>
  `${consumerKinds[kind].label} ${name}`;

/** Cells with a consumer that would leave records unread, each in a sentence. */
export function unreadCells(digests: readonly ConsumerDigest[]): readonly string[] {
  return digests.flatMap((digest) => {
    const idle = idleReaders(digest);
    if (idle.length === 0) return [];
    const words = idle.map((one) => one.because[0] ?? `${readerText(one)} does not work`);
    return [`${digest.cell}: ${words.join('; ')}`];
  });
}
