/**
 * The puts of an observer's last rounds to one region, two base-36 digits a round: how many failed, and how many
 * counted. Oldest round first. A text, because the memory is stored and read every minute.
 */
export type PutWindow = string;

export const WINDOW_ROUNDS = 24;
const RADIX = 36;
const DIGITS = 2;
/** What `putWindowPattern` accepts is a window. */
export const putWindowPattern = new RegExp(`^(?:[0-9a-z]{${DIGITS}}){0,${WINDOW_ROUNDS}}$`);

export interface Puts {
  readonly failed: number;
  /** Puts that say something about the region: those that succeeded, and those that failed by its fault. */
  readonly counted: number;
}

const digit = (count: number): string => Math.min(RADIX - 1, count).toString(RADIX);

/** Windows that a round of as many successes leaves as they are: those of regions and streams that are well. */
const steady: PutWindow[] = [];

export function addRound(window: PutWindow, { failed, counted }: Puts): PutWindow {
  if (failed === 0 && window === steady[counted]) return window;
  const next = `${window}${digit(failed)}${digit(counted)}`.slice(-DIGITS * WINDOW_ROUNDS);
  // One and the same text while nothing changes: texts are compared often.
  if (next !== window) return next;
  if (failed === 0 && counted < RADIX) steady[counted] = window;
  return window;
}

/** The window after so many rounds in which every put succeeded. */
export const afterQuietRounds = (window: PutWindow, rounds: number, puts: number): PutWindow =>
  (window + `0${digit(puts)}`.repeat(Math.min(rounds, WINDOW_ROUNDS))).slice(-DIGITS * WINDOW_ROUNDS);

/** Puts of the last rounds together. */
export function putsOf(window: PutWindow, rounds: number = WINDOW_ROUNDS): Puts {
  let [failed, counted] = [0, 0];
  const from = Math.max(0, window.length - DIGITS * rounds);
  for (let at = from; at < window.length; at += DIGITS) {
    failed += countAt(window.charCodeAt(at));
    counted += countAt(window.charCodeAt(at + 1));
  }
  return { failed, counted };
}

const NINE = 57;
const ZERO = 48;
/** In base 36, a follows on 9. Windows are read in every round, and this is several times as fast as `parseInt`. */
const TEN_BEFORE_A = 97 - 10;
const countAt = (code: number): number => (code <= NINE ? code - ZERO : code - TEN_BEFORE_A);

/** A failing fraction with its uncertainty: from 0 to 1, `low` at most `high`. */
export interface FailingShare extends Puts {
  readonly low: number;
  readonly high: number;
}

/** Standard errors on either side: what lies outside is less likely than one in six. */
const Z = 1;

/**
 * The failing fraction behind these puts, by the score interval (E. B. Wilson, "Probable inference, the law of
 * succession, and statistical inference", J. Am. Stat. Assoc. 22, 1927). With no puts it is anything from 0 to 1.
 */
export function failingShare({ failed, counted }: Puts): FailingShare {
  if (counted === 0) return { failed, counted, low: 0, high: 1 };
  const share = failed / counted;
  const z2 = Z * Z;
  const middle = share + z2 / (2 * counted);
  const half = Z * Math.sqrt((share * (1 - share)) / counted + z2 / (4 * counted * counted));
  const scale = 1 + z2 / counted;
  const low = Math.max(0, (middle - half) / scale);
  return { failed, counted, low: failed === 0 ? 0 : low, high: Math.min(1, (middle + half) / scale) };
}
