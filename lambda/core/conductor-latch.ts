import type { Quorum } from './lifecycle.ts';
import type { Position } from './switch.ts';

/** A switch as the conductor needs it. One that was never set is in PRIMARY, of epoch 0. */
export interface SwitchState {
  readonly group: string;
  readonly position: Position;
  readonly epoch: number;
}

export interface LatchQuestion {
  /** `auto`: wanted as long as DNS is in the standby. `asked`: wanted because a person or a drill said so. */
  readonly trigger: 'auto' | 'asked';
  readonly quorum: Quorum;
  /** DNS has had the time to show a change: "primary" is no answer from before the move. */
  readonly settled: boolean;
  readonly epoch: number;
  /** The number under which this evacuation first began, where another act has come between. Default: `epoch`. */
  readonly sinceEpoch?: number | undefined;
  readonly groups: readonly string[];
  readonly switches: readonly SwitchState[];
}

export type LatchAnswer =
  | { readonly verdict: 'latch'; readonly groups: readonly string[]; readonly reason: string }
  | { readonly verdict: 'already-latched'; readonly reason: string }
  | { readonly verdict: 'no-longer-wanted'; readonly reason: string }
  /** Ask again: one answer does not call off an evacuation. */
  | { readonly verdict: 'unsettled'; readonly reason: string };

/** Still wanted? Already done? What is left to do? An unknown quorum stops nothing: DNS may be what is failing. */
export function shouldLatch(question: LatchQuestion): LatchAnswer {
  const { trigger, quorum, settled } = question;
  if (trigger === 'auto' && quorum === 'primary') {
    if (!settled)
      return { verdict: 'unsettled', reason: 'DNS answers with the primary: stale, or back there' };
    return { verdict: 'no-longer-wanted', reason: 'DNS is back in the primary: no quorum asks for this' };
  }
  const groups = groupsToLatch(question);
  if (groups.length === 0) {
    return { verdict: 'already-latched', reason: 'every switch holds, or was set by a newer act' };
  }
  return { verdict: 'latch', groups, reason: `${groups.length} of ${question.groups.length} groups to hold` };
}

/**
 * Groups that this epoch has not set yet. One that an older act holds in the standby is set again, so that this epoch
 * fences that act; one that a newer act has set is its business, wherever it is. Newer than the evacuation, not than its
 * number: an evacuation that goes on under a new number takes back nothing that was decided while it stood.
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

/** Cuts a list into batches by index: names of thousands of groups would not fit a state's 256 KiB. */
export function batchesOf(length: number, size: number): readonly Batch[] {
  const count = Math.ceil(length / size);
  return Array.from({ length: count }, (_, n) => ({ from: n * size, to: Math.min(length, (n + 1) * size) }));
}
