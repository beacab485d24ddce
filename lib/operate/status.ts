import { z } from 'zod';
import type { CellOverrides, Control } from '../../lambda/core/control.ts';
import type { JournalEntry } from '../../lambda/core/journal.ts';
import type { Lease } from '../../lambda/core/lease.ts';
import type { Config } from '../config/config.ts';
import { cellReaders } from './cell-readers.ts';
import { cellStreams } from './cell-streams.ts';
import { failbackOutlook } from './failback-outlook.ts';
import { findingsOf } from './findings.ts';
import type { ObserverReport } from './observers.ts';
import type { Reading, Unread } from './reading.ts';
import type { StateReadings } from './state.ts';
import type {
  CellStatus,
  CellStreams,
  LastDrill,
  LeaseStatus,
  ObserverStatus,
  OverrideStatus,
  Status,
  SwitchReading,
} from './status-document.ts';
import type { Readings } from './stored-readings.ts';
import { unreadParts } from './unread.ts';

/** Pure: what the readings mean together. */
export function statusOf(config: Config, readings: Readings): Status {
  const { atMs, dns, state } = readings;
  const status = {
    credentials: readings.credentials,
    atMs,
    name: config.name,
    zone: config.zone.name,
    primary: config.regions.primary,
    standby: config.regions.standby,
    quorum: dns.region.ok ? { region: dns.region.value } : { region: null, problem: dns.region.problem },
    votesToEvacuate: config.policy.votesToEvacuate,
    cells: cellsOf(config, readings),
    observers: [...readings.observers].map(([region, report]) => observerStatus(region, report, atMs)),
    endpoints: readings.endpoints?.ok === true ? readings.endpoints.value : null,
    ...controlOf(config, state, atMs),
    ...leaseOf(state, atMs),
    ...journalOf(state),
    failback: outlookOf(config, readings),
  };
  const unread = unreadParts({ name: config.name, standby: config.regions.standby, ...readings });
  const findings = findingsOf(status, { state, unread, config });
  return { ok: findings.every(({ level }) => level === 'note'), ...status, findings };
}

/**
 * The outlook for a failback. Without the right to see the switches nothing is known: the guards would blame
 * what holds the cells.
 */
function outlookOf(config: Config, readings: Readings): Status['failback'] {
  const { switches } = readings.state;
  if (!switches.ok && (readings.credentials.ok === false || isUnseen(switches))) return null;
  return failbackOutlook(config, readings) ?? 'none';
}

function cellsOf(config: Config, { dns, observers, state }: Readings): readonly CellStatus[] {
  const latched = new Set(
    state.switches.ok
      ? state.switches.value.filter(({ position }) => position === 'STANDBY').map(({ group }) => group)
      : [],
  );
  const positionOf = (group: string): SwitchReading =>
    state.switches.ok ? (latched.has(group) ? 'STANDBY' : 'PRIMARY') : 'unknown';
  const streams = cellStreams(config, { observers, positionOf });
  const readers = cellReaders(state.consumers.ok ? state.consumers.value : []);
  return config.cells.map(({ name, group }) => {
    const signal = dns.signals.get(name);
    const about = {
      switch: positionOf(group),
      streams: streams.get(name) as CellStreams,
      readers: readers.get(name) ?? null,
    };
    if (signal?.ok) {
      const { region, stream = null } = signal.value;
      return { cell: name, group, region, stream, ...about };
    }
    const problem = signal?.problem ?? 'not asked';
    return { cell: name, group, region: null, stream: null, problem, ...about };
  });
}

function observerStatus(region: string, report: Reading<ObserverReport>, atMs: number): ObserverStatus {
  if (!report.ok) {
    const because = report.failure?.kind ?? 'other';
    return { region, answered: isUnseen(report) ? null : false, problem: report.problem, because };
  }
  const { liveVote, fresh, decidedAtMs, diagnosis, phase, epoch, comment, refusals, beacons } = report.value;
  const ageMs = Math.max(0, atMs - decidedAtMs);
  const said = { diagnosis, phase, epoch, comment, refusals, ...(beacons === undefined ? {} : { beacons }) };
  return { region, answered: true, vote: liveVote, fresh, ageMs, ...said };
}

/**
 * Whether a part is unread for a reason that says nothing about the region: the credentials, or what is
 * deployed.
 */
export const isUnseen = ({ failure }: Unread): boolean =>
  failure !== undefined && ['credentials', 'denied', 'missing'].includes(failure.kind);

function controlOf(config: Config, { control }: StateReadings, atMs: number) {
  if (!control.ok) {
    const seen = isUnseen(control) ? null : ('unanswered' as const);
    return { mode: 'unknown' as const, control: seen, overrides: null };
  }
  if (control.value === 'unreadable')
    return { mode: 'unknown' as const, control: 'unreadable' as const, overrides: null };
  return {
    mode: control.value.mode ?? config.policy.mode,
    control: 'read' as const,
    overrides: overridesOf(control.value, atMs),
  };
}

/**
 * The overrides in force or to come; expired overrides are left out. Those of single cells follow; cells with the same one
 * share a line, because an operator has set it for all of them by one command.
 */
export function overridesOf(control: Control, atMs: number): readonly OverrideStatus[] {
  const ofCells = Object.entries(control.cells ?? {}).flatMap(([cell, own]) =>
    overridesIn(own, atMs).map((override) => ({ cell, override })),
  );
  const alike = Map.groupBy(ofCells, ({ override }) => JSON.stringify(override));
  return [
    ...overridesIn(control, atMs),
    ...[...alike.values()].flatMap((some) =>
      some.slice(0, 1).map(({ override }) => ({ ...override, cells: some.map(({ cell }) => cell) })),
    ),
  ];
}

function overridesIn(control: CellOverrides, atMs: number): readonly OverrideStatus[] {
  const kinds = ['pause', 'maintenance', 'approval'] as const;
  return kinds.flatMap((kind) => {
    const override = control[kind];
    if (override === undefined || atMs >= override.untilMs) return [];
    const fromMs = 'fromMs' in override ? override.fromMs : undefined;
    const active = fromMs === undefined || atMs >= fromMs;
    return [{ kind, ...override, active }];
  });
}

function leaseOf({ lease, epoch }: StateReadings, atMs: number) {
  return {
    lease: lease.ok ? leaseStatus(lease.value, atMs) : null,
    epoch: epoch.ok ? epoch.value : null,
  };
}

function leaseStatus(lease: Lease | undefined, atMs: number): LeaseStatus {
  if (lease === undefined || lease.untilMs <= atMs) return { held: false };
  return { held: true, holder: lease.holder, epoch: lease.epoch, untilMs: lease.untilMs };
}

function journalOf({ journal }: StateReadings): Pick<Status, 'lastDrill' | 'lastAck'> {
  if (!journal.ok) return { lastDrill: null, lastAck: null };
  const drill = journal.value.find(({ what }) => what === 'drill' || what.startsWith('drill '));
  const ack = journal.value.find(({ what }) => what === 'ack');
  return {
    lastDrill: drill === undefined ? 'none' : lastDrillOf(drill),
    lastAck: ack === undefined ? 'none' : { atMs: ack.atMs, who: ack.who, why: ack.why },
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
