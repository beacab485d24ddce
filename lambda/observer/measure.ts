import { classifyError, type ErrorClass, type ProbeOutcome } from '../core/probe.ts';

/** The call worked, but what it returned is not fresh. */
export class StaleReadError extends Error {
  override readonly name = 'StaleReadError';
}

export interface Measured<T> {
  readonly outcome: ProbeOutcome;
  /** What the call returned; absent when it failed. */
  readonly value?: T;
}

/** Runs one probe call under a time-out and turns whatever happens into an outcome. Latency is monotonic time. */
export async function measure<T>(
  timeoutMs: number,
  call: (abortSignal: AbortSignal) => Promise<T>,
): Promise<Measured<T>> {
  const startedMs = performance.now();
  const latencyMs = (): number => Math.round(performance.now() - startedMs);
  try {
    const value = await call(AbortSignal.timeout(timeoutMs));
    return { outcome: { ok: true, latencyMs: latencyMs() }, value };
  } catch (error) {
    return { outcome: { ok: false, latencyMs: latencyMs(), ...explain(error) } };
  }
}

interface SdkErrorShape {
  readonly name?: string;
  readonly code?: string;
  readonly message?: string;
  readonly $metadata?: { readonly httpStatusCode?: number };
  readonly $response?: { readonly statusCode?: number };
}

/** What an error of a call proves, and its words. */
export function explain(error: unknown): { readonly errorClass: ErrorClass; readonly detail: string } {
  const shape: SdkErrorShape = typeof error === 'object' && error !== null ? error : {};
  const name = shape.name ?? 'Error';
  const detail = `${name}: ${shape.message ?? String(error)}`.slice(0, 200);
  if (error instanceof StaleReadError) return { errorClass: 'stale', detail };
  const status = shape.$metadata?.httpStatusCode ?? shape.$response?.statusCode;
  return { errorClass: classifyError({ name, code: shape.code, status }), detail };
}
