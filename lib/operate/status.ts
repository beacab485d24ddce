import { z } from 'zod';
import type { Control } from '../../lambda/core/control.ts';
import type { JournalEntry } from '../../lambda/core/journal.ts';
import type { Mode } from '../../lambda/core/policy.ts';
import type { Config } from '../config/config.ts';
import type { DnsReadings } from './dns.ts';
import { type FailbackOutlook, failbackOutlook } from './failback-outlook.ts';
import { findingsOf, type StatusFinding } from './findings.ts';
import type { ObserverReadings, ObserverReport } from './observers.ts';
import type { Reading } from './reading.ts';
import type { StateReadings } from './state.ts';

/** What stands in the tables of observers and standby. */
export interface StoredReadings {
  readonly atMs: number;
  readonly observers: ObserverReadings;
  readonly state: StateReadings;
}

export interface Readings extends StoredReadings {
  readonly dns: DnsReadings;
}

export type Position = 'PRIMARY' | 'STANDBY' | 'unknown';

export interface CellStatus {
  readonly cell: string;
  readonly group: string;
  /** Where DNS sends its producers. */
  readonly region: string | null;
  readonly stream: string | null;
  readonly problem?: string;
  readonly switch: Position;
}

export interface ObserverStatus {
  readonly region: string;
  readonly answered: boolean;
  readonly problem?: string;
  readonly vote?: 'HOLD' | 'EVACUATE';
  readonly fresh?: boolean;
  readonly ageMs?: number;
  readonly diagnosis?: string;
  readonly phase?: string;
  readonly epoch?: number;
  readonly comment?: string;
  readonly refusals?: readonly { readonly rule: string; readonly reason: string }[];
}

export interface OverrideStatus {
  readonly kind: 'pause' | 'maintenance' | 'approval';
  readonly owner: string;
  readonly reason: string;
  readonly fromMs?: number;
  readonly untilMs: number;
  readonly active: boolean;
}

/** The newest in the journal, whatever became of it. */
export interface LastDrill {
  readonly atMs: number;
  readonly why: string;
  /** Null: the entry does not say. */
  readonly end: 'ok' | 'failed' | 'refused' | null;
  readonly rtoMs: number | null;
}

/** The document of `spillway status --json`. */
export interface Status {
  readonly ok: boolean;
  readonly atMs: number;
  readonly name: string;
  readonly zone: string;
  readonly primary: string;
  readonly standby: string;
  readonly quorum: { readonly region: string | null; readonly problem?: string };
  readonly votesToEvacuate: number;
  readonly cells: readonly CellStatus[];
  readonly observers: readonly ObserverStatus[];
  readonly mode: Mode | 'unknown';
  readonly control: 'read' | 'unreadable' | 'unanswered';
  readonly overrides: readonly OverrideStatus[];
  readonly lease: { readonly holder: string; readonly epoch: number; readonly untilMs: number } | null;
  /** Of the newest act; 0 when there never was one, null when it cannot be read. */
  readonly epoch: number | null;
  readonly lastDrill: LastDrill | null;
  readonly lastAck: { readonly atMs: number; readonly who: string; readonly why: string } | null;
  /** The way back; null while no switch holds a cell in the standby. */
  readonly failback: FailbackOutlook | null;
  readonly findings: readonly StatusFinding[];
}

/** Pure: what the readings mean together. */
export function statusOf(config: Config, readings: Readings): Status {
  const { atMs, dns, state } = readings;
  const status = {
    atMs,
    name: config.name,
    zone: config.zone.name,
    primary: config.regions.primary,
    standby: config.regions.standby,
    quorum: dns.region.ok ? { region: dns.region.value } : { region: null, problem: dns.region.problem },
    votesToEvacuate: config.policy.votesToEvacuate,
    cells: cellsOf(config, readings),
    observers: [...readings.observers].map(([region, report]) => observerStatus(region, report, atMs)),
    ...controlOf(config, state, atMs),
    ...leaseOf(state),
    ...journalOf(state),
    failback: failbackOutlook(config, readings),
  };
  const findings = findingsOf(status, state, config);
  return { ok: findings.every(({ level }) => level !== 'bad'), ...status, findings };
}

function cellsOf(config: Config, { dns, state }: Readings): readonly CellStatus[] {
  const latched = new Set(
    state.switches.ok
      ? state.switches.value.filter(({ position }) => position === 'STANDBY').map(({ group }) => group)
      : [],
  );
  return config.cells.map(({ name, group }) => {
    const signal = dns.signals.get(name);
    const position: Position = !state.switches.ok ? 'unknown' : latched.has(group) ? 'STANDBY' : 'PRIMARY';
    if (signal?.ok)
      return {
        cell: name,
        group,
        region: signal.value.region,
        stream: signal.value.stream ?? null,
        switch: position,
      };
    const problem = signal?.problem ?? 'not asked';
    return { cell: name, group, region: null, stream: null, problem, switch: position };
  });
}

function observerStatus(region: string, report: Reading<ObserverReport>, atMs: number): ObserverStatus {
  if (!report.ok) return { region, answered: false, problem: report.problem };
  const { liveVote, fresh, decidedAtMs, diagnosis, phase, epoch, comment, refusals } = report.value;
  const ageMs = Math.max(0, atMs - decidedAtMs);
  return { region, answered: true, vote: liveVote, fresh, ageMs, diagnosis, phase, epoch, comment, refusals };
}

function controlOf(config: Config, { control }: StateReadings, atMs: number) {
  if (!control.ok) return { mode: 'unknown' as const, control: 'unanswered' as const, overrides: [] };
  if (control.value === 'unreadable')
    return { mode: 'unknown' as const, control: 'unreadable' as const, overrides: [] };
  return {
    mode: control.value.mode ?? config.policy.mode,
    control: 'read' as const,
    overrides: overridesOf(control.value, atMs),
  };
}

/** Those that have run out are left out: they say nothing any more. */
export function overridesOf(control: Control, atMs: number): readonly OverrideStatus[] {
  const kinds = ['pause', 'maintenance', 'approval'] as const;
  return kinds.flatMap((kind) => {
    const override = control[kind];
    if (override === undefined || atMs >= override.untilMs) return [];
    const fromMs = 'fromMs' in override ? override.fromMs : undefined;
    const active = fromMs === undefined || atMs >= fromMs;
    return [{ kind, ...override, active }];
  });
}

function leaseOf({ lease, epoch }: StateReadings) {
  const held = lease.ok ? lease.value : undefined;
  return {
    lease: held === undefined ? null : { holder: held.holder, epoch: held.epoch, untilMs: held.untilMs },
    epoch: epoch.ok ? epoch.value : null,
  };
}

function journalOf({ journal }: StateReadings) {
  const entries = valueOr(journal, []);
  const drill = entries.find(({ what }) => what === 'drill' || what.startsWith('drill '));
  const ack = entries.find(({ what }) => what === 'ack');
  return {
    lastDrill: drill === undefined ? null : lastDrillOf(drill),
    lastAck: ack === undefined ? null : { atMs: ack.atMs, who: ack.who, why: ack.why },
  };
}

const drillSchema = z.object({
  ok: z.boolean(),
  rtoMs: z.number().nullish(),
  refusals: z.array(z.unknown()).optional(),
});

function lastDrillOf({ atMs, why, after }: JournalEntry): LastDrill {
  const parsed = drillSchema.safeParse(after);
  if (!parsed.success) return { atMs, why, end: null, rtoMs: null };
  const { ok, rtoMs = null, refusals } = parsed.data;
  const end = ok ? 'ok' : refusals === undefined ? 'failed' : 'refused';
  return { atMs, why, end, rtoMs };
}

const valueOr = <Value>(read: Reading<Value>, fallback: Value): Value => (read.ok ? read.value : fallback);
