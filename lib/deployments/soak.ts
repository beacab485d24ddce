import { isActionable } from '../../lambda/core/diagnosis.ts';
import type { Vote } from '../../lambda/core/vote.ts';

/**
 * When an observer of a new version is good enough for the next one to follow: it votes, its report is fresh,
 * and what it says is what its siblings say. A bad release in one observer is one vote; in all of them it is a
 * quorum.
 */

/** What one observer says at one moment; undefined when nobody can read it. */
export interface Voice {
  readonly region: string;
  readonly said:
    | {
        readonly fresh: boolean;
        readonly vote: Vote;
        readonly diagnosis: string;
        readonly decidedAtMs: number;
      }
    | undefined;
}

export const soakFaults = {
  unread: 'its table cannot be read',
  silent: 'it has not decided anything since it was deployed',
  stale: 'its last decision has expired',
  alone: 'it accuses the primary, and no other observer does',
  blind: 'the others accuse the primary, and it does not',
} as const satisfies Readonly<Record<string, string>>;
export type SoakFault = keyof typeof soakFaults;

/** What is wrong with an observer at this moment; undefined when it is sound. */
export function faultOf(
  voice: Voice,
  { siblings, sinceMs }: { readonly siblings: readonly Voice[]; readonly sinceMs: number },
): SoakFault | undefined {
  const { said } = voice;
  if (said === undefined) return 'unread';
  if (said.decidedAtMs < sinceMs) return 'silent';
  if (!said.fresh) return 'stale';
  const heard = siblings.flatMap((sibling) => (sibling.said?.fresh ? [sibling.said] : []));
  // With nobody to compare with, what it says cannot be judged.
  if (heard.length === 0) return undefined;
  const accusers = heard.filter(accuses).length;
  if (accuses(said)) return accusers === 0 ? 'alone' : undefined;
  return accusers === heard.length ? 'blind' : undefined;
}

const accuses = ({ vote, diagnosis }: NonNullable<Voice['said']>): boolean =>
  vote === 'EVACUATE' || isActionable(diagnosis);

/**
 * A function that is replaced ends its run first, up to 90 s later, and a new one begins with the next full
 * minute.
 */
export const SOAK_GRACE_MS = 180_000;
/** Observers see an outage begin and end some rounds apart, and may disagree for so long. */
export const SOAK_TOLERANCE_MS = 60_000;
/** How long a soak may take beside its own length, for an observer that is sound, and not, and sound again. */
const SOAK_MOST = 3;

export interface SoakMemory {
  readonly sinceMs: number;
  /** Since when all have been sound without a break. */
  readonly soundSinceMs: number | undefined;
  /** Since when each has had a fault without a break. */
  readonly faultySinceMs: ReadonlyMap<string, number>;
}

export type SoakVerdict =
  | { readonly state: 'sound' }
  | { readonly state: 'waiting'; readonly faults: readonly SoakFinding[]; readonly leftMs: number }
  | { readonly state: 'bad'; readonly faults: readonly SoakFinding[] };

export interface SoakFinding {
  readonly region: string;
  readonly fault: SoakFault;
}

export const beginSoak = (sinceMs: number): SoakMemory => ({
  sinceMs,
  soundSinceMs: undefined,
  faultySinceMs: new Map(),
});

export interface SoakLook {
  readonly voices: readonly Voice[];
  /** Regions of the observers that soak; the others are their siblings. */
  readonly observers: readonly string[];
  /** How long they must be sound without a break; 0: once. */
  readonly ms: number;
  readonly nowMs: number;
}

/** One look of a soak. */
export function lookAtSoak(
  memory: SoakMemory,
  { voices, observers, ms, nowMs }: SoakLook,
): { readonly memory: SoakMemory; readonly verdict: SoakVerdict } {
  const siblings = voices.filter(({ region }) => !observers.includes(region));
  const faults = observers.flatMap((region): SoakFinding[] => {
    const voice = voices.find((each) => each.region === region) ?? { region, said: undefined };
    const fault = faultOf(voice, { siblings, sinceMs: memory.sinceMs });
    return fault === undefined ? [] : [{ region, fault }];
  });
  const faultySinceMs = new Map(
    faults.map(({ region }) => [region, memory.faultySinceMs.get(region) ?? nowMs] as const),
  );
  const soundSinceMs = faults.length > 0 ? undefined : (memory.soundSinceMs ?? nowMs);
  const next = { sinceMs: memory.sinceMs, soundSinceMs, faultySinceMs };
  const graceIsOver = nowMs >= memory.sinceMs + SOAK_GRACE_MS;
  const bad = faults.filter(
    ({ region }) => graceIsOver && nowMs - (faultySinceMs.get(region) ?? nowMs) >= SOAK_TOLERANCE_MS,
  );
  if (bad.length > 0) return { memory: next, verdict: { state: 'bad', faults: bad } };
  if (soundSinceMs !== undefined && nowMs - soundSinceMs >= ms) {
    return { memory: next, verdict: { state: 'sound' } };
  }
  if (nowMs - memory.sinceMs >= SOAK_GRACE_MS + SOAK_MOST * ms + SOAK_TOLERANCE_MS) {
    return { memory: next, verdict: { state: 'bad', faults } };
  }
  const leftMs = ms - (soundSinceMs === undefined ? 0 : nowMs - soundSinceMs);
  return { memory: next, verdict: { state: 'waiting', faults, leftMs } };
}
