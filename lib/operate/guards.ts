import type { ObserverReport as FailbackReport } from '../../lambda/core/conductor-observers.ts';
import { isFit } from '../../lambda/core/diagnosis.ts';
import { type FailbackRefusal, failbackRefusals } from '../../lambda/core/failback.ts';
import { shortfalls } from '../../lambda/core/fitness.ts';
import { failsWholly, levelsOf, type RegionLevels } from '../../lambda/core/observation.ts';
import type { Policy } from '../../lambda/core/policy.ts';
import type { Config } from '../config/config.ts';
import { named } from './named.ts';
import type { ObserverReadings, ObserverReport } from './observers.ts';
import type { StateReadings } from './state.ts';
import type { StoredReadings } from './stored-readings.ts';

/** Observers that have something to say now. */
export function freshReports(observers: ObserverReadings): readonly (readonly [string, ObserverReport])[] {
  return [...observers].flatMap(([region, report]) =>
    report.ok && report.value.fresh ? [[region, report.value] as const] : [],
  );
}

export const standbyLevels = (report: ObserverReport, policy: Policy): RegionLevels =>
  levelsOf(report.memory.evidence.standby, policy, report.decidedAtMs);

/**
 * Why an operator may not move traffic: the standby is known to be impaired, or no observer is known to see
 * it working. An operator who knows better can use --force.
 */
export function failoverRefusals(
  config: Config,
  observers: ObserverReadings,
): readonly { readonly rule: string; readonly reason: string }[] {
  const fresh = freshReports(observers);
  const { standby } = config.regions;
  const unfit = fresh.filter(([, report]) => {
    const levels = standbyLevels(report, config.policy);
    return (
      failsWholly(levels, 'kinesisWrite') ||
      failsWholly(levels, 'kinesisRead') ||
      levels.reachability === 'down'
    );
  });
  if (unfit.length > 0) {
    const where = unfit.map(([region]) => region).join(', ');
    return [{ rule: 'standby-unfit', reason: `${standby} is impaired, as ${where} sees it` }];
  }
  if (fresh.some(([, report]) => isFit(standbyLevels(report, config.policy)))) return [];
  const reason = `none of ${observers.size} observers is known to see ${standby} working`;
  return [{ rule: 'standby-unknown', reason: `${reason}${unasked(observers)}` }];
}

export interface FailbackScope {
  /** Cells that are to return; cells that stay have no influence. */
  readonly cells: readonly string[];
  /** Cells whose stranded records are not marked as read, where the failback is to wait for that. */
  readonly undrained?: readonly string[];
}

/**
 * Runs the conductor's own guards beforehand, so that a refusal is an answer now and not a failed run later.
 */
export function refusalsToFailBack(
  config: Config,
  { atMs, observers, state }: StoredReadings,
  { cells, undrained = [] }: FailbackScope,
): readonly FailbackRefusal[] {
  const control = state.control.ok ? state.control.value : 'unreadable';
  const newestEpoch = state.epoch.ok ? state.epoch.value : 0;
  // An unknown stream size stops no run of the conductor either.
  const capacities = state.capacities.ok ? state.capacities.value : [];
  const refusals = failbackRefusals({
    nowMs: atMs,
    policy: config.policy,
    // The act itself will be the newest one.
    epoch: newestEpoch + 1,
    newestEpoch,
    control,
    reports: [...observers].flatMap(([region, report]) =>
      report.ok ? [failbackReport(region, report.value)] : [],
    ),
    standby: config.regions.standby,
    groups: config.cells.filter(({ name }) => cells.includes(name)).map(({ group }) => group),
    primaryShortfalls: shortfalls(
      capacities.filter(({ cell }) => cells.includes(cell)),
      'primary',
    ),
    undrained,
  });
  return refusals.map((refusal) => ({ ...refusal, reason: `${refusal.reason}${whyUnread(refusal.rule)}` }));

  function whyUnread(rule: FailbackRefusal['rule']): string {
    if (rule === 'pause') return state.control.ok ? '' : ` (${state.control.problem})`;
    return rule === 'recovery' || rule === 'canary' ? unasked(observers) : '';
  }
}

/** A guard also refuses when an observer could not be asked; the region is then not to blame. */
function unasked(observers: ObserverReadings): string {
  const problems = [...observers].flatMap(([region, report]) =>
    report.ok || report.failure?.kind === 'unusable'
      ? []
      : [`${region} could not be asked: ${report.problem}`],
  );
  return problems.length === 0 ? '' : ` (${problems.join('; ')})`;
}

const failbackReport = (region: string, report: ObserverReport): FailbackReport => ({
  region,
  fresh: report.fresh,
  vote: report.liveVote,
  diagnosis: report.diagnosis,
  decidedAtMs: report.decidedAtMs,
  healthySinceMs: report.memory.decision.healthySinceMs,
  phase: report.phase,
  cells: report.cells,
});

/**
 * Notes on groups that are held in the standby already: moving them again only changes which act holds them.
 */
export function heldNotes(
  config: Config,
  groups: readonly string[],
  state: StateReadings,
): readonly string[] {
  const { inStandby } = byPosition(config, groups, state);
  return inStandby.length === 0 ? [] : [`held in the standby already: ${named(inStandby)}`];
}

/** Notes on groups that no switch holds in the standby, so that there is nothing to fail back. */
export function backNotes(
  config: Config,
  groups: readonly string[],
  state: StateReadings,
): readonly string[] {
  const { inPrimary } = byPosition(config, groups, state);
  return inPrimary.length === 0 ? [] : [`nothing to do, because no switch holds: ${named(inPrimary)}`];
}

function byPosition(config: Config, groups: readonly string[], { switches }: StateReadings) {
  if (!switches.ok) return { inStandby: [], inPrimary: [] };
  const held = new Set(
    switches.value.flatMap(({ group, position }) => (position === 'STANDBY' ? [group] : [])),
  );
  const cells = config.cells.filter(({ group }) => groups.includes(group));
  const names = (isHeld: boolean): readonly string[] =>
    cells.filter(({ group }) => held.has(group) === isHeld).map(({ name }) => name);
  return { inStandby: names(true), inPrimary: names(false) };
}

/** Notes on another act in progress: a failover would overrule it, a failback would wait. */
export function leaseNotes({ lease }: StateReadings, nowMs: number): readonly string[] {
  const held = lease.ok ? lease.value : undefined;
  return held === undefined || held.untilMs <= nowMs
    ? []
    : [`${held.holder} is running: a failover overrules this run, a failback waits for it`];
}
