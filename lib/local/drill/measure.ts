import type { Acknowledgement, DrillEvent } from './events.ts';

/** How long the standby must keep taking the puts before the move counts as done. */
export const SETTLED_WINDOW_MS = 5_000;
const LANDED_SHARE = 0.95;

type ObserverEvent = Extract<DrillEvent, { kind: 'observer' }>;
type DnsEvent = Extract<DrillEvent, { kind: 'dns' }>;

/** When the K-th observer's EVACUATE was stored, from the fault's start; null if that never happened. */
export function detectMs(
  events: readonly DrillEvent[],
  options: { readonly faultAtMs: number; readonly votesToEvacuate: number },
): number | null {
  const voting = new Set<string>();
  for (const event of events) {
    if (event.kind !== 'observer') continue;
    if (event.vote === 'EVACUATE') voting.add(event.region);
    else voting.delete(event.region);
    if (voting.size >= options.votesToEvacuate) return event.atMs - options.faultAtMs;
  }
  return null;
}

/** When DNS first answered with the standby for any cell, from the fault's start. */
export function flipMs(
  events: readonly DrillEvent[],
  options: { readonly faultAtMs: number; readonly standby: string },
): number | null {
  const { faultAtMs, standby } = options;
  const first = events.find((e) => e.kind === 'dns' && e.region === standby && e.atMs >= faultAtMs);
  return first === undefined ? null : first.atMs - options.faultAtMs;
}

/** How often the signal of the cell that moved most changed its region. */
export function flips(events: readonly DrillEvent[]): number {
  let most = 0;
  for (const answers of answersPerCell(events).values()) {
    const changes = answers.filter((e, i) => i > 0 && e.region !== answers[i - 1]?.region).length;
    most = Math.max(most, changes);
  }
  return most;
}

/** Where each cell's signal points at the end. */
export function finalRegions(events: readonly DrillEvent[]): ReadonlyMap<string, string> {
  const last = [...answersPerCell(events)].map(
    ([cell, answers]) => [cell, answers.at(-1)?.region ?? ''] as const,
  );
  return new Map(last);
}

function answersPerCell(events: readonly DrillEvent[]): Map<string, DnsEvent[]> {
  const cells = new Map<string, DnsEvent[]>();
  for (const event of events) {
    if (event.kind !== 'dns') continue;
    const answers = cells.get(event.cell) ?? [];
    answers.push(event);
    cells.set(event.cell, answers);
  }
  return cells;
}

/**
 * The recovery time: the first moment from which, for the next five seconds, *every* producer gets acknowledgements
 * and at least 95 % of them from the standby. Judged per producer, because a producer that is stuck on the failing
 * region acknowledges almost nothing and would vanish in a share over all of them.
 */
export function rtoMs(
  acknowledgements: readonly Acknowledgement[],
  options: { readonly faultAtMs: number; readonly standby: string; readonly producers: readonly string[] },
): number | null {
  const { faultAtMs, standby, producers } = options;
  const byProducer = Map.groupBy(acknowledgements, (ack) => ack.producer);
  let latestMs = 0;
  for (const producer of producers) {
    const times = (byProducer.get(producer) ?? []).toSorted((a, b) => a.atMs - b.atMs);
    const settledMs = settledAtMs(times, { faultAtMs, standby });
    if (settledMs === null) return null;
    latestMs = Math.max(latestMs, settledMs - faultAtMs);
  }
  return producers.length === 0 ? null : latestMs;
}

function settledAtMs(
  sorted: readonly Acknowledgement[],
  options: { readonly faultAtMs: number; readonly standby: string },
): number | null {
  const lastMs = sorted.at(-1)?.atMs ?? 0;
  for (const [index, start] of sorted.entries()) {
    if (start.atMs < options.faultAtMs || start.region !== options.standby) continue;
    const endMs = start.atMs + SETTLED_WINDOW_MS;
    if (lastMs < endMs) return null;
    let inWindow = 0;
    let landed = 0;
    for (let i = index; i < sorted.length; i++) {
      const ack = sorted[i];
      if (ack === undefined || ack.atMs > endMs) break;
      inWindow++;
      if (ack.region === options.standby) landed++;
    }
    if (landed >= LANDED_SHARE * inWindow) return start.atMs;
  }
  return null;
}

/** The diagnosis most of the deciding observers gave: at their vote if they voted, else the last that was not Healthy. */
export function commonDiagnosis(events: readonly DrillEvent[]): string {
  const perObserver = new Map<string, ObserverEvent>();
  for (const event of events) {
    if (event.kind !== 'observer') continue;
    const kept = perObserver.get(event.region);
    if (kept?.vote === 'EVACUATE') continue;
    const informative = event.vote === 'EVACUATE' || event.diagnosis !== 'Healthy';
    if (informative || kept === undefined) perObserver.set(event.region, event);
  }
  const counts = Map.groupBy(perObserver.values(), (event) => event.diagnosis);
  const most = [...counts].toSorted(([, a], [, b]) => b.length - a.length)[0];
  return most?.[0] ?? 'Undetermined';
}

export interface RecordCount {
  readonly acknowledged: number;
  /** Distinct acknowledged records found in a stream of either region. */
  readonly delivered: number;
  /** Acknowledged and in neither stream. */
  readonly lost: number;
  /** Copies beyond the first of any record. */
  readonly duplicates: number;
}

/** Begins the id of every record of one drill: streams may hold those of earlier drills, and of others. */
export const idPrefix = (run: string): string => `${run}-`;

/** Compares receipts with what the reader found; `found` has an entry for each copy. */
export function countRecords(
  acknowledged: readonly Acknowledgement[],
  { found, run }: { readonly found: readonly string[]; readonly run: string },
): RecordCount {
  const ours = found.filter((id) => id.startsWith(idPrefix(run)));
  const distinct = new Set(ours);
  const ids = new Set(acknowledged.map((ack) => ack.id));
  const delivered = ids.intersection(distinct).size;
  return {
    acknowledged: ids.size,
    delivered,
    lost: ids.size - delivered,
    duplicates: ours.length - distinct.size,
  };
}
