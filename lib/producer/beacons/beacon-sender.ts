import {
  type Beacon,
  HEALTH_INTERVAL_MS,
  itemOf,
  MOST_INTERVAL_MS,
  TROUBLE_INTERVAL_MS,
} from '../../../lambda/core/beacon-item.ts';
import { classifyError } from '../../../lambda/core/probe.ts';
import type { BeaconCalls } from './beacon-calls.ts';

export interface BeaconSenderOptions {
  readonly calls: BeaconCalls;
  /** Told once for each series of failures. */
  readonly onProblem: (problem: string) => void;
  /** Monotonic milliseconds. */
  readonly now: () => number;
}

/** Pause after a refusal: nothing but a person changes rights. */
const REFUSED_PAUSE_MS = 15 * 60_000;
/** Pause after STS did not answer. */
const SOURCE_PAUSE_MS = 60_000;
const FLEET_EVERY_MS = 15 * 60_000;
/** Failures in a row that are worth a word. A refusal is worth one at once. */
const FAILURES_TO_TELL = 3;

/** Writes beacons under the caller's own name. Nothing is tried twice: the next beacon tells more than a late one. */
export class BeaconSender {
  readonly #options: BeaconSenderOptions;
  #source: string | undefined;
  #sourceHasWritten = false;
  #healthIntervalMs = HEALTH_INTERVAL_MS;
  #fleetDueMs = Number.NEGATIVE_INFINITY;
  #pauseUntilMs = Number.NEGATIVE_INFINITY;
  #failures = 0;
  #hasTold = false;
  #isClosed = false;

  constructor(options: BeaconSenderOptions) {
    this.#options = options;
  }

  /** The interval in health, which grows with the fleet. */
  get healthIntervalMs(): number {
    return this.#healthIntervalMs;
  }

  get pauseUntilMs(): number {
    return this.#pauseUntilMs;
  }

  get isPausing(): boolean {
    return this.#options.now() < this.#pauseUntilMs;
  }

  /** The name to write under; undefined while it is not known, or nothing is to be written. */
  async ready(): Promise<string | undefined> {
    if (this.isPausing) return undefined;
    const [source] = await Promise.all([this.#sourceName(), this.#readFleet()]);
    return source;
  }

  /** Whether the beacon was written. Never throws. */
  async put(beacon: Beacon): Promise<boolean> {
    try {
      await this.#options.calls.put(itemOf(beacon));
    } catch (error) {
      this.#failed(error, 'the table of beacons did not take a beacon');
      return false;
    }
    this.#sourceHasWritten = true;
    this.#failures = 0;
    this.#hasTold = false;
    return true;
  }

  close(): void {
    this.#isClosed = true;
    this.#options.calls.close();
  }

  async #sourceName(): Promise<string | undefined> {
    if (this.#source !== undefined) return this.#source;
    try {
      this.#source = await this.#options.calls.source();
    } catch (error) {
      this.#pauseUntilMs = this.#options.now() + SOURCE_PAUSE_MS;
      this.#failed(error, 'STS in the region of the table does not say who this is');
    }
    return this.#source;
  }

  /** Never throws: who may not read the size of the fleet reports as often as a small one. */
  async #readFleet(): Promise<void> {
    const nowMs = this.#options.now();
    if (nowMs < this.#fleetDueMs) return;
    this.#fleetDueMs = nowMs + FLEET_EVERY_MS;
    const found = await this.#options.calls.fleetIntervalMs().catch(() => undefined);
    if (found === undefined) return;
    this.#healthIntervalMs = Math.round(Math.min(MOST_INTERVAL_MS, Math.max(HEALTH_INTERVAL_MS, found)));
  }

  #failed(error: unknown, what: string): void {
    if (this.#isClosed) return;
    this.#failures++;
    const isRefusal = refusals.has(classOf(error));
    if (isRefusal && this.#pausedForNewName()) return;
    if (this.#hasTold || !(isRefusal || this.#failures >= FAILURES_TO_TELL)) return;
    this.#hasTold = true;
    const { name, message } = error instanceof Error ? error : { name: 'Error', message: String(error) };
    const advice = isRefusal
      ? 'Does `beacons.table` name the table, and has the role of this producer the managed policy NAME-beacon-writer (docs/beacons.md)? '
      : '';
    this.#options.onProblem(
      `beacons: ${what} (${name}: ${message}). ${advice}Records are not affected, and beacons are tried again.`,
    );
  }

  /**
   * Pauses after a refusal. The name of a source that has written before may have changed with its credentials, so it is
   * asked for again soon, once; true if so.
   */
  #pausedForNewName(): boolean {
    const mayHaveChanged = this.#sourceHasWritten;
    this.#source = undefined;
    this.#sourceHasWritten = false;
    this.#pauseUntilMs = this.#options.now() + (mayHaveChanged ? TROUBLE_INTERVAL_MS : REFUSED_PAUSE_MS);
    return mayHaveChanged;
  }
}

/** Failures that only a person ends: no right, no such table, a request that is not understood. */
const refusals: ReadonlySet<string> = new Set(['access', 'missing', 'validation']);

function classOf(error: unknown): string {
  const { name = '', status } = (error ?? {}) as { readonly name?: string; readonly status?: number };
  return classifyError({ name, status });
}
