/** Numbers with their unit in the name: `p50Ms`, `secondsToData`. */
export type Figures = Readonly<Record<string, number>>;

/** What an experiment says of one statement. */
export type Judgement =
  | { readonly verdict: 'confirmed' | 'refuted'; readonly figures?: Figures; readonly note?: string }
  | NotRun;

/** Neither: it was not tried, or what was seen decides nothing. */
export interface NotRun {
  readonly verdict: 'not-run';
  readonly reason: string;
  readonly figures?: Figures;
}

export const confirmed = (figures: Figures = {}, note?: string): Judgement =>
  said('confirmed', figures, note);
export const refuted = (figures: Figures = {}, note?: string): Judgement => said('refuted', figures, note);
export const undecided = (reason: string, figures: Figures = {}): NotRun => ({
  verdict: 'not-run',
  reason,
  ...(Object.keys(figures).length === 0 ? {} : { figures }),
});

/** Confirmed if it holds, else refuted. */
export const judged = (holds: boolean, figures: Figures = {}, note?: string): Judgement =>
  said(holds ? 'confirmed' : 'refuted', figures, note);

function said(verdict: 'confirmed' | 'refuted', figures: Figures, note: string | undefined): Judgement {
  return {
    verdict,
    ...(Object.keys(figures).length === 0 ? {} : { figures }),
    ...(note === undefined ? {} : { note }),
  };
}

/** Middle and largest value; nothing when there is none. `name` ends with the unit: `Ms`. */
export function spread(name: string, values: readonly number[]): Figures {
  if (values.length === 0) return {};
  const sorted = values.toSorted((a, b) => a - b);
  const middle = sorted[Math.floor((sorted.length - 1) / 2)] ?? 0;
  return { [`p50${name}`]: rounded(middle), [`max${name}`]: rounded(sorted.at(-1) ?? 0) };
}

export const rounded = (value: number): number => Math.round(value * 10) / 10;
