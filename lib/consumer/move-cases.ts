import type { MoveVerdict, WrongOrder } from './move-order-checker.ts';
import type { OrderVerdict } from './order-checker.ts';

/**
 * What a consumer may see of one key around a move, and what each checker says. `reads` are the records in the order in which they
 * are read: the region (E primary, W standby), epoch and number, `!` where the producer marks the number as first, `?` for one
 * that a drain has put in an envelope. Tests play each row, and docs/order.md is made of them.
 */
export interface MoveCase {
  readonly title: string;
  readonly because: string;
  readonly reads: string;
  /** Whose stream the OrderChecker reads, which sees that region alone. */
  readonly one: 'E' | 'W';
  readonly oneRegion: readonly OrderVerdict['kind'][];
  readonly allRegions: readonly MoveVerdict['kind'][];
  /** When everything is read. */
  readonly settled: readonly WrongOrder['kind'][];
  readonly meaning: 'expected' | 'wrong';
}

export const moveCases: readonly MoveCase[] = [
  {
    title: 'A key goes on in the standby',
    because:
      'A producer that moves begins a new epoch. Records that it was given before keep their numbers, and go to the standby too.',
    reads: 'E0.1! E0.2 W0.3 W0.4 W1.1! W1.2',
    one: 'W',
    oneRegion: ['first', 'next', 'first', 'next'],
    allRegions: ['first', 'next', 'next', 'next', 'first', 'next'],
    settled: [],
    meaning: 'expected',
  },
  {
    title: 'The standby is read before the primary',
    because:
      'Regions are read at their own pace. What the primary took last may be read after what the standby took first.',
    reads: 'E0.1! W0.4 W1.1! E0.2 E0.3',
    one: 'W',
    oneRegion: ['first', 'first'],
    allRegions: ['first', 'ahead', 'first', 'elsewhere', 'elsewhere'],
    settled: [],
    meaning: 'expected',
  },
  {
    title: 'A record in flight is in both regions',
    because: 'Its answer was lost, so that the producer wrote it again where the signal pointed by then.',
    reads: 'E0.1! E0.2 W0.2 W0.3',
    one: 'W',
    oneRegion: ['first', 'next'],
    allRegions: ['first', 'next', 'copy', 'next'],
    settled: [],
    meaning: 'expected',
  },
  {
    title: 'A record is twice in one region',
    because:
      'An answer was lost and the record written again in the same region; an aggregate was sent again after a split; or a request that timed out was carried out late.',
    reads: 'E0.1! E0.2 E0.3 E0.2',
    one: 'E',
    oneRegion: ['first', 'next', 'next', 'duplicate'],
    allRegions: ['first', 'next', 'next', 'copy'],
    settled: [],
    meaning: 'expected',
  },
  {
    title: 'The way back',
    because:
      'The primary sees the rest of the standby’s epoch first, which begins in the middle, and then an epoch of its own.',
    reads: 'E0.1! W1.1! W1.2 E1.3 E2.1!',
    one: 'E',
    oneRegion: ['first', 'gap', 'first'],
    allRegions: ['first', 'first', 'next', 'next', 'first'],
    settled: [],
    meaning: 'expected',
  },
  {
    title: 'A long backlog is written there and back',
    because:
      'Records on the disk keep the numbers of one epoch, wherever they are written: a region may have the beginning and the end of it.',
    reads: 'E0.1! E0.2 W0.3 W0.4 E0.5',
    one: 'E',
    oneRegion: ['first', 'next', 'gap'],
    allRegions: ['first', 'next', 'next', 'next', 'next'],
    settled: [],
    meaning: 'expected',
  },
  {
    title: 'A process dies, and another one goes on with its spool',
    because:
      'What the disk did not yet know to be written is written again, in its order. The process after it has a producer id of its own.',
    reads: 'E0.1! E0.2 E0.3 W0.2 W0.3 W0.4',
    one: 'W',
    oneRegion: ['first', 'next', 'next'],
    allRegions: ['first', 'next', 'next', 'copy', 'copy', 'next'],
    settled: [],
    meaning: 'expected',
  },
  {
    title: 'A drain copies what was stranded',
    because:
      'Copies keep their envelopes, and come after what was written since. Reading the primary shows what they are.',
    reads: 'W0.3 W1.1! W0.1! W0.2 E0.1! E0.2',
    one: 'W',
    oneRegion: ['first', 'first', 'behind', 'behind'],
    allRegions: ['first', 'first', 'before', 'before', 'first', 'elsewhere'],
    settled: [],
    meaning: 'expected',
  },
  {
    title: 'A drain copies what the primary’s consumer is only now reading',
    because:
      'Until the primary shows that it had the record before, a copy looks like one that is out of order.',
    reads: 'E0.1! W0.3 W1.1! W0.2 E0.2',
    one: 'W',
    oneRegion: ['first', 'first', 'behind'],
    allRegions: ['first', 'ahead', 'first', 'late', 'copy'],
    settled: [],
    meaning: 'expected',
  },
  {
    title: 'A drain wraps records that had no envelope',
    because: 'They have an id, and no number.',
    reads: 'W0.1! W0.0? W0.2',
    one: 'W',
    oneRegion: ['first', 'unnumbered', 'next'],
    allRegions: ['first', 'unnumbered', 'next'],
    settled: [],
    meaning: 'expected',
  },
  {
    title: 'The producer has forgotten the key',
    because: 'It remembers a bounded number of keys. The numbers between were never used.',
    reads: 'E0.1! E0.2 E0.57! E0.58',
    one: 'E',
    oneRegion: ['first', 'next', 'first', 'next'],
    allRegions: ['first', 'next', 'first', 'next'],
    settled: [],
    meaning: 'expected',
  },
  {
    title: 'A record is in no region',
    because:
      'It is lost; or its `put` was rejected, and the application was told: compare with the errors it has logged.',
    reads: 'E0.1! E0.2 W0.4 W1.1!',
    one: 'W',
    oneRegion: ['first', 'first'],
    allRegions: ['first', 'next', 'ahead', 'first'],
    settled: ['missing'],
    meaning: 'wrong',
  },
  {
    title: 'An epoch begins without its first record',
    because:
      'Lost or rejected as well: the first record of a key in an epoch is marked, and no other one stands at its beginning.',
    reads: 'E0.1! W1.2 W1.3',
    one: 'W',
    oneRegion: ['first', 'next'],
    allRegions: ['first', 'ahead', 'next'],
    settled: ['missing'],
    meaning: 'wrong',
  },
  {
    title: 'A later record is before an earlier one',
    because:
      "The producer was told not to keep the order (`order: 'none'`), two processes share a producer id, or the consumer has read a shard before the one that it was split from.",
    reads: 'E0.1! E0.3 E0.2',
    one: 'E',
    oneRegion: ['first', 'gap', 'late'],
    allRegions: ['first', 'ahead', 'late'],
    settled: ['reordered'],
    meaning: 'wrong',
  },
];
