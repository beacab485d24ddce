import { accusingKinds, type CellFinding, type CellFindingKind, cellFindingKinds } from './cell-findings.ts';
import type { CellAccuser } from './cell-quorum.ts';
import type { GuardRule } from './guards.ts';

/** What one observer says of a cell. */
export interface CellVoice {
  readonly region: string;
  readonly finding: CellFinding;
}

/** What the observers say of a cell's own stream, together. */
export interface CellVoices {
  readonly cell: string;
  readonly group: string;
  /** The worst that is said. */
  readonly kind: CellFindingKind;
  readonly voices: readonly CellVoice[];
}

/** The table of kinds has the worst first. */
const kindsInOrder = Object.keys(cellFindingKinds);
const rankOf = (kind: CellFindingKind): number => kindsInOrder.indexOf(kind);

export const saying = ({ kind, voices }: CellVoices): readonly CellVoice[] =>
  voices.filter(({ finding }) => finding.kind === kind);

export const accusing = ({ voices }: Pick<CellVoices, 'voices'>): readonly CellVoice[] =>
  voices.filter(({ finding }) => accusingKinds.has(finding.kind));

/** The cells of which anything is said by an observer whose word has not expired; the worst first. */
export function cellVoices(accusers: readonly CellAccuser[]): readonly CellVoices[] {
  const said = accusers
    .filter(({ fresh }) => fresh)
    .flatMap(({ region, cells = [] }) => cells.map((finding) => ({ region, finding })));
  const found = [...Map.groupBy(said, ({ finding }) => finding.cell)].map(([cell, about]): CellVoices => {
    // An observer has one voice, however often it names a cell.
    const voices = [...new Map(about.map((voice) => [voice.region, voice])).values()];
    const [worst] = voices.toSorted((a, b) => rankOf(a.finding.kind) - rankOf(b.finding.kind));
    const { kind, group } = (worst as CellVoice).finding;
    return { cell, group, kind, voices };
  });
  return found.toSorted(
    (a, b) =>
      rankOf(a.kind) - rankOf(b.kind) ||
      saying(b).length - saying(a).length ||
      (a.cell < b.cell ? -1 : Number(a.cell > b.cell)),
  );
}

/** How much somebody has to know of a cell's own stream: what the alarms compare. */
export const cellTroubles = { none: 0, suspected: 1, impaired: 2 } as const;
export type CellTrouble = (typeof cellTroubles)[keyof typeof cellTroubles];

/** Guards that hold a move of a cell back and leave nobody anything to do. */
const restful: ReadonlySet<string> = new Set([
  'observer-sick',
  'moves-with-region',
  'in-standby',
  'over-already',
] satisfies GuardRule[]);
/** Whether this guard holds a move of a cell back for a reason that leaves nobody anything to do. */
export const isRestful = (rule: string): boolean => restful.has(rule);
/** Accusations that say nothing of the cell alone: the region is accused, or the observer does not trust itself. */
const notOfTheCell: ReadonlySet<string> = new Set([
  'observer-sick',
  'moves-with-region',
] satisfies GuardRule[]);
const HELD_MS = 60_000;

export interface TroubleQuestion {
  readonly accusers: readonly CellAccuser[];
  readonly votesToEvacuate: number;
  readonly nowMs: number;
}

/** The worst trouble of any cell. */
export function worstTrouble({ accusers, ...question }: TroubleQuestion): CellTrouble {
  const troubles = cellVoices(accusers).map((cell) => troubleOf(cell, question));
  return Math.max(cellTroubles.none, ...troubles) as CellTrouble;
}

function troubleOf(
  about: CellVoices,
  { votesToEvacuate: needed, nowMs }: Omit<TroubleQuestion, 'accusers'>,
): CellTrouble {
  const held = (rules: ReadonlySet<string>, { refusals }: CellFinding): boolean =>
    refusals.some(({ rule }) => rules.has(rule));
  const voices = about.voices.filter(({ finding }) => !held(notOfTheCell, finding));
  const accusers = accusing({ voices });
  const isHeld = ({ finding }: CellVoice): boolean =>
    finding.refusals.length > 0 && !held(restful, finding) && nowMs - finding.sinceMs >= HELD_MS;
  const isUnproven = ({ finding }: CellVoice): boolean =>
    finding.kind === 'unproven' && nowMs - finding.sinceMs >= HELD_MS;
  const paged = voices.filter(isUnproven).length >= needed;
  if (accusers.length >= needed || accusers.some(isHeld) || paged) return cellTroubles.impaired;
  const pending = accusers.some(({ finding }) => !held(restful, finding));
  return pending || voices.length >= needed ? cellTroubles.suspected : cellTroubles.none;
}
