import { worstTrouble } from './cell-voices.ts';
import { type ObserverReport, observerReport } from './conductor-observers.ts';
import type { ControlReading } from './control.ts';
import { type DiagnosisCode, isActionable, isFit } from './diagnosis.ts';
import { type EndpointFinding, isTrouble } from './endpoint-findings.ts';
import type { JournalEntry } from './journal.ts';
import type { Quorum } from './lifecycle.ts';
import { parseMemory } from './memory.ts';
import type { MetricsOf } from './metrics.ts';
import type { RegionLevels } from './observation.ts';
import type { Mode, Policy } from './policy.ts';
import { outstandingMs, type Recurring, type RecurringWork } from './recurring.ts';
import { regionsSeen } from './regions-seen.ts';
import { type Subject, subjectOf } from './subjects.ts';

/** The readings of the monitor. Undefined: the source did not answer. */
export interface MonitorReadings {
  readonly nowMs: number;
  /** What each observer has stored in its own region. */
  readonly observers: readonly { readonly region: string; readonly item: unknown }[];
  readonly quorum: Quorum;
  readonly control: ControlReading | undefined;
  /** How many switches hold in the standby. */
  readonly switchesInStandby: number | undefined;
  readonly work: Readonly<Record<RecurringWork, Recurring | undefined>>;
  /** What was found of the endpoints that this round was to ask. */
  readonly endpoints: readonly EndpointFinding[] | undefined;
}

export interface MonitorLimits {
  readonly policy: Policy;
  /** How many groups of cells there are, each with a switch. */
  readonly groups: number;
}

interface Live {
  readonly report: ObserverReport;
  readonly subject: Subject;
  /** It takes and returns records, and fails in no part. */
  readonly standbyFit: boolean;
}

/** Diagnoses that accuse the primary and that nothing moves for: only the producers know whether they are right. */
const unproven: readonly DiagnosisCode[] = ['CanaryOnly', 'PrimaryRefusesAccess'];
/** Cells of one observer that the log line names, at most. */
const CELLS_IN_WORDS = 5;

/** Every metric of the monitor. Pure. A value that could not be read is undefined, never 0. */
export function monitorValues(
  readings: MonitorReadings,
  { policy, groups }: MonitorLimits,
): Readonly<Record<MetricsOf<'monitor'>, number | undefined>> {
  const { nowMs, observers, quorum, control, switchesInStandby, work, endpoints } = readings;
  const live = observers.flatMap((observer) => liveObserver(observer, { policy, nowMs }) ?? []);
  const count = (holds: (each: Live) => boolean): number => live.filter(holds).length;
  const latched = switchesInStandby !== undefined && switchesInStandby >= groups;
  return {
    LiveVotes: live.length,
    EvacuateVotes: count(({ report }) => report.vote === 'EVACUATE'),
    // Once every switch holds, nothing is left to move, whatever a guard says.
    BlockedVotes: latched ? 0 : count(({ report }) => isBlocked(report)),
    ImpairedDiagnoses: count(({ subject }) => subject === 'primary'),
    // The votes of two diagnoses are not added up: they contradict each other.
    UnprovenFaults: Math.max(...unproven.map((code) => count(({ report }) => report.diagnosis === code))),
    CellTrouble: worstTrouble({
      accusers: live.map(({ report }) => report),
      votesToEvacuate: policy.votesToEvacuate,
      nowMs,
    }),
    SickObservers: count(({ subject }) => subject === 'observer'),
    StandbyDoubts: count(({ standbyFit }) => !standbyFit),
    DnsInStandby: quorum === 'unknown' ? undefined : Number(quorum === 'standby'),
    DnsUnread: Number(quorum === 'unknown'),
    SwitchesInStandby: switchesInStandby,
    UnlatchedGroups: unlatched(quorum, switchesInStandby, groups),
    Paused: Number(stopsEvacuations(control, { mode: policy.mode, nowMs })),
    StateUnread: Number(control === undefined || switchesInStandby === undefined),
    DrillAge: ageSeconds(work.drill, nowMs),
    SurveyAge: ageSeconds(work.survey, nowMs),
    UnfitEndpoints: unfit(endpoints),
  };
}

/** One phrase for each observer, for the log line beside the metrics. */
export function observersInWords({ observers, nowMs }: MonitorReadings): string {
  return observers
    .map(({ region, item }) => {
      const report = observerReport(region, item, nowMs);
      if (report === undefined) return `${region} cannot be read`;
      if (!report.fresh) return `${region} silent for ${secondsSince(report.decidedAtMs, nowMs)} s`;
      return `${region} ${report.vote} ${report.diagnosis}${cellsInWords(report)}`;
    })
    .join('; ');
}

function cellsInWords({ cells = [] }: ObserverReport): string {
  if (cells.length === 0) return '';
  const named = cells.slice(0, CELLS_IN_WORDS).map(({ cell, kind }) => `${cell} ${kind}`);
  const more = cells.length > named.length ? [`${cells.length - named.length} more`] : [];
  return ` (${[...named, ...more].join(', ')})`;
}

/** Whether the standby cannot take an evacuation, or the alarms in its region cannot be relied on. */
export const standbyIsDown = (standby: RegionLevels): boolean =>
  !isFit(standby) || standby.cloudWatch === 'down';

/**
 * When the last drill succeeded. A drill ends with a line `drill`, whose `after.ok` says whether it
 * succeeded. Entries are newest first.
 */
export function lastDrillAtMs(entries: readonly JournalEntry[]): number | null {
  const drill = entries.find(({ what, after }) => what === 'drill' && !hasFailed(after));
  return drill?.atMs ?? null;
}

const hasFailed = (after: unknown): boolean =>
  typeof after === 'object' && after !== null && 'ok' in after && after.ok === false;

function liveObserver(
  { region, item }: MonitorReadings['observers'][number],
  { policy, nowMs }: { readonly policy: Policy; readonly nowMs: number },
): Live | undefined {
  const report = observerReport(region, item, nowMs);
  if (report === undefined || !report.fresh) return undefined;
  const { standby, blames } = regionsSeen(memoryOf(item).evidence, policy, nowMs);
  const subject = subjectOf(report.diagnosis);
  return { report, subject, standbyFit: isFit(standby, blames) && subject !== 'standby' };
}

const isBlocked = ({ vote, diagnosis }: ObserverReport): boolean =>
  vote === 'HOLD' && isActionable(diagnosis);

function ageSeconds(work: Recurring | undefined, nowMs: number): number | undefined {
  const ms = work === undefined ? undefined : outstandingMs(work, nowMs);
  return ms === undefined ? undefined : Math.round(ms / 1_000);
}

const memoryOf = (item: unknown) =>
  parseMemory(typeof item === 'object' && item !== null && 'memory' in item ? item.memory : undefined);

/** Undefined while nothing is known of any: endpoints that nobody can ask are neither fit nor unfit. */
function unfit(endpoints: readonly EndpointFinding[] = []): number | undefined {
  const troubled = endpoints.filter(isTrouble).length;
  return troubled > 0 || endpoints.some(({ finding }) => finding === 'agrees') ? troubled : undefined;
}

function unlatched(quorum: Quorum, inStandby: number | undefined, groups: number): number | undefined {
  if (quorum !== 'standby') return 0;
  return inStandby === undefined ? undefined : Math.max(0, groups - inStandby);
}

/**
 * Whether an operator has stopped evacuations, and may have forgotten it. Unreadable counts as a pause, as
 * for the guards. A deployment whose config says `observe` is not paused: it does what it was deployed for.
 */
function stopsEvacuations(
  control: ControlReading | undefined,
  { mode: deployedMode, nowMs }: { readonly mode: Mode; readonly nowMs: number },
): boolean {
  if (control === undefined || control === 'unreadable') return true;
  const { mode, pause, maintenance } = control;
  const inWindow = maintenance !== undefined && nowMs >= maintenance.fromMs && nowMs < maintenance.untilMs;
  const isHeld = mode === 'observe' && deployedMode !== 'observe';
  return isHeld || inWindow || (pause !== undefined && nowMs < pause.untilMs);
}

const secondsSince = (thenMs: number, nowMs: number): number =>
  Math.max(0, Math.round((nowMs - thenMs) / 1_000));
