/** Nearest-rank percentile: the least value that `percent` of the values do not exceed. Null when there is none. */
export function percentile(values: readonly number[], percent: number): number | null {
  if (!(percent > 0 && percent <= 100)) throw new RangeError(`${percent} is not a percentage above 0`);
  const sorted = [...values].sort((a, b) => a - b);
  // Multiplied first: 0.07 * 100 is a little more than 7, and would be the eighth value.
  const rank = Math.ceil((percent * sorted.length) / 100);
  return sorted[rank - 1] ?? null;
}

export interface Percentiles {
  readonly p50: number | null;
  readonly p95: number | null;
}

export const percentiles = (values: readonly number[]): Percentiles => ({
  p50: percentile(values, 50),
  p95: percentile(values, 95),
});

/** Percentiles over every run, where one in which it never happened counts as longer than any other. */
export function percentilesOfAll(times: readonly (number | null)[]): Percentiles {
  const all = times.map((ms) => ms ?? Number.POSITIVE_INFINITY);
  const at = (percent: number): number | null => {
    const ms = percentile(all, percent);
    return ms === Number.POSITIVE_INFINITY ? null : ms;
  };
  return { p50: at(50), p95: at(95) };
}

/** Halvings of the interval that holds the root; more would be below the precision of a double. */
const BISECTIONS = 100;

/**
 * The exact one-sided upper bound for the mean of a Poisson count, given that `events` were counted: the mean at which
 * so few would be seen with probability 1 - confidence (F. Garwood, "Fiducial limits for the Poisson distribution",
 * Biometrika 28, 1936). With no event and 95 % it is -ln 0.05, the "rule of three".
 */
export function poissonUpperBound(events: number, confidence = 0.95): number {
  if (!Number.isSafeInteger(events) || events < 0) throw new RangeError(`${events} is not a count`);
  if (!(confidence > 0 && confidence < 1)) throw new RangeError(`${confidence} is not between 0 and 1`);
  const logOfFactorial = logFactorial(events);
  const enough = (mean: number): boolean => poissonCdf(events, mean, logOfFactorial) <= 1 - confidence;
  let low = events;
  let high = events + 1;
  while (!enough(high)) high *= 2;
  for (let step = 0; step < BISECTIONS && low < high; step++) {
    const middle = (low + high) / 2;
    if (enough(middle)) high = middle;
    else low = middle;
  }
  return high;
}

/** P(X <= events), from the largest term down, each in proportion to the one before: nothing overflows. */
function poissonCdf(events: number, mean: number, logOfFactorial: number): number {
  let term = Math.exp(events * Math.log(mean) - mean - logOfFactorial);
  let sum = term;
  for (let count = events; count > 0 && term > sum * Number.EPSILON; count--) {
    term *= count / mean;
    sum += term;
  }
  return sum;
}

function logFactorial(count: number): number {
  let sum = 0;
  for (let factor = 2; factor <= count; factor++) sum += Math.log(factor);
  return sum;
}
