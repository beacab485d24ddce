const unitMs = { d: 86_400_000, h: 3_600_000, m: 60_000, s: 1_000, ms: 1 } as const;
const durationPattern = /^(?:\d+(?:ms|[dhms]))+$/;
const partPattern = /(\d+)(ms|[dhms])/g;
/** Ten years; a longer duration is a typing error. */
const LONGEST_MS = 3_652 * unitMs.d;

/** Reads `18h`, `4h52m`, `90s`, `500ms`. Units go from large to small, each at most once. @throws RangeError */
export function parseDuration(text: string): number {
  if (!durationPattern.test(text)) {
    throw new RangeError(`"${text}" is not a duration: write a duration like 90s, 4h52m or 500ms`);
  }
  let totalMs = 0;
  let lastMs = Number.POSITIVE_INFINITY;
  for (const [, count, unit] of text.matchAll(partPattern)) {
    const ms = unitMs[unit as keyof typeof unitMs];
    if (ms >= lastMs) throw new RangeError(`"${text}" must go from large units to small ones, each once`);
    lastMs = ms;
    totalMs += Number(count) * ms;
  }
  if (totalMs > LONGEST_MS) throw new RangeError(`"${text}" is longer than ten years`);
  return totalMs;
}

/** The shortest text that reads back as the same duration. */
export function formatDuration(ms: number): string {
  let rest = ms;
  let text = '';
  for (const [unit, size] of Object.entries(unitMs)) {
    const count = Math.floor(rest / size);
    if (count > 0) text += `${count}${unit}`;
    rest -= count * size;
  }
  return text === '' ? '0s' : text;
}
