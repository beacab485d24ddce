import { type Distribution, type KeyNeeds, verdictOf } from '../../lambda/core/distribution.ts';
import type { Signal } from '../../lambda/core/signal.ts';
import { type DistributionAsker, distributionAsker } from './ask-distribution.ts';
import type { ProducerOptions } from './options.ts';
import { targetOf } from './stream-target.ts';
import type { RegionalStream } from './transport.ts';

export interface DistributionOptions {
  readonly options: ProducerOptions;
  readonly needs: KeyNeeds;
  readonly asker: DistributionAsker;
  /** Uniform in [0, 1). */
  readonly random: () => number;
  /** Called with a text at most once. */
  readonly onProblem: (problem: string) => void;
}

interface Known {
  readonly stream: RegionalStream;
  distribution: Distribution | undefined;
  timer: NodeJS.Timeout | undefined;
  attempts: number;
}

/**
 * DescribeStreamSummary may be called 20 times a second in an account and region, by everybody together: a fleet that starts, or
 * moves, does not ask at once, but for the region that each process begins in.
 */
const SPREAD_MS = 60_000;
/** A stream may be changed at any time, without a sign of it. */
const AGAIN_MS = 3_600_000;
/** While records are refused. */
const REFUSED_AGAIN_MS = 10_000;
const RETRY_MS = 5_000;
const MAX_ATTEMPTS = 3;
/** Texts that are remembered, so that each is said once. */
const MAX_SAID = 100;
/** Another attempt would not help. Such endpoints and streams are taken to place by key. */
const finalErrors: ReadonlySet<string> = new Set([
  'AccessDeniedException',
  'ResourceNotFoundException',
  'UnknownOperationException',
  'InvalidArgumentException',
  'ValidationException',
]);

/**
 * Finds out, beside the traffic, which of the regions' streams keep no key together. No record waits for an answer, and without one
 * a stream is taken to place records by key.
 */
export class DistributionWatch {
  readonly #given: DistributionOptions;
  readonly #known = new Map<string, Known>();
  readonly #said = new Set<string>();
  readonly #closing = new AbortController();
  #inForce: string | undefined;
  #hasWritten = false;
  #refusal: string | undefined;

  constructor(given: DistributionOptions) {
    this.#given = given;
  }

  /** Why records are not taken; undefined while they are. */
  get refusal(): string | undefined {
    return this.#refusal;
  }

  /** Whether the stream of a region is known to keep no key together. */
  isServiceManaged(region: string): boolean {
    return this.#known.get(region)?.distribution === 'serviceManaged';
  }

  /** Call when the target is set. */
  aim(signal: Signal): void {
    const isFirst = this.#inForce === undefined;
    this.#inForce = signal.region;
    const { options, random } = this.#given;
    for (const region of options.regions) {
      // A region whose stream nobody names is taken to have one of the same name.
      const targeting = targetOf(options, { ...signal, region });
      if (targeting.kind !== 'target') continue;
      const stream = { region, ...targeting.target };
      const before = this.#known.get(region);
      if (before !== undefined && isSame(before.stream, stream)) continue;
      clearTimeout(before?.timer);
      const known: Known = { stream, distribution: undefined, timer: undefined, attempts: 0 };
      this.#known.set(region, known);
      if (isFirst && region === signal.region) void this.#ask(known);
      else this.#askLater(known, SPREAD_MS * random());
    }
    this.#judge();
  }

  close(): void {
    this.#closing.abort();
    for (const { timer } of this.#known.values()) clearTimeout(timer);
    this.#given.asker.close();
  }

  #askLater(known: Known, afterMs: number): void {
    known.timer = setTimeout(() => void this.#ask(known), afterMs);
    known.timer.unref();
  }

  /** Never rejects. */
  async #ask(known: Known): Promise<void> {
    const { asker, random } = this.#given;
    const { signal } = this.#closing;
    let pauseMs = AGAIN_MS * (0.5 + random());
    try {
      const distribution = await asker.ask(known.stream, signal);
      if (!this.#isCurrent(known)) return;
      known.distribution = distribution;
      known.attempts = 0;
      this.#judge();
    } catch (error) {
      if (!this.#isCurrent(known)) return;
      // Records go on without an answer: one that comes later must not stop a producer that works.
      this.#hasWritten = true;
      const name = error instanceof Error ? error.name : '';
      if (!finalErrors.has(name) && ++known.attempts < MAX_ATTEMPTS) {
        pauseMs = RETRY_MS * known.attempts * (0.5 + random());
      } else {
        known.attempts = 0;
        if (name === 'AccessDeniedException') this.#sayUnread(known.stream);
      }
    }
    // Whoever mends what is refused waits for it.
    if (this.#refusal !== undefined) pauseMs = Math.min(pauseMs, REFUSED_AGAIN_MS * (0.5 + random()));
    this.#askLater(known, pauseMs);
  }

  #isCurrent(known: Known): boolean {
    return !this.#closing.signal.aborted && this.#known.get(known.stream.region) === known;
  }

  #judge(): void {
    const { needs, options } = this.#given;
    const inForce = this.#inForce;
    if (inForce === undefined) return;
    const known = new Map<string, { readonly stream: string; readonly distribution: Distribution }>();
    for (const [region, { stream, distribution }] of this.#known) {
      if (distribution !== undefined) known.set(region, { stream: stream.stream, distribution });
    }
    const { regions } = options;
    if (known.get(inForce)?.distribution === 'byKey') this.#hasWritten = true;
    const verdict = verdictOf({ regions, inForce, known, hasWritten: this.#hasWritten }, needs);
    this.#refusal = verdict.kind === 'refused' ? verdict.reason : undefined;
    if (verdict.kind === 'refused') this.#say(verdict.reason);
    if (verdict.kind === 'told') for (const problem of verdict.problems) this.#say(problem);
  }

  #sayUnread({ region, stream }: RegionalStream): void {
    if (region !== this.#inForce) return;
    this.#say(
      `Nothing tells whether the stream ${stream} in ${region} keeps keys together, because this role may not call ` +
        'kinesis:DescribeStreamSummary: it is taken to. Grant it, or see to it that the stream has no service-managed distribution.',
    );
  }

  #say(problem: string): void {
    if (this.#said.has(problem) || this.#said.size >= MAX_SAID) return;
    this.#said.add(problem);
    this.#given.onProblem(problem);
  }
}

const isSame = (one: RegionalStream, other: RegionalStream): boolean =>
  one.stream === other.stream && one.streamArn === other.streamArn;

/** The watch that these options need; undefined where nothing asked for needs the keys. */
export function distributionWatch(
  options: ProducerOptions,
  { needs, onProblem }: Pick<DistributionOptions, 'needs' | 'onProblem'>,
): DistributionWatch | undefined {
  if (!needs.order && !needs.aggregates) return undefined;
  const random = options.random ?? Math.random;
  return new DistributionWatch({ options, needs, asker: distributionAsker(options), random, onProblem });
}
