import { type DiagnosisCode, diagnosisCodes } from '../../lambda/core/diagnosis.ts';

/** Diagnoses that are no finding about a region. */
const uninformative: readonly DiagnosisCode[] = ['Healthy', 'Undetermined', 'Recovering'];
/** A diagnosis that lasted for less than this share of the outage was passing noise. */
const LEAST_SHARE = 0.1;

interface Seen {
  current: DiagnosisCode;
  sinceMs: number;
  atVote: DiagnosisCode | undefined;
  readonly stoodMs: Map<DiagnosisCode, number>;
}

/**
 * Collects what the observers concluded over a whole outage, in real or in virtual time. The conclusion of an
 * observer is its diagnosis when it voted, or else its longest diagnosis, if that was not passing noise; the
 * common conclusion is that of most observers.
 */
export class Conclusions {
  readonly #observers = new Map<string, Seen>();

  /** Call when an observer's diagnosis or vote changes, and as often between as is convenient. */
  saw(
    observer: string,
    seen: { readonly atMs: number; readonly diagnosis: DiagnosisCode; readonly evacuates: boolean },
  ): void {
    const { atMs, diagnosis, evacuates } = seen;
    const known = this.#observers.get(observer) ?? {
      current: diagnosis,
      sinceMs: atMs,
      atVote: undefined,
      stoodMs: new Map<DiagnosisCode, number>(),
    };
    this.#observers.set(observer, known);
    if (evacuates) known.atVote ??= diagnosis;
    if (diagnosis === known.current) return;
    stand(known, atMs);
    known.current = diagnosis;
  }

  /** `endMs`: the end of watching. `outageMs`: how long faults were active in that time. */
  together({ endMs, outageMs }: { readonly endMs: number; readonly outageMs: number }): DiagnosisCode {
    const said = [...this.#observers.values()].map((seen) => {
      stand(seen, endMs);
      return seen.atVote ?? longest(seen.stoodMs, LEAST_SHARE * outageMs);
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
