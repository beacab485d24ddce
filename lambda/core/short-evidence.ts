import type { SignalEvidence } from './evidence.ts';

/**
 * The stored form of a signal's evidence. A write to the table costs by the kilobyte, in every tick, and a memory has some
 * two dozen of these: so they are stored as lists, with times relative to the last round.
 */
type ShortSignal = readonly [
  tag: typeof TAG,
  score: number,
  alarmed: 0 | 1,
  sinceMs: number,
  failedAtMs: number | null,
  okAtMs: number | null,
  sampledAtMs: number,
];
/** Tells this list from any other. */
const TAG = 's';

export const isSignalEvidence = (value: unknown): value is SignalEvidence =>
  typeof value === 'object' && value !== null && 'alarmed' in value && 'sampledAtMs' in value;

export function shortSignal(evidence: SignalEvidence, baseMs: number): ShortSignal {
  const since = (ms: number | null): number | null => (ms === null ? null : ms - baseMs);
  const { score, alarmed, sinceMs, failedAtMs, okAtMs, sampledAtMs } = evidence;
  return [
    TAG,
    score,
    alarmed ? 1 : 0,
    sinceMs - baseMs,
    since(failedAtMs),
    since(okAtMs),
    sampledAtMs - baseMs,
  ];
}

/**
 * A stored memory with its evidence in full; what an older version has stored in full stays as it is. Nothing is checked
 * here: that is for whoever parses the memory.
 */
export function lengthened(memory: unknown): unknown {
  if (typeof memory !== 'object' || memory === null || !('evidence' in memory)) return memory;
  const baseMs =
    'lastRoundAtMs' in memory && typeof memory.lastRoundAtMs === 'number' ? memory.lastRoundAtMs : 0;
  return { ...memory, evidence: withFullSignals(memory.evidence, baseMs) };
}

/** Evidence is nested five deep: streams, cells, the cell, its operations, and the test within. */
const MAX_DEPTH = 6;

function withFullSignals(value: unknown, baseMs: number, depth = 0): unknown {
  if (typeof value !== 'object' || value === null || depth > MAX_DEPTH) return value;
  if (Array.isArray(value)) return value[0] === TAG ? fullSignal(value, baseMs) : value;
  return Object.fromEntries(
    Object.entries(value).map(([key, inner]) => [key, withFullSignals(inner, baseMs, depth + 1)]),
  );
}

function fullSignal(short: readonly unknown[], baseMs: number): object {
  const [, score, alarmed, ...times] = short;
  const [sinceMs, failedAtMs, okAtMs, sampledAtMs] = times.map((ms) =>
    typeof ms === 'number' ? ms + baseMs : ms,
  );
  return { score, alarmed: alarmed === 1, sinceMs, failedAtMs, okAtMs, sampledAtMs };
}
