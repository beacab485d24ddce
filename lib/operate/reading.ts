import { type CallFailure, callFailure } from '../credentials/failure.ts';

/** The result of a question: either the answer, or why there is none. */
export type Reading<Value> = { readonly ok: true; readonly value: Value } | Unread;

/** A value that is not known. Absent `failure`: nothing was asked that could refuse, as with DNS. */
export interface Unread {
  readonly ok: false;
  readonly problem: string;
  readonly failure?: CallFailure;
  /** The error as it was thrown. Not in documents, because it may hold anything. */
  readonly error?: unknown;
}

/**
 * Asks with a deadline of its own and never throws: one region that does not answer must not keep the others from
 * being shown. The deadline holds even when the call ignores its abort signal (a credential provider may).
 */
export async function reading<Value>(
  timeoutMs: number,
  ask: (abortSignal: AbortSignal) => Promise<Value>,
): Promise<Reading<Value>> {
  const controller = new AbortController();
  const { promise: late, resolve } = Promise.withResolvers<Reading<Value>>();
  const timer = setTimeout(() => {
    controller.abort();
    const problem = `no answer within ${timeoutMs / 1_000} s`;
    resolve({ ok: false, problem, failure: { kind: 'silent' } });
  }, timeoutMs);
  const asked = (async (): Promise<Reading<Value>> => {
    try {
      return { ok: true, value: await ask(controller.signal) };
    } catch (error) {
      return { ok: false, problem: problemOf(error), failure: callFailure(error), error };
    }
  })();
  const first = await Promise.race([asked, late]);
  clearTimeout(timer);
  return first;
}

const MAX_PROBLEM = 160;
/** Names of Spillway's own errors, whose message says everything. */
const plain: ReadonlySet<string> = new Set([
  'Error',
  'UnusableAnswerError',
  'NoSuchProfileError',
  'ProviderTimeoutError',
]);

/** Describes an error in one line for an operator, by its innermost cause, which knows most. */
export function problemOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  const inner = error.cause instanceof Error ? error.cause : error;
  const message = inner.message.split('\n')[0] ?? '';
  const text = plain.has(inner.name) ? message : `${inner.name}: ${message}`;
  const told = `${text}${statusOf(inner)}`;
  return told.length > MAX_PROBLEM ? `${told.slice(0, MAX_PROBLEM)}…` : told;
}

/**
 * Something between this machine and AWS may answer with a body that the SDK cannot read; then the status is
 * all there is.
 */
function statusOf(error: Error): string {
  if (error.name !== 'Unknown' || !('$metadata' in error)) return '';
  const { httpStatusCode } = error.$metadata as { readonly httpStatusCode?: number };
  return httpStatusCode === undefined ? '' : ` (HTTP ${httpStatusCode})`;
}
