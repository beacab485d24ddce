import type { StrandedCell } from '../../lib/stranded/document.ts';
import type { PlaceSource } from '../../lib/stranded/positions.ts';

/** A cell that was moved, with five records behind one consumer. */
export const cellWith = (by: PlaceSource = 'lease'): StrandedCell => ({
  ...{
    cell: 'orders',
    stream: 'orders',
    region: 'us-east-1',
    moved: true,
    complete: true,
    atMost: by !== 'lease',
  },
  ...{ retentionHours: 24, records: 5, bytes: 5, probes: 0, oldestMs: 100, newestMs: 150, hoursLeft: 20 },
  ...{ damaged: 0, mayHaveExpired: false, shards: [], drained: null },
  consumers: [
    {
      ...{
        kind: 'kcl',
        name: 'app',
        exact: by === 'lease',
        atMost: by !== 'lease',
        complete: true,
        shards: [],
        records: 5,
      },
      ...{ bytes: 5, probes: 0, oldestMs: 100, hoursLeft: 20, from: { by, because: by, atMs: null } },
    },
  ],
});
