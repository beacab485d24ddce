import { z } from 'zod';
import { accusingKinds, type CellFinding, cellFindingSchema, MOST_FINDINGS } from './cell-findings.ts';
import { type DiagnosisCode, isActionable } from './diagnosis.ts';
import { subjectOf } from './subjects.ts';
import { liveVote, type Vote } from './vote.ts';

/** The stored item of one observer, as far as a decision about a failback needs it. */
export interface ObserverReport {
  readonly region: string;
  /** The vote has not expired. A stale report counts for nothing but its age. */
  readonly fresh: boolean;
  readonly vote: Vote;
  readonly diagnosis: string;
  readonly decidedAtMs: number;
  /** Since when the observer has seen the primary healthy without a break. */
  readonly healthySinceMs: number | null;
  /** Since when the observer has voted EVACUATE; absent when it does not, or when the item does not say. */
  readonly voteSinceMs?: number;
  /** What is said about single cells. Absent: nothing. */
  readonly cells?: readonly CellFinding[];
  /** Guards that hold its vote back. */
  readonly refusedBy?: readonly string[];
  /** Since when its diagnosis has called for an evacuation without a break. */
  readonly actionableSinceMs?: number;
  /** A name of `phases` in lifecycle.ts, or of another version; absent when the item does not say. */
  readonly phase?: string;
}

const itemSchema = z.object({
  diagnosis: z.string(),
  decidedAtMs: z.number(),
  expiresAtMs: z.number(),
  healthySinceMs: z.number().nullish(),
  voteSinceMs: z.number().nullish(),
  phase: z.string().optional().catch(undefined),
  cells: z.array(cellFindingSchema).max(MOST_FINDINGS).catch([]),
  refusals: z.array(z.object({ rule: z.string() })).catch([]),
  actionableSinceMs: z.number().nullish().catch(null),
});

/** Undefined for an observer that cannot be read or has never voted. */
export function observerReport(region: string, item: unknown, nowMs: number): ObserverReport | undefined {
  const parsed = itemSchema.safeParse(item);
  if (!parsed.success) return undefined;
  const { diagnosis, decidedAtMs, expiresAtMs, healthySinceMs = null, voteSinceMs, phase } = parsed.data;
  const { cells, refusals, actionableSinceMs } = parsed.data;
  return {
    region,
    fresh: nowMs < expiresAtMs,
    vote: liveVote(item, nowMs),
    diagnosis,
    decidedAtMs,
    healthySinceMs,
    cells: cells as readonly CellFinding[],
    refusedBy: refusals.map(({ rule }) => rule),
    ...(actionableSinceMs == null ? {} : { actionableSinceMs }),
    ...(voteSinceMs == null ? {} : { voteSinceMs }),
    ...(phase === undefined ? {} : { phase }),
  };
}

/**
 * Since when enough observers for a quorum have voted to leave the primary, by their own stored votes;
 * undefined when too few do. While those votes stand this time stays the same, even if further observers join
 * them.
 */
export function quorumSinceMs(
  reports: readonly ObserverReport[],
  votesToEvacuate: number,
): number | undefined {
  return reports
    .flatMap(({ fresh, vote, voteSinceMs }) =>
      fresh && vote === 'EVACUATE' && voteSinceMs !== undefined ? [voteSinceMs] : [],
    )
    .toSorted((a, b) => a - b)[votesToEvacuate - 1];
}

/** Faults of the primary beside which it takes records all the same. */
const minor = new Set<string>([
  'CloudWatchBlind',
  'ControlPlaneOnly',
  'SiblingServicesOnly',
  'LatencyDegraded',
] satisfies DiagnosisCode[]);

/** Whether an observer sees the primary take and return records, whatever it says of the standby or of itself. */
const isContent = ({ diagnosis, healthySinceMs }: ObserverReport): boolean =>
  healthySinceMs !== null &&
  (minor.has(diagnosis) ||
    subjectOf(diagnosis) === 'nothing' ||
    subjectOf(diagnosis) === 'standby' ||
    diagnosis === PROBES_REFUSED);
const PROBES_REFUSED = 'ProbesRefused' satisfies DiagnosisCode;
/** A cell that this failback does not return: the region is well beside it. */
const STREAM_IMPAIRED = 'StreamImpaired' satisfies DiagnosisCode;

/** Whether an observer finds the own stream of a cell of these groups impaired, whatever holds its move. */
export const accusesAnyOf = ({ cells = [] }: ObserverReport, groups: readonly string[]): boolean =>
  cells.some(({ kind, group }) => accusingKinds.has(kind) && groups.includes(group));

export interface WatchQuestion {
  readonly reports: readonly ObserverReport[];
  /** Groups that the failback returns: their own streams count as well. */
  readonly groups: readonly string[];
  readonly votesToEvacuate: number;
}

export type Watch =
  | { readonly verdict: 'go' }
  /** `minority`: enough observers see the primary healthy, and too few to move anything accuse it. */
  | { readonly verdict: 'hold'; readonly reason: string; readonly minority: boolean }
  | { readonly verdict: 'take-back'; readonly reason: string };

/**
 * Decides, during a failback, whether the primary fails again. As many accusations as it takes to evacuate, by
 * vote or by an actionable diagnosis, take the failback back. One accusation alone, and silence, hold the next
 * stage: one observer may be cut off from a primary that is well.
 */
export function watchPrimary({ reports, groups, votesToEvacuate }: WatchQuestion): Watch {
  const fresh = reports.filter((report) => report.fresh);
  const accusers = fresh.filter(
    (report) => report.vote === 'EVACUATE' || isActionable(report.diagnosis) || accusesAnyOf(report, groups),
  );
  const accusations = accusers
    .map(({ region, diagnosis, vote }) => `${region} sees ${diagnosis}, and votes ${vote}`)
    .join('; ');
  if (accusers.length >= votesToEvacuate) return { verdict: 'take-back', reason: accusations };
  const content = fresh.filter(
    (report) => !accusers.includes(report) && (isContent(report) || report.diagnosis === STREAM_IMPAIRED),
  );
  const enough = content.length >= votesToEvacuate;
  if (accusers.length > 0) {
    const others = `${content.length} others see the primary healthy`;
    return { verdict: 'hold', reason: `${accusations}; ${others}`, minority: enough };
  }
  if (enough) return { verdict: 'go' };
  return {
    verdict: 'hold',
    reason: `${content.length} observers see the primary healthy, ${votesToEvacuate} are needed`,
    minority: false,
  };
}
