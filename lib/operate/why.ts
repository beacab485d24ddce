import { beaconTableInWords } from '../../lambda/core/beacon-table.ts';
import type { CellFinding } from '../../lambda/core/cell-findings.ts';
import { type DiagnosisCode, diagnoses } from '../../lambda/core/diagnosis.ts';
import { guards } from '../../lambda/core/guards.ts';
import { type Phase, phases } from '../../lambda/core/lifecycle.ts';
import {
  levelsOf,
  type RegionEvidence,
  type RegionLevels,
  type SignalName,
  signalNames,
} from '../../lambda/core/observation.ts';
import { regionsSeen } from '../../lambda/core/regions-seen.ts';
import type { Role } from '../../lambda/core/role.ts';
import { type Gain, shownShare } from '../../lambda/core/severity.ts';
import { type StreamsSeen, streamsTakeRecords } from '../../lambda/core/streams.ts';
import type { ProbeMode } from '../../lambda/core/watched-cells.ts';
import type { Config } from '../config/config.ts';
import { inForce } from '../config/probed-cells.ts';
import type { CredentialsVerdict } from '../credentials/verdict.ts';
import type { ObserverReport } from './observers.ts';
import { isUnseen } from './status.ts';
import type { Status } from './status-document.ts';
import type { Readings } from './stored-readings.ts';
import { byHand } from './stream-findings.ts';

/** From what an observer measured to what it votes, each step with what decided it. */
export interface ObserverChain {
  readonly region: string;
  readonly problem?: string;
  /**
   * Beside a problem: false when the observer does not answer, null when that is not known, because of the
   * credentials.
   */
  readonly answered?: false | null;
  readonly ageMs?: number;
  /** Signals that are not `up`; signals that are not probed are left out. */
  readonly evidence?: { readonly primary: readonly string[]; readonly standby: readonly string[] };
  /** Whether so much more fails in the primary than in the standby that leaving is worth it. */
  readonly gain?: Gain;
  readonly observer?: string;
  /** How the cells' own streams are together; absent while this observer knows of none. */
  readonly streams?: StreamsSeen;
  /** Why the streams made, or forbade, the diagnosis. */
  readonly streamsSay?: string;
  /** How the observer stands with the table of beacons; absent where it reads none. */
  readonly beacons?: string;
  /** What is said of single cells, the worst first. */
  readonly cells?: readonly CellChain[];
  readonly diagnosis?: { readonly code: string; readonly when: string; readonly actionable: boolean };
  readonly refusals?: readonly { readonly rule: string; readonly reason: string; readonly purpose: string }[];
  readonly phase?: { readonly name: string; readonly meaning: string };
  readonly comment?: string;
  readonly vote?: string;
  readonly sinceMs?: number | null;
}

/** What one observer says of the own stream of a cell. */
export interface CellChain extends CellFinding {
  readonly probe: ProbeMode;
  /** The command that moves the cell, where it does not move by itself. */
  readonly byHand?: string;
}

export interface Why {
  /** Everything that was asked has answered: no part of the chain is missing. */
  readonly ok: boolean;
  /** The verdict on the caller's credentials, as in `spillway status --json`. */
  readonly credentials: CredentialsVerdict;
  readonly atMs: number;
  readonly observers: readonly ObserverChain[];
  readonly quorum: string;
  readonly dns: string;
  readonly switches: string;
}

/** Pure: why traffic is where it is, now. */
export function whyNow(config: Config, readings: Readings, status: Status): Why {
  return {
    ok: answers(readings).every(Boolean),
    credentials: readings.credentials,
    atMs: readings.atMs,
    observers: [...readings.observers].map(([region, report]) =>
      report.ok
        ? chain(config, region, report.value, readings.atMs)
        : { region, problem: report.problem, answered: isUnseen(report) ? null : false },
    ),
    quorum: quorumSentence(status),
    dns: dnsSentence(status),
    switches: switchSentence(status),
  };
}

/** Whether anything at all has answered. */
export const isAnswered = (readings: Readings): boolean => answers(readings).some(Boolean);

const answers = ({ observers, dns, state }: Readings): readonly boolean[] =>
  [...observers.values(), dns.region, ...dns.signals.values(), state.switches, state.epoch].map(
    ({ ok }) => ok,
  );

function chain(config: Config, region: string, report: ObserverReport, atMs: number): ObserverChain {
  const { memory, decidedAtMs, diagnosis, refusals, phase, comment, liveVote, voteSinceMs } = report;
  const row = diagnoses.find(({ code }) => code === diagnosis);
  const levels = (role: Role): readonly string[] =>
    told(levelsOf(memory.evidence[role], config.policy, decidedAtMs), memory.evidence[role]);
  const { observer, gain, streams } = regionsSeen(memory.evidence, config.policy, decidedAtMs);
  return {
    region,
    ageMs: Math.max(0, atMs - decidedAtMs),
    evidence: { primary: levels('primary'), standby: levels('standby') },
    gain,
    observer,
    ...streamsChain(streams, diagnosis),
    ...(report.beacons === undefined ? {} : { beacons: beaconTableInWords(report.beacons, atMs) }),
    cells: cellChains(config, report.cells),
    diagnosis: { code: diagnosis, when: row?.when ?? '', actionable: row?.actionable ?? false },
    refusals: refusals.map(({ rule, reason }) => ({
      rule,
      reason,
      purpose: guards.find((guard) => guard.rule === rule)?.purpose ?? '',
    })),
    phase: { name: phase, meaning: meaningOf(phase) },
    comment,
    vote: report.fresh ? liveVote : `${liveVote} (its last vote has expired)`,
    sinceMs: voteSinceMs,
  };
}

function streamsChain(
  streams: StreamsSeen,
  diagnosis: string,
): Pick<ObserverChain, 'streams' | 'streamsSay'> {
  const { watched, well, impaired, suspect } = streams;
  if (well + impaired + suspect === 0) return {};
  if (diagnosis === ('CanaryOnly' satisfies DiagnosisCode) && streamsTakeRecords(streams)) {
    return { streams, streamsSay: `${well} of ${watched} streams demonstrably take records, and none fails` };
  }
  if (diagnosis === ('StreamsImpaired' satisfies DiagnosisCode)) {
    return { streams, streamsSay: `${impaired} of ${watched} streams fail: half of them, or more` };
  }
  return { streams };
}

function cellChains({ cells }: Config, findings: readonly CellFinding[]): readonly CellChain[] {
  const probes = new Map(inForce(cells).map(({ name, probe }) => [name, probe]));
  return findings.map((finding) => {
    const { cell, kind, refusals } = finding;
    const probe = probes.get(cell) ?? 'never';
    const isAlone = kind === 'unproven';
    const isHeld = refusals.some(({ rule }) => rule === 'mode');
    return { ...finding, probe, ...(isAlone || isHeld ? { byHand: byHand([cell]) } : {}) };
  });
}

/** The meaning of a phase; a name that only another version knows has no meaning here. */
const meaningOf = (phase: string): string => phases[phase as Phase]?.meaning ?? 'a phase of another version';

/** Optional probes that nobody asked for stay unknown for ever, which is not worth showing. */
const optional = new Set(['cognito', 'lambda', 'sqs']);

function told(levels: RegionLevels, evidence: RegionEvidence): readonly string[] {
  const notUp = signalNames.filter(
    (name) => levels[name] !== 'up' && !(optional.has(name) && levels[name] === 'unknown'),
  );
  return notUp.map((name) => {
    const inPart = levels.partly?.includes(name) === true ? ' in part' : '';
    return `${name} ${levels[name]}${inPart}${putsOf(name, evidence)}`;
  });
}

/** For the tests of puts, how many of those of the last half minute failed. */
function putsOf(name: SignalName, { puts }: RegionEvidence): string {
  const share = name === 'kinesisWrite' || name === 'kinesisErrors' ? shownShare(puts) : undefined;
  if (share === undefined) return '';
  const percent = (part: number): number => Math.round(100 * part);
  const { failed, counted, low, high } = share;
  return ` (${percent(failed / counted)} % of ${counted} puts fail, ${percent(low)} to ${percent(high)} %)`;
}

function quorumSentence({ observers, votesToEvacuate, quorum, primary }: Status): string {
  const votes = observers.filter(({ vote }) => vote === 'EVACUATE').length;
  const unknown = observers.filter(({ vote }) => vote === undefined).length;
  const says = quorum.region ?? `nothing (${quorum.problem})`;
  if (unknown === observers.length) {
    return `the votes are not known, ${votesToEvacuate} are needed; the region record says ${says}`;
  }
  // Votes that are not known may tip the balance, either way.
  const agrees = quorum.region === primary ? votes < votesToEvacuate : votes + unknown >= votesToEvacuate;
  const late =
    agrees || quorum.region === null
      ? ''
      : '; DNS has not followed yet, or the checkers do not see what is stored';
  const rest = unknown === 0 ? '' : ` (${unknown} not known)`;
  return `${votes} of ${observers.length} votes are EVACUATE${rest}, ${votesToEvacuate} are needed; the region record says ${says}${late}`;
}

function dnsSentence({ cells, primary, standby }: Status): string {
  const at = (region: string | null): number => cells.filter((cell) => cell.region === region).length;
  const silent = at(null) === 0 ? '' : `, ${at(null)} do not answer`;
  return `${at(primary)} of ${cells.length} cells are in the primary, ${at(standby)} in the standby${silent}`;
}

function switchSentence({ cells, epoch }: Status): string {
  const held = cells.filter(({ switch: position }) => position === 'STANDBY').length;
  if (cells.some(({ switch: position }) => position === 'unknown')) return 'the switches cannot be read';
  return `switches hold ${held} of ${cells.length} cells in the standby; newest epoch ${epoch ?? 'unknown'}`;
}
