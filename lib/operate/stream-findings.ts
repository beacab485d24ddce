import { accusingKinds } from '../../lambda/core/cell-findings.ts';
import { isRestful } from '../../lambda/core/cell-voices.ts';
import type { GuardRule } from '../../lambda/core/guards.ts';
import { moveInWords, streamInWords } from './cell-streams.ts';
import { named } from './named.ts';
import type { CellStatus, CellStreams, Status, StatusFinding } from './status-document.ts';

type Known = Pick<Status, 'mode' | 'overrides' | 'votesToEvacuate'>;
type Said = CellStatus & { readonly streams: { readonly kind: NonNullable<CellStreams['kind']> } };

/** A command names so many cells, at most. */
const MAX_NAMED = 5;

const commandFor = (verb: string, cells: readonly string[]): string =>
  cells.length > MAX_NAMED ? 'spillway why' : `spillway ${verb} --cells ${cells.join(',')} --reason "…"`;

/** The move of cells by hand, which no guard of the observers holds. */
export const byHand = (cells: readonly string[]): string => commandFor('failover', cells);

/** Ends a pause: of the moves of these cells alone, or of all. */
export const resume = (cells: readonly string[] | undefined): string =>
  cells === undefined ? 'spillway resume --reason "…"' : commandFor('resume', cells);

/** Pure: what is said of the cells' own streams. Cells of which the same is said are one finding. */
export function streamFindings(cells: readonly CellStatus[], known: Known): readonly StatusFinding[] {
  const said = cells.filter((cell): cell is Said => cell.streams.kind !== null);
  const alike = Map.groupBy(said, ({ streams }) =>
    [streams.kind, streams.move, streams.because ?? streams.reason].join('\n'),
  );
  return [...alike.values()].map((some) => findingOf(some as [Said, ...Said[]], known));
}

function findingOf(some: readonly [Said, ...Said[]], known: Known): StatusFinding {
  const [{ streams }] = some;
  const names = some.map(({ cell }) => cell);
  const seen = some.length === 1 ? streamInWords(streams) : streams.kind;
  const end = moveInWords(streams);
  return {
    level: isBad(streams, known) ? 'bad' : 'note',
    text: `the stream of ${named(names)}: ${seen}${end === '' ? '' : `; ${end}`}`,
    run: nextCommand(names, streams, known),
  };
}

/** A cell that has moved is said to be in the standby elsewhere. */
function isBad({ observers, move, refusals }: CellStreams, { votesToEvacuate: needed }: Known): boolean {
  if (move === 'moved') return false;
  const isHeld = move === 'held' && !refusals.some(({ rule }) => isRestful(rule));
  return move === 'moves' || isHeld || observers.length >= needed;
}

function nextCommand(cells: readonly string[], streams: CellStreams, { mode, overrides }: Known): string {
  const { kind, move, refusals, mode: own } = streams;
  if (move === 'moves') return 'spillway status --watch';
  if (kind === 'refused') return 'spillway doctor';
  // Its producers are all that is known, and they may not move it.
  if (kind === 'unproven') return byHand(cells);
  if (move !== 'held' || kind === null || !accusingKinds.has(kind)) return 'spillway why';
  const rule = refusals[0]?.rule as GuardRule | undefined;
  if (rule === 'mode' && mode !== 'observe' && own !== 'observe') return commandFor('approve', cells);
  if (rule === 'mode' || rule === 'cooldown') return byHand(cells);
  if (rule === 'pause' || rule === 'maintenance') {
    const isOfAll = overrides?.some(
      ({ kind, active, cells: own }) => kind === rule && active && own === undefined,
    );
    return resume(isOfAll === false ? cells : undefined);
  }
  return rule === 'standby-unfit' ? 'spillway doctor' : 'spillway why';
}
