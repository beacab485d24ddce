const MINUTE_MS = 60_000;

export interface LocalTimeOptions {
  /** The present time: a time on the same day is shown without its date. */
  readonly nowMs: number;
  /** IANA name. Default: the machine's. */
  readonly timeZone?: string | undefined;
  /**
   * Default: up, so that what is promised for a minute is true in that minute. Down for times in the past.
   */
  readonly rounded?: 'up' | 'down';
}

/** Formats a time for people: `19:41 CET`, or `2026-11-30 07:05 CET` on another day. */
export function localTime(ms: number, { nowMs, timeZone, rounded = 'up' }: LocalTimeOptions): string {
  const minutes = ms / MINUTE_MS;
  const at = partsOf((rounded === 'up' ? Math.ceil(minutes) : Math.floor(minutes)) * MINUTE_MS, timeZone);
  const day = `${at.year}-${at.month}-${at.day}`;
  const now = partsOf(nowMs, timeZone);
  const isToday = day === `${now.year}-${now.month}-${now.day}`;
  return `${isToday ? '' : `${day} `}${at.hour}:${at.minute} ${at.timeZoneName}`;
}

function partsOf(ms: number, timeZone: string | undefined): Readonly<Record<string, string>> {
  const format = new Intl.DateTimeFormat('en-GB', {
    year: 'numeric',
    month: '2-digit',
    day: '2-digit',
    hour: '2-digit',
    minute: '2-digit',
    hourCycle: 'h23',
    timeZoneName: 'short',
    ...(timeZone === undefined ? {} : { timeZone }),
  });
  return Object.fromEntries(format.formatToParts(ms).map(({ type, value }) => [type, value]));
}
