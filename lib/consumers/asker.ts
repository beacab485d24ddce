import { setTimeout as sleep } from 'node:timers/promises';
import type { Obstacle } from '../../lambda/core/consumer-facts.ts';
import { type CallFailure, callFailure } from '../credentials/failure.ts';

/** An answer of AWS; `missing`: it says that there is no such thing; undefined: there was none, and an obstacle says so. */
export type Answer<Value> = { readonly value: Value } | 'missing' | undefined;

export interface Question<Value> {
  /** For people: `Lambda`. */
  readonly service: string;
  /** IAM's name of what is done. */
  readonly action: string;
  readonly ask: (abortSignal: AbortSignal) => Promise<Value>;
  /** A refusal is no obstacle: what is asked for is welcome, and not needed. */
  readonly welcome?: boolean;
  /** How many times the usual rate this action is asked for: what is no control plane takes more. Default 1. */
  readonly timesTheRate?: number;
  /** Longest wait, if not that of the other questions: of an answer in many pages. */
  readonly timeoutMs?: number;
}

export interface AskerOptions {
  readonly region: string;
  /** Longest wait for one answer. */
  readonly timeoutMs: number;
  /** Ends everything: whatever has not been asked by then is not known. */
  readonly signal: AbortSignal;
  /** Calls a second of each action. Default 10, a rate that leaves others of the account their part. */
  readonly perSecond?: number;
}

const PER_SECOND = 10;
/** An action that fails this often in a row is not asked for again: an impaired region needs no more load. */
const FAILURES_IN_A_ROW = 3;
/** A service that has not answered at all is given up sooner: each question costs its whole time. */
const SILENCES = 2;
const THROTTLED_TRIES = 4;
const THROTTLED_WAIT_MS = 500;
const throttled = /Throttl|TooManyRequests|LimitExceeded|ProvisionedThroughputExceeded|RequestLimit/i;

interface Lane {
  nextMs: number;
  failures: number;
}

interface Pulse {
  answers: number;
  silences: number;
}

interface Trouble {
  readonly actions: Set<string>;
  problem: string;
}

/**
 * Asks the services of one region, each action at a limited rate and for a limited time. Never throws. What is not
 * answered is one obstacle for each service, however many questions it was.
 */
export class Asker {
  readonly #options: Required<AskerOptions>;
  readonly #lanes = new Map<string, Lane>();
  readonly #pulses = new Map<string, Pulse>();
  readonly #troubles = new Map<string, Trouble>();
  /** How each question failed; undefined for one that was answered. */
  readonly failures: (CallFailure | undefined)[] = [];

  constructor(options: AskerOptions) {
    this.#options = { perSecond: PER_SECOND, ...options };
  }

  get region(): string {
    return this.#options.region;
  }

  get obstacles(): readonly Obstacle[] {
    return [...this.#troubles].map(([key, { actions, problem }]) => {
      const [service = '', kind = ''] = key.split('\n');
      const sorted = [...actions].toSorted();
      return {
        region: this.region,
        service,
        kind: kind === 'denied' ? 'denied' : 'unreadable',
        actions: sorted,
        problem,
      };
    });
  }

  async ask<Value>(question: Question<Value>): Promise<Answer<Value>> {
    const { action, service } = question;
    const lane = this.#lanes.get(action) ?? { nextMs: 0, failures: 0 };
    this.#lanes.set(action, lane);
    const pulse = this.#pulseOf(service);
    const isGivenUp = (): boolean =>
      lane.failures >= FAILURES_IN_A_ROW || (pulse.answers === 0 && pulse.silences >= SILENCES);
    for (let tries = 1; ; tries++) {
      // The obstacle is there already.
      if (isGivenUp()) return undefined;
      if (!(await this.#turn(lane, question.timesTheRate))) return this.#late(question);
      if (isGivenUp()) return undefined;
      const failure = await this.#once(question, lane);
      if (failure !== 'again') return failure;
      if (tries >= THROTTLED_TRIES) return this.#trouble(question, 'unreadable', 'it throttles');
      if (!(await this.wait(THROTTLED_WAIT_MS * 2 ** tries))) return this.#late(question);
    }
  }

  async #once<Value>(question: Question<Value>, lane: Lane): Promise<Answer<Value> | 'again'> {
    const { ask, welcome = false } = question;
    const pulse = this.#pulseOf(question.service);
    const signal = this.#bound(question.timeoutMs);
    try {
      // Whatever fetches the credentials may not look at the signal.
      const value = await Promise.race([ask(signal), aborted(signal)]);
      this.#answered(lane, pulse);
      return { value };
    } catch (error) {
      const failure = callFailure(error);
      if (failure.kind === 'missing') {
        this.#answered(lane, pulse);
        return 'missing';
      }
      if (error instanceof Error && throttled.test(error.name)) return 'again';
      this.failures.push(failure);
      lane.failures++;
      if (failure.kind === 'silent') pulse.silences++;
      else pulse.answers++;
      if (welcome && failure.kind === 'denied') return undefined;
      if (failure.kind === 'denied') return this.#trouble(question, 'denied', problemOf(error));
      return this.#trouble(question, 'unreadable', this.#problem(error, failure));
    }
  }

  #answered(lane: Lane, pulse: Pulse): void {
    lane.failures = 0;
    pulse.answers++;
    this.failures.push(undefined);
  }

  #pulseOf(service: string): Pulse {
    const pulse = this.#pulses.get(service) ?? { answers: 0, silences: 0 };
    this.#pulses.set(service, pulse);
    return pulse;
  }

  #problem(error: unknown, { kind }: CallFailure): string {
    const isLate = error instanceof Error && /Timeout|Abort/.test(error.name);
    if (isLate) return `no answer within ${this.#options.timeoutMs / 1_000} s`;
    return kind === 'credentials' ? 'it rejects these credentials' : problemOf(error);
  }

  #late({ service, action }: Question<unknown>): undefined {
    return this.#trouble({ service, action }, 'unreadable', 'not everything could be asked in time');
  }

  #trouble(
    { service, action }: Pick<Question<unknown>, 'service' | 'action'>,
    kind: Obstacle['kind'],
    problem: string,
  ): undefined {
    const key = `${service}\n${kind}`;
    const known = this.#troubles.get(key) ?? { actions: new Set<string>(), problem };
    known.actions.add(action);
    this.#troubles.set(key, known);
    return undefined;
  }

  /** Waits for its turn in the lane of the action. False: the time is over. */
  #turn(lane: Lane, timesTheRate = 1): Promise<boolean> {
    const nowMs = performance.now();
    const atMs = Math.max(nowMs, lane.nextMs);
    lane.nextMs = atMs + 1_000 / (this.#options.perSecond * timesTheRate);
    return this.wait(atMs - nowMs);
  }

  /** Waits. False: the time for everything is over. */
  async wait(ms: number): Promise<boolean> {
    const { signal } = this.#options;
    if (signal.aborted) return false;
    try {
      await sleep(ms, undefined, { signal });
      return true;
    } catch {
      return false;
    }
  }

  #bound(timeoutMs = this.#options.timeoutMs): AbortSignal {
    const { signal } = this.#options;
    return AbortSignal.any([signal, AbortSignal.timeout(timeoutMs)]);
  }
}

const MAX_PROBLEM = 160;

/** An error in one line. */
function problemOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  const [message = ''] = error.message.split('\n');
  const text = error.name === 'Error' ? message : `${error.name}: ${message}`;
  return text.length > MAX_PROBLEM ? `${text.slice(0, MAX_PROBLEM)}…` : text;
}

function aborted(signal: AbortSignal): Promise<never> {
  return new Promise((_resolve, reject) => {
    signal.addEventListener('abort', () => reject(signal.reason), { once: true });
    if (signal.aborted) reject(signal.reason);
  });
}
