import type { Quorum } from './lifecycle.ts';
import type { Position } from './switch.ts';

/**
 * The state of a switch as the conductor needs it. A switch that was never set is in PRIMARY, with epoch 0.
 */
export interface SwitchState {
  readonly group: string;
  readonly position: Position;
  readonly epoch: number;
}

export interface LatchQuestion {
  /**
   * `auto`: the latch is wanted as long as DNS is in the standby. `asked`: a person or a drill asked for it. `cells`: a
   * quorum of observers asked for it, for these cells alone; DNS follows the switches.
   */
  readonly trigger: 'auto' | 'asked' | 'cells';
  readonly quorum: Quorum;
  /** DNS has had time to show a change: an answer of "primary" is not a stale one from before the move. */
  readonly settled: boolean;
  readonly epoch: number;
  /**
   * The number under which this evacuation first began, if another act has come between. Default: `epoch`.
   */
  readonly sinceEpoch?: number | undefined;
  readonly groups: readonly string[];
  readonly switches: readonly SwitchState[];
}

export type LatchAnswer =
  | { readonly verdict: 'latch'; readonly groups: readonly string[]; readonly reason: string }
  | { readonly verdict: 'already-latched'; readonly reason: string }
  | { readonly verdict: 'no-longer-wanted'; readonly reason: string }
  /** Ask again, because one answer does not call off an evacuation. */
  | { readonly verdict: 'unsettled'; readonly reason: string };

/**
 * Decides whether the latch is still wanted, whether it is done, and what is left to do. An unknown quorum
 * stops nothing: DNS may be the part that fails.
 */
export function shouldLatch(question: LatchQuestion): LatchAnswer {
  const { trigger, quorum, settled } = question;
  if (trigger === 'auto' && quorum === 'primary') {
    if (!settled)
      return { verdict: 'unsettled', reason: 'DNS names the primary: a stale answer, or DNS is back there' };
    return {
      verdict: 'no-longer-wanted',
      reason: 'DNS is back in the primary: no quorum asks for this evacuation',
    };
  }
  const groups = groupsToLatch(question);
  if (groups.length === 0) {
    return { verdict: 'already-latched', reason: 'every switch holds, or was set by a newer act' };
  }
  return { verdict: 'latch', groups, reason: `${groups.length} of ${question.groups.length} groups to hold` };
}

/**
 * Groups that this epoch has not set yet. A group that an older act holds in the standby is set again, so
 * that this epoch fences that act. A group that a newer act has set is left to that act, wherever it is.
 * "Newer" is measured from the beginning of the evacuation, not from its present number: an evacuation that
 * continues under a new number must not undo decisions made since it began.
 */
export function groupsToLatch({
  epoch,
  sinceEpoch = epoch,
  groups,
  switches,
}: Pick<LatchQuestion, 'epoch' | 'sinceEpoch' | 'groups' | 'switches'>): readonly string[] {
  const byGroup = new Map(switches.map((one) => [one.group, one]));
  return groups.filter((group) => {
    const known = byGroup.get(group);
    if (known === undefined) return true;
    if (known.epoch === epoch) return known.position !== 'STANDBY';
    return known.epoch <= sinceEpoch;
  });
}

export interface Batch {
  readonly from: number;
  /** Not included. */
  readonly to: number;
}

/** Splits a list into batches by index: names of thousands of groups would not fit into a state's 256 KiB. */
export function batchesOf(length: number, size: number): readonly Batch[] {
  const count = Math.ceil(length / size);
  return Array.from({ length: count }, (_, n) => ({ from: n * size, to: Math.min(length, (n + 1) * size) }));
}
