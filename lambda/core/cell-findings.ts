import { z } from 'zod';
import type { CellBeacons } from './beacons.ts';
import { type ControlReading, controlOfCell } from './control.ts';
import { type GuardInput, type GuardRule, type Refusal, refusalsOf } from './guards.ts';
import { leastAutonomous, type Mode, type Policy } from './policy.ts';
import type { Puts } from './put-window.ts';
import { recentPuts, refusalIn, type StreamEvidence, standbyTakes, streamLevel } from './stream-evidence.ts';
import type { GroupSwitch, StreamReadings, StreamsEvidence } from './streams.ts';
import type { WatchedCell } from './watched-cells.ts';

/** What one observer has found about a cell's own stream. Only what somebody should know is a finding. The worst first. */
export const cellFindingKinds = {
  impaired:
    'this observer’s own records are refused by the cell’s stream, and taken by the stream of the standby',
  reported: 'a quorum of the cell’s producers reports failures, and the owner lets that move the cell',
  unproven:
    'a quorum of the cell’s producers reports failures, and that may not move the cell by itself: probes of the stream find nothing, or are not allowed',
  suspected: 'some records fail, or producers report failures, and that is not enough to move the cell',
  refused: 'the stream does not take this observer’s records for a reason that is no outage',
} as const;
export type CellFindingKind = keyof typeof cellFindingKinds;
/** Findings that accuse: with K of them, the cell moves. */
export const accusingKinds: ReadonlySet<CellFindingKind> = new Set(['impaired', 'reported']);
/**
 * A quorum of producers must report for so long before it may move the cell: their beacons are of the last ten seconds,
 * and reach the observers some seconds later, so a blip of the whole region looks like an outage for a while.
 */
const REPORTED_HOLD_MS = 30_000;

export interface CellFinding {
  readonly cell: string;
  readonly group: string;
  readonly kind: CellFindingKind;
  /** Since when without a break; of the other kinds: now. */
  readonly sinceMs: number;
  readonly reason: string;
  /** Guards that refuse a move. Empty, for a finding that accuses: this observer asks for the move. */
  readonly refusals: readonly Refusal[];
  /** This observer's records of the last half minute. */
  readonly puts?: Puts;
}

/** A finding as another observer has stored it. Rules may be of another version. */
export const cellFindingSchema = z.object({
  cell: z.string().min(1),
  group: z.string().min(1),
  kind: z.enum(Object.keys(cellFindingKinds) as [CellFindingKind, ...CellFindingKind[]]),
  sinceMs: z.number(),
  reason: z.string(),
  refusals: z.array(z.object({ rule: z.string(), reason: z.string(), untilMs: z.number().optional() })),
  puts: z.object({ failed: z.number(), counted: z.number() }).optional(),
});

/** Since when each cell has been accused, or its producers have reported failures, without a break. */
export type Accusations = Readonly<Record<string, number>>;

/** Findings that are kept and stored, at most: those that accuse come first. */
export const MOST_FINDINGS = 40;

/** What is seen of one cell, before any guard. */
export interface CellSight {
  readonly cell: WatchedCell;
  readonly kind: CellFindingKind;
  readonly reason: string;
  readonly evidence?: StreamEvidence | undefined;
  /** A quorum of producers reports failures. */
  readonly isReported: boolean;
}

export interface SightsInput {
  readonly readings: StreamReadings;
  readonly streams: StreamsEvidence | undefined;
  readonly policy: Policy;
  readonly nowMs: number;
}

const nothing: readonly CellSight[] = [];

/** What is seen of each cell of which anything is to be said. */
export function cellSights({ readings, streams, policy, nowMs }: SightsInput): readonly CellSight[] {
  // A beacon that says `well` is no reason to look closer.
  const spoken = readings.beacons.some(({ failing }) => failing > 0);
  if (!spoken && (streams === undefined || areAllWell(streams))) return nothing;
  const beacons = new Map(readings.beacons.map((each) => [each.cell, each]));
  return readings.cells.flatMap((cell) => {
    const evidence = streams?.cells[cell.cell];
    return sightOf(evidence, beacons.get(cell.cell), { cell, policy, nowMs }) ?? [];
  });
}

function areAllWell({ cells, atMs }: StreamsEvidence): boolean {
  for (const name in cells) {
    const evidence = cells[name];
    if (evidence?.wellAtMs !== evidence?.atMs || evidence?.atMs !== atMs) return false;
  }
  return true;
}

export const accusedIn = (sights: readonly CellSight[]): number =>
  sights.filter(({ kind }) => accusingKinds.has(kind)).length;

export interface FindingsInput {
  readonly sights: readonly CellSight[];
  /** All cells: those that share a switch move together. */
  readonly cells: readonly WatchedCell[];
  readonly switches: StreamReadings['switches'];
  readonly accusedBefore: Accusations;
  /** What the guards see of the region, whose vote it is about. */
  readonly guarded: Omit<
    GuardInput,
    'diagnosis' | 'putFailedAtMs' | 'actionableSinceMs' | 'clearedAtMs' | 'cell'
  >;
  /** This observer accuses the whole region, or votes to leave it. */
  readonly regionAccused: boolean;
}

/** The sights with what the guards say about a move. */
export function cellFindings(input: FindingsInput): readonly CellFinding[] {
  const rank = ({ kind, refusals }: CellFinding): number => {
    if (!accusingKinds.has(kind)) return kind === 'unproven' ? 2 : 3;
    if (refusals.length === 0) return 0;
    // Cells that have moved must not crowd out those that wait.
    return refusals.some(({ rule }) => rule === 'in-standby') ? 4 : 1;
  };
  return input.sights
    .map((sight) => findingOf(sight, input))
    .toSorted((a, b) => rank(a) - rank(b) || a.sinceMs - b.sinceMs)
    .slice(0, MOST_FINDINGS);
}

/** Beginnings that are remembered, at most. */
export const MOST_ACCUSATIONS = 200;

/** Since when each cell is accused, or its producers have reported failures, for the next round: the oldest first. */
export function accusationsOf(
  sights: readonly CellSight[],
  { accusedBefore, nowMs }: { readonly accusedBefore: Accusations; readonly nowMs: number },
): Accusations {
  const lasting = sights
    .filter(isLasting)
    .map(({ cell: { cell } }) => [cell, sinceOf(cell, { accusedBefore, nowMs })] as const);
  return Object.fromEntries(lasting.toSorted(([, a], [, b]) => a - b).slice(0, MOST_ACCUSATIONS));
}

const isLasting = ({ kind, isReported }: CellSight): boolean => isReported || accusingKinds.has(kind);
const sinceOf = (
  cell: string,
  { accusedBefore, nowMs }: { readonly accusedBefore: Accusations; readonly nowMs: number },
): number => Math.min(nowMs, accusedBefore[cell] ?? nowMs);

function sightOf(
  evidence: StreamEvidence | undefined,
  beacons: CellBeacons | undefined,
  { cell, policy, nowMs }: { readonly cell: WatchedCell; readonly policy: Policy; readonly nowMs: number },
): CellSight | undefined {
  const level = evidence === undefined ? 'unknown' : streamLevel(evidence, policy, nowMs);
  const reports = beacons === undefined || policy.beacons === 'ignore' ? undefined : beacons;
  const said =
    reports === undefined ? '' : `${reports.failing} of ${reports.sources} producers report failures`;
  const failing = reports?.sight === 'failing';
  const isReported = failing && reports.failsInStandbyToo !== true;
  const see = (kind: CellFindingKind, reason: string): CellSight => ({
    ...{ cell, kind, reason, evidence },
    isReported,
  });
  if (level === 'impaired') return see('impaired', inWords(evidence));
  // Producers that fail in the standby too have a fault that no move cures.
  if (reports?.failsInStandbyToo === true)
    return see('suspected', 'the producers fail in the standby too: look at them, and at their network');
  if (failing && policy.beacons === 'move') return see('reported', said);
  if (level === 'refused' && evidence !== undefined)
    return see('refused', `the stream refuses this observer’s records: ${refusalIn(evidence, 'primary')}`);
  if (failing) {
    const isProven = level === 'well' || cell.probe === 'never';
    return see(isProven ? 'unproven' : 'suspected', `${said}; ${probesSay(level, cell)}`);
  }
  if (level === 'suspect') return see('suspected', inWords(evidence));
  // Too few for a quorum, and nobody has looked for himself.
  if (reports?.sight === 'suspicious' && level !== 'well')
    return see('suspected', reports.reason === undefined ? said : `${said}: ${reports.reason}`);
  return undefined;
}

function probesSay(level: string, { probe, cell }: WatchedCell): string {
  if (level === 'well')
    return `this observer’s own records are taken: if the producers are right, move the cell with spillway failover --cells ${cell}`;
  if (probe === 'never')
    return `the stream may not be probed, so nothing moves by itself: spillway failover --cells ${cell}`;
  return 'the stream is being probed';
}

function inWords(evidence: StreamEvidence | undefined): string {
  const { failed, counted } = recentPuts(evidence?.primary);
  return `${failed} of ${counted} records were not taken lately`;
}

/** What a quorum of producers has reported for so long, and no probe has confirmed, is for a person to judge. */
const CONFIRMED_WITHIN_MS = 60_000;

function findingOf(sight: CellSight, input: FindingsInput): CellFinding {
  const { cell, reason, evidence, isReported } = sight;
  const { switches, accusedBefore, guarded, regionAccused } = input;
  const { nowMs } = guarded;
  const sinceMs = isLasting(sight) ? sinceOf(cell.cell, { accusedBefore, nowMs }) : nowMs;
  const isOpen = sight.kind === 'suspected' && isReported && nowMs - sinceMs >= CONFIRMED_WITHIN_MS;
  const kind = isOpen ? 'unproven' : sight.kind;
  const puts = recentPuts(evidence?.primary);
  const own = { cell: cell.cell, group: cell.group, kind, reason, ...(puts.counted === 0 ? {} : { puts }) };
  if (!accusingKinds.has(kind)) return { ...own, sinceMs, refusals: [] };
  const { policy } = guarded;
  const holdMs = kind === 'reported' ? Math.max(policy.holdMs, REPORTED_HOLD_MS) : policy.holdMs;
  const held = switches?.find(({ group }) => group === cell.group);
  const refusals = refusalsOf({
    ...guarded,
    policy: { ...policy, holdMs, mode: leastAutonomous(cell.mode, policy.mode) },
    control: withMode(controlOfCell(guarded.control, cell.cell, nowMs), cell.mode),
    diagnosis: { code: 'StreamImpaired', actionable: true },
    putFailedAtMs: kind === 'impaired' ? (evidence?.test?.failedAtMs ?? null) : null,
    actionableSinceMs: sinceMs,
    // A switch that is back in the primary was given back: the cell has moved before.
    clearedAtMs: held?.position === 'PRIMARY' ? (held.setAtMs ?? null) : null,
    cell: {
      regionAccused,
      position: positionOf(switches, held),
      standbyProblem: standbyProblem(evidence, kind, nowMs),
      standbyTakes: evidence !== undefined && standbyTakes(evidence, nowMs),
    },
  });
  return { ...own, sinceMs, refusals: [...refusals, ...heldBack(cell, input)] };
}

/** Guards with which people hold single cells. */
const peoplesRules: ReadonlySet<string> = new Set(['mode', 'pause', 'maintenance'] satisfies GuardRule[]);

/** What people have said about the cells that share the switch: one that is to stay keeps the others. */
function heldBack({ cell: own, group }: WatchedCell, { cells, guarded }: FindingsInput): readonly Refusal[] {
  const { policy, control, nowMs } = guarded;
  return cells
    .filter((mate) => mate.group === group && mate.cell !== own)
    .flatMap((mate) =>
      refusalsOf({
        ...guarded,
        policy: { ...policy, mode: leastAutonomous(mate.mode, policy.mode) },
        control: withMode(controlOfCell(control, mate.cell, nowMs), mate.mode),
        diagnosis: { code: 'StreamImpaired', actionable: true },
        putFailedAtMs: null,
        actionableSinceMs: null,
        clearedAtMs: null,
      })
        .filter(({ rule }) => peoplesRules.has(rule))
        .map((refusal) => ({ ...refusal, reason: `${mate.cell}, on the same switch: ${refusal.reason}` })),
    )
    .slice(0, 1);
}

const positionOf = (
  switches: readonly GroupSwitch[] | undefined,
  held: GroupSwitch | undefined,
): 'PRIMARY' | 'STANDBY' | 'unknown' => (switches === undefined ? 'unknown' : (held?.position ?? 'PRIMARY'));

function standbyProblem(
  evidence: StreamEvidence | undefined,
  kind: CellFindingKind,
  nowMs: number,
): string | undefined {
  // Producers that report say nothing of the standby's stream before they are there.
  if (kind === 'reported' && evidence?.standby === undefined) return undefined;
  if (evidence === undefined || standbyTakes(evidence, nowMs)) return undefined;
  const refusal = refusalIn(evidence, 'standby');
  return refusal === undefined
    ? 'takes no records of this observer'
    : `refuses this observer’s records: ${refusal}`;
}

/** A cell's own mode bounds what an operator has set for all of them. */
function withMode(control: ControlReading, mode: Mode | undefined): ControlReading {
  if (control === 'unreadable' || control.mode === undefined) return control;
  return { ...control, mode: leastAutonomous(mode, control.mode) };
}
