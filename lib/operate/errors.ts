import { credentialsLine, type RefusedCredentials } from '../credentials/verdict.ts';

/** Wrong options, or no terminal to ask for consent: nothing was started. */
export class UsageError extends Error {
  override readonly name = 'UsageError';
}

/** No local world is running. */
export class NoWorldError extends UsageError {}

interface RefusedBy {
  readonly rule: string;
  readonly reason: string;
  /** When the rule stops refusing by itself. */
  readonly untilMs?: number;
}

/** A guard refuses. Nothing was changed. */
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

/**
 * AWS rejects the caller's credentials, or they are not for this deployment. This error says nothing about
 * any region.
 */
export class CredentialsError extends Error {
  override readonly name = 'CredentialsError';
  readonly credentials: RefusedCredentials;

  constructor(credentials: RefusedCredentials, { note, ...options }: ErrorOptions & { note?: string } = {}) {
    super([credentialsLine(credentials), ...(note === undefined ? [] : [note])].join(' '), options);
    this.credentials = credentials;
  }
}

/** The credentials are valid, but do not allow this one act. */
export class NotAllowedError extends Error {
  override readonly name = 'NotAllowedError';
}

/** The facts that a program reads from an error, beside its name and message. */
export function errorFacts(error: Error): Readonly<Record<string, unknown>> {
  if (error instanceof RefusedError) return { refusals: error.refusals };
  return error instanceof CredentialsError ? { credentials: error.credentials } : {};
}
