import { type DiagnosisCode, diagnosisCodes } from '../../lambda/core/diagnosis.ts';
import type { Vote } from '../../lambda/core/vote.ts';

/** Diagnoses that are no finding about a region. */
const uninformative: readonly DiagnosisCode[] = ['Healthy', 'Undetermined', 'Recovering'];
/** A diagnosis that lasted for less than this share of the outage was passing noise. */
const LEAST_SHARE = 0.1;

/** What an observer asks for: that everything moves, that single cells do, or nothing. */
export type Asked = 'everything' | 'cells' | 'nothing';

export function askedBy(vote: Vote, asksForCells: boolean): Asked {
  if (vote === 'EVACUATE') return 'everything';
  return asksForCells ? 'cells' : 'nothing';
}

interface Seen {
  current: DiagnosisCode;
  sinceMs: number;
  /** The diagnosis with which the observer first asked for each. */
  readonly asked: Partial<Record<Asked, DiagnosisCode>>;
  readonly stoodMs: Map<DiagnosisCode, number>;
}

/**
 * Collects what the observers concluded over a whole outage, in real or in virtual time. The conclusion of an
 * observer is its diagnosis when it voted, or else when it asked for the move of a cell, or else its longest
 * diagnosis, if that was not passing noise; the common conclusion is that of most observers. An outage of the
 * region may show in a cell's stream some seconds before it shows in the region, so a vote says more.
 */
export class Conclusions {
  readonly #observers = new Map<string, Seen>();

  /** Call when an observer's diagnosis or vote changes, and as often between as is convenient. */
  saw(
    observer: string,
    seen: { readonly atMs: number; readonly diagnosis: DiagnosisCode; readonly asks: Asked },
  ): void {
    const { atMs, diagnosis, asks } = seen;
    const known = this.#observers.get(observer) ?? {
      current: diagnosis,
      sinceMs: atMs,
      asked: {},
      stoodMs: new Map<DiagnosisCode, number>(),
    };
    this.#observers.set(observer, known);
    known.asked[asks] ??= diagnosis;
    if (diagnosis === known.current) return;
    stand(known, atMs);
    known.current = diagnosis;
  }

  /** `endMs`: the end of watching. `outageMs`: how long faults were active in that time. */
  together({ endMs, outageMs }: { readonly endMs: number; readonly outageMs: number }): DiagnosisCode {
    const said = [...this.#observers.values()].map((seen) => {
      stand(seen, endMs);
      return seen.asked.everything ?? seen.asked.cells ?? longest(seen.stoodMs, LEAST_SHARE * outageMs);
    });
    const counts = [...Map.groupBy(said, (code) => code)].map(([code, list]) => ({
      code,
      count: list.length,
    }));
    counts.sort((a, b) => b.count - a.count || rank(a.code) - rank(b.code));
    return counts[0]?.code ?? 'Undetermined';
  }
}

function stand(seen: Seen, untilMs: number): void {
  const stoodMs = (seen.stoodMs.get(seen.current) ?? 0) + Math.max(0, untilMs - seen.sinceMs);
  seen.stoodMs.set(seen.current, stoodMs);
  seen.sinceMs = untilMs;
}

function longest(stoodMs: ReadonlyMap<DiagnosisCode, number>, leastMs: number): DiagnosisCode {
  let best: DiagnosisCode = 'Healthy';
  let bestMs = leastMs;
  for (const [code, ms] of stoodMs) {
    if (uninformative.includes(code) || ms <= bestMs) continue;
    best = code;
    bestMs = ms;
  }
  return best;
}

/** The place of a diagnosis in the table of diagnoses: the more severe comes first. */
const rank = (code: DiagnosisCode): number => diagnosisCodes.indexOf(code);
