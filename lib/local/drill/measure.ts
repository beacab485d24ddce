import { arrivedMs } from '../../../lambda/core/arrival.ts';
import { accusingKinds } from '../../../lambda/core/cell-findings.ts';
import type { DiagnosisCode } from '../../../lambda/core/diagnosis.ts';
import { askedBy, Conclusions } from '../../scenario/conclusions.ts';
import type { Acknowledgement, DrillEvent } from './events.ts';

type DnsEvent = Extract<DrillEvent, { kind: 'dns' }>;

/**
 * Time from the fault's start until the K-th observer's EVACUATE, or its accusation of one and the same cell, was stored;
 * null if that never happened.
 */
export function detectMs(
  events: readonly DrillEvent[],
  options: { readonly faultAtMs: number; readonly votesToEvacuate: number },
): number | null {
  const asking = new Map<string, Set<string>>();
  for (const event of events) {
    if (event.kind !== 'observer' && event.kind !== 'cell') continue;
    const scope = event.kind === 'observer' ? '' : event.cell;
    const asks = event.kind === 'observer' ? event.vote === 'EVACUATE' : accuses(event);
    const who = asking.get(scope) ?? new Set<string>();
    asking.set(scope, who);
    if (asks) who.add(event.region);
    else who.delete(event.region);
    if (who.size >= options.votesToEvacuate) return event.atMs - options.faultAtMs;
  }
  return null;
}

const accuses = ({ finding, refusedBy }: Extract<DrillEvent, { kind: 'cell' }>): boolean =>
  finding !== undefined && accusingKinds.has(finding.kind) && refusedBy.length === 0;

/** Time from the fault's start until DNS first answered with the standby for any cell. */
export function flipMs(
  events: readonly DrillEvent[],
  options: { readonly faultAtMs: number; readonly standby: string },
): number | null {
  const { faultAtMs, standby } = options;
  const first = events.find((e) => e.kind === 'dns' && e.region === standby && e.atMs >= faultAtMs);
  return first === undefined ? null : first.atMs - options.faultAtMs;
}

/** Counts how often the signal of the cell that moved most changed its region. */
export function flips(events: readonly DrillEvent[]): number {
  let most = 0;
  for (const answers of answersPerCell(events).values()) {
    const changes = answers.filter((e, i) => i > 0 && e.region !== answers[i - 1]?.region).length;
    most = Math.max(most, changes);
  }
  return most;
}

/**
 * Time from the fault's start until the last of the groups was stored as held in the standby; null if not all
 * groups were.
 */
export function latchedMs(
  events: readonly DrillEvent[],
  { faultAtMs, groups }: { readonly faultAtMs: number; readonly groups: readonly string[] },
): number | null {
  const held = new Set<string>();
  for (const event of events) {
    if (event.kind !== 'switch' || event.atMs < faultAtMs) continue;
    if (event.position === 'STANDBY') held.add(event.group);
    else held.delete(event.group);
    if (groups.every((group) => held.has(group))) return event.atMs - faultAtMs;
  }
  return null;
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

/** From the fault's start until every producer has settled in the standby. */
export function rtoMs(
  acknowledgements: readonly Acknowledgement[],
  options: { readonly faultAtMs: number; readonly standby: string; readonly producers: readonly string[] },
): number | null {
  const { faultAtMs, standby, producers } = options;
  return arrivedMs(acknowledgements, { fromMs: faultAtMs, region: standby, producers });
}

/** What most observers concluded, from the fault's start. */
export function commonDiagnosis(
  events: readonly DrillEvent[],
  { faultAtMs, endMs }: { readonly faultAtMs: number; readonly endMs: number },
): string {
  const conclusions = new Conclusions();
  const last = new Map<string, DiagnosisCode>();
  for (const event of events) {
    if (event.kind !== 'observer' && event.kind !== 'cell') continue;
    const { region } = event;
    if (event.kind === 'observer') last.set(region, event.diagnosis);
    const asks = event.kind === 'observer' ? askedBy(event.vote, false) : askedBy('HOLD', accuses(event));
    const diagnosis = last.get(region);
    if (diagnosis === undefined) continue;
    conclusions.saw(region, { atMs: Math.max(event.atMs, faultAtMs), diagnosis, asks });
  }
  return conclusions.together({ endMs, outageMs: endMs - faultAtMs });
}

export interface RecordCount {
  readonly acknowledged: number;
  /** Distinct acknowledged records found in a stream of either region. */
  readonly delivered: number;
  /** Acknowledged records that are neither in a stream nor on a producer's disk. */
  readonly lost: number;
  /** Copies beyond the first of any record. */
  readonly duplicates: number;
  /** Acknowledged records that are still on a producer's disk. */
  readonly spooled: number;
  /** First copies that come after a later record of their key. */
  readonly reordered: number;
}

/**
 * Prefix of the id of every record of one drill: streams may hold records of earlier drills and of other
 * writers.
 */
export const idPrefix = (run: string): string => `${run}-`;

export interface Found {
  /**
   * The ids found, one entry for each copy; those of a key are in the order of arrival, whichever stream they
   * arrived in.
   */
  readonly inStreams: readonly string[];
  readonly onDisk: readonly string[];
  readonly run: string;
  /** Keys of one producer: a record's sequence number, modulo this, is its key. */
  readonly keys: number;
}

/** Compares receipts with what the reader found. */
export function countRecords(
  acknowledged: readonly Acknowledgement[],
  { inStreams, onDisk, run, keys }: Found,
): RecordCount {
  const ours = inStreams.filter((id) => id.startsWith(idPrefix(run)));
  const distinct = new Set(ours);
  const ids = new Set(acknowledged.map((ack) => ack.id));
  const delivered = ids.intersection(distinct);
  const spooled = ids.difference(delivered).intersection(new Set(onDisk)).size;
  return {
    acknowledged: ids.size,
    delivered: delivered.size,
    lost: ids.size - delivered.size - spooled,
    duplicates: ours.length - distinct.size,
    spooled,
    reordered: countReordered([...distinct], keys),
  };
}

/** Receipts for records that are neither in a stream nor on a disk. */
export function lostRecords(
  acknowledged: readonly Acknowledgement[],
  { inStreams, onDisk }: Pick<Found, 'inStreams' | 'onDisk'>,
): readonly Acknowledgement[] {
  const found = new Set([...inStreams, ...onDisk]);
  return acknowledged.filter(({ id }) => !found.has(id));
}

/**
 * Counts records out of order. `ids` are first copies in the order in which a consumer of each key sees them.
 */
export function countReordered(ids: readonly string[], keys: number): number {
  const latest = new Map<string, number>();
  let reordered = 0;
  for (const id of ids) {
    const [, producer = '', sequence = 0] = /^(.*)-(\d+)$/.exec(id) ?? [];
    const key = `${producer} ${Number(sequence) % keys}`;
    const last = latest.get(key) ?? -1;
    if (Number(sequence) < last) reordered++;
    else latest.set(key, Number(sequence));
  }
  return reordered;
}
