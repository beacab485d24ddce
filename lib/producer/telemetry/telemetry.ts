import type { ProducerOptions } from '../options.ts';
import { openTelemetry } from './api.ts';
import { type SentBatch, StreamAttributes } from './attributes.ts';
import { Batches } from './batches.ts';
import { type Observed, observe, register } from './gauges.ts';

/** How often a provider is looked for that the application registers later. */
const LOOK_MS = 5_000;

/**
 * Tells OpenTelemetry what a producer does, if the application has `@opentelemetry/api`. It is loaded beside the traffic: requests before
 * that, in the first milliseconds, are not told.
 */
export class Telemetry {
  readonly #stats: () => Observed;
  readonly #options: Pick<ProducerOptions, 'signal' | 'endpoint'>;
  #batches: Batches | undefined;
  #end: (() => void) | undefined;
  #looking: NodeJS.Timeout | undefined;
  #isClosed = false;

  constructor(options: Pick<ProducerOptions, 'signal' | 'endpoint'>, stats: () => Observed) {
    this.#options = options;
    this.#stats = stats;
    void this.#begin();
  }

  /** Call after each request. Never throws: an SDK that fails must not stop records. */
  sent(batch: SentBatch): void {
    try {
      this.#batches?.sent(batch);
    } catch {
      this.close();
    }
  }

  close(): void {
    this.#isClosed = true;
    this.#batches = undefined;
    clearInterval(this.#looking);
    this.#end?.();
    this.#end = undefined;
  }

  /** Never rejects. */
  async #begin(): Promise<void> {
    const api = await openTelemetry();
    if (api === undefined || this.#isClosed) return;
    try {
      const { endpoint, signal } = this.#options;
      const hostOf = (region: string): string | undefined => URL.parse(endpoint?.(region) ?? '')?.hostname;
      this.#batches = new Batches(api, new StreamAttributes({ hostOf }));
      this.#end = observe(api, { signal: signal.name, stats: this.#stats });
      this.#looking = setInterval(() => register(api), LOOK_MS);
      this.#looking.unref();
    } catch {
      this.close();
    }
  }
}

/** The telemetry that the options ask for. */
export function telemetryOf(
  options: Pick<ProducerOptions, 'signal' | 'endpoint' | 'telemetry'>,
  stats: () => Observed,
): Telemetry | undefined {
  return options.telemetry === false ? undefined : new Telemetry(options, stats);
}
