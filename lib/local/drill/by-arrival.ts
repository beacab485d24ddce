import type { StreamRecord } from '../../live-drill/read-stream.ts';

/**
 * The records of several streams in the order in which one consumer of all of them would take them: by
 * arrival. A producer has one request in flight for a key, so a key's records in two streams never arrive in
 * the same millisecond; within a stream the sort is stable and keeps the stream's own order.
 */
export function byArrival(streams: readonly (readonly StreamRecord[])[]): readonly string[] {
  return streams
    .flat()
    .toSorted((a, b) => a.arrivedAtMs - b.arrivedAtMs)
    .map(({ text }) => text);
}
