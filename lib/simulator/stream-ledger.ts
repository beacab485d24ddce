import { errorClasses, type ProbeOutcome } from '../../lambda/core/probe.ts';
import type { StreamOutcomes } from '../../lambda/core/stream-evidence.ts';

export interface PutCount {
  readonly failed: number;
  readonly counted: number;
}

/** One observer's marked records to a cell's streams, of one round. They are counted when somebody asks, which is seldom. */
interface StreamRound {
  readonly atMs: number;
  readonly outcomes: StreamOutcomes;
}

/** As long as anything that is said of a stream may hold: a minute, and the life of what an observer has stored. */
const KEPT_MS = 90_000;

/** More than there are in that time, of rounds that are a second apart at least. */
const MOST_ROUNDS = 100;

/** What truly became of one observer's marked records, kept beside the world and not asked of the code under test. */
export class StreamLedger {
  readonly #rounds = new Map<string, StreamRound[]>();

  note(probed: readonly StreamOutcomes[], atMs: number): void {
    for (const outcomes of probed) {
      const rounds = this.#rounds.get(outcomes.cell) ?? [];
      if (rounds.length === 0) this.#rounds.set(outcomes.cell, rounds);
      // Whoever asks names the time from which on. Many are dropped at once: that is cheaper than one in each round.
      if (rounds.length >= 2 * MOST_ROUNDS) rounds.splice(0, MOST_ROUNDS);
      rounds.push({ atMs, outcomes });
    }
  }

  /** Cells into whose stream a record was put since then. */
  cellsSince(atMs: number): readonly string[] {
    return [...this.#rounds]
      .filter(([, rounds]) => rounds.some((round) => round.atMs >= atMs))
      .map(([cell]) => cell);
  }

  sumSince(cell: string, role: 'primary' | 'standby', atMs: number): PutCount {
    const rounds = this.#rounds.get(cell) ?? [];
    return sumOf(rounds.filter((round) => round.atMs >= atMs).map(({ outcomes }) => countOf(outcomes[role])));
  }
}

export const STREAM_MEMORY_MS = KEPT_MS;

/** Puts that say something about the region, and those of them that failed. */
export function countOf(puts: readonly ProbeOutcome[]): PutCount {
  let [failed, counted] = [0, 0];
  for (const put of puts) {
    if (!put.ok && !errorClasses[put.errorClass].evidence) continue;
    counted++;
    if (!put.ok) failed++;
  }
  return { failed, counted };
}

export const sumOf = (rounds: readonly PutCount[]): PutCount =>
  rounds.reduce(
    (sum, { failed, counted }) => ({ failed: sum.failed + failed, counted: sum.counted + counted }),
    {
      failed: 0,
      counted: 0,
    },
  );
