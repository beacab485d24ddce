import { accusingKinds } from '../../lambda/core/cell-findings.ts';
import { groupsToMove } from '../../lambda/core/cell-quorum.ts';
import { accusing, type CellVoices, cellVoices, saying } from '../../lambda/core/cell-voices.ts';
import type { Refusal } from '../../lambda/core/guards.ts';
import type { Config } from '../config/config.ts';
import { inForce } from '../config/probed-cells.ts';
import { named } from './named.ts';
import type { ObserverReadings } from './observers.ts';
import type { CellStreams, StreamMove, SwitchReading } from './status-document.ts';

export interface StreamReadings {
  readonly observers: ObserverReadings;
  readonly positionOf: (group: string) => SwitchReading;
}

/** Pure: what the observers say of the own stream of each cell, and what becomes of it. By the cell's name. */
export function cellStreams(
  { cells, policy }: Pick<Config, 'cells' | 'policy'>,
  { observers, positionOf }: StreamReadings,
): ReadonlyMap<string, CellStreams> {
  const accusers = [...observers].flatMap(([region, report]) =>
    report.ok ? [{ region, fresh: report.value.fresh, cells: report.value.cells }] : [],
  );
  const { votesToEvacuate } = policy;
  const watched = cells.map(({ name, group }) => ({ cell: name, group }));
  const moving = new Set(
    groupsToMove({ accusers, cells: watched, votesToEvacuate }).map(({ group }) => group),
  );
  const said = new Map(cellVoices(accusers).map((about) => [about.cell, about]));
  const sizes = Map.groupBy(cells, ({ group }) => group);
  const of = observers.size;
  return new Map(
    inForce(cells).map(({ name, group, probe, mode = null }): readonly [string, CellStreams] => {
      const about = said.get(name);
      const isMoving = moving.has(group);
      if (about === undefined) {
        return [name, { ...silent, of, move: isMoving ? 'moves' : 'none', probe, mode }];
      }
      const size = sizes.get(group)?.length ?? 1;
      const end = endOf(about, { position: positionOf(group), isMoving, votesToEvacuate, size });
      return [name, { ...told(about), of, ...end, probe, mode }];
    }),
  );
}

const silent = { kind: null, observers: [], refusals: [], sinceMs: null, reason: null } as const;

function told(about: CellVoices): Omit<CellStreams, 'of' | 'move' | 'because' | 'probe' | 'mode'> {
  const accusers = accusing(about);
  return {
    kind: about.kind,
    observers: about.voices.map(({ region, finding }) => ({ region, kind: finding.kind })),
    refusals: refusalsIn(accusers.map(({ finding }) => finding.refusals)),
    sinceMs: accusers.length === 0 ? null : Math.min(...accusers.map(({ finding }) => finding.sinceMs)),
    reason: saying(about)[0]?.finding.reason ?? null,
  };
}

/** Each guard once, however many observers name it. */
function refusalsIn(lists: readonly (readonly Refusal[])[]): readonly Refusal[] {
  return [...new Map(lists.flat().map((refusal) => [refusal.rule, refusal])).values()];
}

interface EndQuestion {
  readonly position: SwitchReading;
  /** Enough observers ask for the switch of its group. */
  readonly isMoving: boolean;
  readonly votesToEvacuate: number;
  /** Cells that share the switch. */
  readonly size: number;
}

function endOf(
  about: CellVoices,
  { position, isMoving, votesToEvacuate: needed, size }: EndQuestion,
): { readonly move: StreamMove; readonly because?: string } {
  if (position === 'STANDBY') return { move: 'moved' };
  if (isMoving) return { move: 'moves' };
  if (!accusingKinds.has(about.kind)) return { move: 'none' };
  const accusers = accusing(about);
  const asking = accusers.filter(({ finding }) => finding.refusals.length === 0);
  if (asking.length >= needed)
    return {
      move: 'waits',
      because: `its switch moves ${size} cells, and fewer than half of them are accused`,
    };
  const [refusal] = accusers.flatMap(({ finding }) => finding.refusals);
  if (refusal === undefined) return { move: 'waits', because: `${needed} observers have to accuse it` };
  return { move: 'held', because: `${refusal.reason} (${refusal.rule})` };
}

/** `impaired, seen by 2 of 3 (us-west-2, us-east-2); suspected by eu-west-1` */
export function streamInWords({ kind, observers, of }: CellStreams): string {
  const by = Map.groupBy(observers, (each) => each.kind);
  const worst = (kind === null ? undefined : by.get(kind)) ?? [];
  const others = [...by].filter(([other]) => other !== kind);
  return [
    `${kind}, seen by ${worst.length} of ${of} (${regionsOf(worst)})`,
    ...others.map(([other, some]) => `${other} by ${regionsOf(some)}`),
  ].join('; ');
}

const regionsOf = (some: CellStreams['observers']): string => named(some.map(({ region }) => region));

const moves: Readonly<Record<Exclude<StreamMove, 'none'>, string>> = {
  moves: 'moves alone',
  moved: 'in the standby, held by its switch',
  held: 'does not move',
  waits: 'does not move yet',
};

/** What becomes of the cell; for one that is only suspected, why. */
export function moveInWords({ move, because, reason }: CellStreams): string {
  if (move === 'none') return reason ?? '';
  return because === undefined ? moves[move] : `${moves[move]}: ${because}`;
}
