/** The parts of `@opentelemetry/api` that are used. */
export type Api = typeof import('@opentelemetry/api');

export const SCOPE = 'spillway';

let loading: Promise<Api | undefined> | undefined;

/** The application's `@opentelemetry/api`; undefined where it has none, or one that does not load. Loaded once. */
export function openTelemetry(): Promise<Api | undefined> {
  loading ??= import('@opentelemetry/api').then(usable, () => undefined);
  return loading;
}

const usable = (api: Api): Api | undefined =>
  typeof api?.metrics?.getMeterProvider === 'function' && typeof api.trace?.getTracer === 'function'
    ? api
    : undefined;
