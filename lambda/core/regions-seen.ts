import { type Blame, blamesOf } from './blame.ts';
import {
  CLOCK_DISTRUST_MS,
  type Evidence,
  levelsOf,
  type ObserverHealth,
  type RegionLevels,
  works,
} from './observation.ts';
import type { Policy } from './policy.ts';
import { type Gain, gainOf, shownShare } from './severity.ts';
import { type StreamsSeen, streamsSeen } from './streams.ts';

export type ObserverCondition = 'sound' | 'clock-suspect' | 'self-inflicted-errors';

/** What an observer sees at one moment. */
export interface RegionsSeen {
  readonly primary: RegionLevels;
  readonly standby: RegionLevels;
  readonly gain: Gain;
  /** The failing fraction of the primary's puts alone is above the minimum gain, whatever the standby's is. */
  readonly severe: boolean;
  readonly blames: readonly Blame[];
  readonly observer: ObserverCondition;
  /** The cells' own streams, together. */
  readonly streams: StreamsSeen;
}

/** What the evidence comes to now. */
export function regionsSeen(
  { primary, standby, gain, observer, streams }: Evidence,
  policy: Policy,
  nowMs: number,
): RegionsSeen {
  const levels = { primary: levelsOf(primary, policy, nowMs), standby: levelsOf(standby, policy, nowMs) };
  const blames = blamesOf({ ...observer.doubtful, standbyTakesPuts: works(levels.standby, 'kinesisWrite') });
  return {
    ...levels,
    gain: gainOf(gain, { standby: standby.puts, policy, nowMs }),
    severe:
      levels.primary.kinesisWrite === 'down' && (shownShare(primary.puts)?.low ?? 0) > policy.minimumGain,
    blames,
    observer: conditionOf(observer, blames, nowMs),
    streams: streamsSeen(streams, nowMs),
  };
}

function conditionOf(
  { clockSuspectUntilMs }: ObserverHealth,
  blames: readonly Blame[],
  nowMs: number,
): ObserverCondition {
  // A clock that was set back must not prolong the distrust beyond its own span.
  const remainingMs = clockSuspectUntilMs - nowMs;
  if (remainingMs > 0 && remainingMs <= CLOCK_DISTRUST_MS) return 'clock-suspect';
  return blames.includes('observer') ? 'self-inflicted-errors' : 'sound';
}
