import type { ConsumerDigest } from '../../lambda/core/consumer-digest.ts';
import type { CellReaders } from './status-document.ts';

/** Pure: what the survey has stored of who would read the cells' streams in the standby, by cell. */
export function cellReaders(digests: readonly ConsumerDigest[]): ReadonlyMap<string, CellReaders> {
  return new Map(
    digests.map(({ cell, lookedAtMs, readers }) => [
      cell,
      {
        works: worstOf(readers),
        lookedAtMs,
        consumers: readers.map(({ kind, name, works }) => ({ kind, name, works })),
        because: readers.flatMap(({ because }) => because),
      },
    ]),
  );
}

function worstOf(readers: ConsumerDigest['readers']): CellReaders['works'] {
  const worst = (['no', 'unknown', 'yes'] as const).find((one) => readers.some(({ works }) => works === one));
  return worst ?? 'none';
}
