/** Room in a buffer that many queues share, by records and by bytes. */
export interface SharedBuffer {
  readonly records: number;
  readonly bytes: number;
  readonly maxRecords: number;
  readonly maxBytes: number;
}

/** What one queue holds, and the size of the record that would be the next. */
export interface Queue {
  readonly records: number;
  readonly nextBytes: number;
}

/**
 * Share of the free room that a queue may hold. With n long queues each one has 1/(n+8) of the buffer, and
 * the same is left free for all others, however many are long (Choudhury and Hahne, "Dynamic queue length
 * thresholds for shared-memory packet switches", IEEE/ACM Transactions on Networking 6(2), 1998).
 */
const SHARE_OF_FREE = 1 / 8;
/** A queue this short is never too long: it may be a burst of a few records. */
export const SHORT_QUEUE = 16;

/**
 * Whether this queue leaves enough room for the others after one more record. Its other records count as
 * large as this one.
 */
export function hasShare(buffer: SharedBuffer, { records, nextBytes }: Queue): boolean {
  if (records < SHORT_QUEUE) return true;
  const used = Math.max(buffer.records / buffer.maxRecords, buffer.bytes / buffer.maxBytes);
  const held = Math.max(records / buffer.maxRecords, (records * nextBytes) / buffer.maxBytes);
  return held < (1 - used) * SHARE_OF_FREE;
}
