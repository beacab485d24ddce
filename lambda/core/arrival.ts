/** One put that was acknowledged. */
export interface Acknowledged {
  readonly producer: string;
  /** Region of the stream that has the record. */
  readonly region: string;
  readonly atMs: number;
}

/** How long a region must keep taking the puts before the move counts as done. */
export const SETTLED_WINDOW_MS = 5_000;
const LANDED_SHARE = 0.95;

export interface Arrival {
  readonly fromMs: number;
  readonly region: string;
  readonly producers: readonly string[];
}

/**
 * The time of arrival, in either direction: the first moment from `fromMs` on from which, for the next five
 * seconds, *every* producer gets acknowledgements and at least 95 % of them come from the region. Judged per
 * producer: one that is stuck acknowledges almost nothing, and would vanish in a share over all of them.
 * Null: not yet, or never.
 */
export function arrivedMs(
  acknowledgements: readonly Acknowledged[],
  { fromMs, region, producers }: Arrival,
): number | null {
  const byProducer = Map.groupBy(acknowledgements, (ack) => ack.producer);
  let latestMs = 0;
  for (const producer of producers) {
    const times = (byProducer.get(producer) ?? []).toSorted((a, b) => a.atMs - b.atMs);
    const settledMs = settledAtMs(times, { fromMs, region });
    if (settledMs === null) return null;
    latestMs = Math.max(latestMs, settledMs - fromMs);
  }
  return producers.length === 0 ? null : latestMs;
}

function settledAtMs(sorted: readonly Acknowledged[], options: Omit<Arrival, 'producers'>): number | null {
  const lastMs = sorted.at(-1)?.atMs ?? 0;
  for (const [index, start] of sorted.entries()) {
    if (start.atMs < options.fromMs || start.region !== options.region) continue;
    const endMs = start.atMs + SETTLED_WINDOW_MS;
    if (lastMs < endMs) return null;
    let inWindow = 0;
    let landed = 0;
    for (let i = index; i < sorted.length; i++) {
      const ack = sorted[i];
      if (ack === undefined || ack.atMs > endMs) break;
      inWindow++;
      if (ack.region === options.region) landed++;
    }
    if (landed >= LANDED_SHARE * inWindow) return start.atMs;
  }
  return null;
}
