/** Wrong options, or nobody there to consent: nothing was started. */
export class UsageError extends Error {
  override readonly name = 'UsageError';
}

interface RefusedBy {
  readonly rule: string;
  readonly reason: string;
  /** When the rule gives way by itself. */
  readonly untilMs?: number;
}

/** A guard says no. Nothing was changed. */
export class RefusedError extends Error {
  override readonly name = 'RefusedError';
  readonly refusals: readonly RefusedBy[];

  constructor(refusals: readonly RefusedBy[], hint?: string) {
    const lines = refusals.map(({ rule, reason }) => `${reason} (${rule})`);
    super([`Refused: ${lines.join('; ')}.`, ...(hint === undefined ? [] : [hint])].join(' '));
    this.refusals = refusals;
  }
}

/** Something that should have answered did not; the message says what to do meanwhile. */
export class UnansweredError extends Error {
  override readonly name = 'UnansweredError';
}

/** Ctrl-C, or SIGTERM; the message says what goes on, or what is left to do. */
export class InterruptedError extends Error {
  override readonly name = 'InterruptedError';
}
