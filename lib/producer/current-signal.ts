import type { Signal } from '../../lambda/core/signal.ts';
import { SignalUnavailableError } from './middleware-errors.ts';
import type { ProducerOptions } from './options.ts';
import { pinnedRegion } from './pin.ts';
import { type Following, follow } from './shared-follower.ts';

export interface CurrentSignalOptions
  extends Pick<ProducerOptions, 'signal' | 'regions' | 'streamName' | 'streamArn'> {
  readonly firstSignalTimeoutMs?: number;
  readonly onProblem?: (problem: string) => void;
}

const DEFAULT_FIRST_SIGNAL_TIMEOUT_MS = 5_000;

/** The signal in force, once there is one. */
export class CurrentSignal {
  readonly #timeoutMs: number;
  readonly #following: Following | undefined;
  readonly #first = Promise.withResolvers<void>();
  #signal: Signal | undefined;
  #problem: string | undefined;

  constructor(options: CurrentSignalOptions) {
    this.#timeoutMs = options.firstSignalTimeoutMs ?? DEFAULT_FIRST_SIGNAL_TIMEOUT_MS;
    // A pin needs no stream here, because each call names its own.
    this.#signal = pinnedRegion({ ...options, streamName: options.streamName ?? 'as-asked' });
    if (this.#signal !== undefined) return;
    this.#following = follow(
      options,
      {
        onSignal: (signal) => {
          this.#signal = signal;
          this.#first.resolve();
        },
        onProblem: (problem) => {
          this.#problem = problem;
          options.onProblem?.(problem);
        },
      },
      Math.random,
    );
  }

  /** @throws SignalUnavailableError */
  async get(): Promise<Signal> {
    if (this.#signal === undefined) {
      const late = Promise.withResolvers<void>();
      const timer = setTimeout(late.resolve, this.#timeoutMs);
      await Promise.race([this.#first.promise, late.promise]);
      clearTimeout(timer);
    }
    if (this.#signal !== undefined) return this.#signal;
    throw new SignalUnavailableError(
      `No signal within ${this.#timeoutMs} ms: check \`signal.name\` and that this host resolves it, or pin SPILLWAY_REGION.`,
      { cause: this.#problem },
    );
  }

  close(): void {
    this.#following?.stop();
    this.#first.resolve();
  }
}
