import type { BeaconTable } from '../../lambda/core/beacon-table.ts';
import type { CellFindingKind } from '../../lambda/core/cell-findings.ts';
import type { Reader } from '../../lambda/core/consumer-digest.ts';
import type { EndpointFinding } from '../../lambda/core/endpoint-findings.ts';
import type { Mode } from '../../lambda/core/policy.ts';
import type { Position } from '../../lambda/core/switch.ts';
import type { Vote } from '../../lambda/core/vote.ts';
import type { ProbeMode } from '../../lambda/core/watched-cells.ts';
import type { FailureKind } from '../credentials/failure.ts';
import type { CredentialsVerdict } from '../credentials/verdict.ts';

/**
 * `bad`: something is not as in healthy times. `unknown`: it cannot be known with these credentials. Both
 * make `spillway status` end with status 4. `note`: worth knowing.
 */
export interface StatusFinding {
  readonly level: 'bad' | 'unknown' | 'note';
  readonly text: string;
  /** The next command, or what else to do. Never a command that moves traffic for lack of evidence. */
  readonly run?: string;
}

/** Cells that one act holds in the standby. */
export interface HeldCells {
  readonly cells: readonly string[];
  readonly epoch: number;
  /** Null: the switch does not say. */
  readonly owner: string | null;
  readonly reason: string | null;
  readonly sinceMs: number | null;
}

/** What `status` says about the failback. */
export interface FailbackOutlook {
  /**
   * From when the guards would let a failback start, ISO 8601, if no new refusal comes up; in the past or
   * now, when no guard refuses. Null: not known, because a guard does not stop refusing by itself.
   */
  readonly possibleFrom: string | null;
  /** The refusals until then, with the names of the rules. */
  readonly because: readonly string[];
  readonly held: readonly HeldCells[];
}

/** What the endpoints that Route 53 asks said to this machine. */
export interface EndpointsStatus {
  /** How many votes and switches there are; of many switches, only some are asked. */
  readonly of: number;
  readonly findings: readonly EndpointFinding[];
}

export type SwitchReading = Position | 'unknown';

/**
 * `moves`: the observers start its move. `moved`: its switch holds it in the standby. `held`: a guard holds the move back.
 * `waits`: too few observers accuse it, or too few cells of its group are accused. `none`: nothing asks for a move.
 */
export type StreamMove = 'moves' | 'moved' | 'held' | 'waits' | 'none';

/** What the observers say of the own stream of a cell, in the primary. */
export interface CellStreams {
  /** The worst that is said; null: nothing is said. */
  readonly kind: CellFindingKind | null;
  readonly observers: readonly { readonly region: string; readonly kind: CellFindingKind }[];
  /** How many observers there are. */
  readonly of: number;
  /** Guards that hold a move back, as those who accuse the cell name them. */
  readonly refusals: readonly { readonly rule: string; readonly reason: string; readonly untilMs?: number }[];
  /** Since when the cell has been accused; null while nobody accuses it. */
  readonly sinceMs: number | null;
  /** What one observer says, in words. */
  readonly reason: string | null;
  readonly move: StreamMove;
  /** Why it does not move. */
  readonly because?: string;
  readonly probe: ProbeMode;
  /** The mode of the cell itself; null: as the policy says. */
  readonly mode: Mode | null;
}

export interface CellStatus {
  readonly cell: string;
  readonly group: string;
  /** Where DNS sends its producers. */
  readonly region: string | null;
  readonly stream: string | null;
  readonly problem?: string;
  readonly switch: SwitchReading;
  readonly streams: CellStreams;
  /** Who would read the cell's stream in the standby, as the survey last saw it. Null: not known. */
  readonly readers: CellReaders | null;
}

export interface CellReaders {
  /** `no`: a consumer would leave records unread. `none`: the config says that there are none, or none was found. */
  readonly works: 'yes' | 'no' | 'unknown' | 'none';
  readonly lookedAtMs: number;
  readonly consumers: readonly Pick<Reader, 'kind' | 'name' | 'works'>[];
  /** Why not, as sentences. */
  readonly because: readonly string[];
}

export interface ObserverStatus {
  readonly region: string;
  /** Null: not known, because of the credentials, or because something is missing (`because`). */
  readonly answered: boolean | null;
  readonly problem?: string;
  readonly because?: FailureKind;
  readonly vote?: Vote;
  readonly fresh?: boolean;
  readonly ageMs?: number;
  readonly diagnosis?: string;
  readonly phase?: string;
  readonly epoch?: number;
  readonly comment?: string;
  readonly refusals?: readonly { readonly rule: string; readonly reason: string }[];
  /** How the observer stands with the table of beacons; absent where it reads none. */
  readonly beacons?: BeaconTable;
}

export interface OverrideStatus {
  readonly kind: 'pause' | 'maintenance' | 'approval';
  /** Cells whose moves alone it is about. Absent: every move. */
  readonly cells?: readonly string[];
  readonly owner: string;
  readonly reason: string;
  readonly fromMs?: number;
  readonly untilMs: number;
  readonly active: boolean;
}

/** The newest drill in the journal, whatever its result. */
export interface LastDrill {
  readonly atMs: number;
  readonly why: string;
  /** Null: the entry does not say. */
  readonly end: 'ok' | 'failed' | 'refused' | null;
  readonly rtoMs: number | null;
}

/** Who acts, or acted last. */
export type LeaseStatus =
  | { readonly held: false }
  | { readonly held: true; readonly holder: string; readonly epoch: number; readonly untilMs: number };

export interface LastAck {
  readonly atMs: number;
  readonly who: string;
  readonly why: string;
}

/** The document of `spillway status --json`. Null is always "not known", and never "there is none". */
export interface Status {
  readonly ok: boolean;
  /** The verdict on the caller's credentials. `ok: null`: no region has answered. */
  readonly credentials: CredentialsVerdict;
  readonly atMs: number;
  readonly name: string;
  readonly zone: string;
  readonly primary: string;
  readonly standby: string;
  readonly quorum: { readonly region: string | null; readonly problem?: string };
  readonly votesToEvacuate: number;
  readonly cells: readonly CellStatus[];
  readonly observers: readonly ObserverStatus[];
  readonly endpoints: EndpointsStatus | null;
  readonly mode: Mode | 'unknown';
  /**
   * `unreadable`: the stored item cannot be understood, and counts as a pause. Null: these credentials cannot
   * see it.
   */
  readonly control: 'read' | 'unreadable' | 'unanswered' | null;
  readonly overrides: readonly OverrideStatus[] | null;
  readonly lease: LeaseStatus | null;
  /** Of the newest act; 0 when there never was one. */
  readonly epoch: number | null;
  readonly lastDrill: LastDrill | 'none' | null;
  readonly lastAck: LastAck | 'none' | null;
  /** The outlook for a failback; `none` while no switch holds a cell in the standby. */
  readonly failback: FailbackOutlook | 'none' | null;
  readonly findings: readonly StatusFinding[];
}
