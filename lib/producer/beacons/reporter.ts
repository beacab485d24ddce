import { randomUUID } from 'node:crypto';
import { monitorEventLoopDelay } from 'node:perf_hooks';
import { BEACON_JITTER, type Beacon, TROUBLE_INTERVAL_MS } from '../../../lambda/core/beacon-item.ts';
import type { BeaconCalls } from './beacon-calls.ts';
import { BeaconSender } from './beacon-sender.ts';
import { failureClassOf } from './failure-class.ts';
import { StreamReport } from './stream-report.ts';

export interface ReporterOptions {
  readonly calls: BeaconCalls;
  readonly domain: string;
  /** Told once for each series of failures. */
  readonly onProblem: (problem: string) => void;
  readonly parts?: Partial<ReporterParts>;
}

/** Parts that tests replace. */
export interface ReporterParts {
  /** Monotonic milliseconds. */
  readonly now: () => number;
  /** Epoch milliseconds. */
  readonly wallMs: () => number;
  readonly random: () => number;
  /** Runs once after a time; returns what calls it off. */
  readonly after: (ms: number, run: () => void) => () => void;
  /** How late the event loop ran at worst since this was last asked, in milliseconds. */
  readonly lag: { take(): number; stop(): void };
}

/** One answer to a request, or its failure. */
export interface Answer {
  readonly region: string;
  readonly stream: string;
  readonly records: number;
  readonly tookMs: number;
  /** Why single records are not in the stream; they are among `records`. */
  readonly refused: readonly unknown[];
  /** Why the request failed as a whole. */
  readonly failure?: unknown;
}

/** Streams of one process that are reported; more are left out, and that is said. */
const MOST_STREAMS = 1_000;
/** The first beacon of a stream comes within this time: the observers count who is there. */
const FIRST_WITHIN_MS = 10_000;
/** Beacons written at the same time. */
const AT_ONCE = 8;
const LAG_RESOLUTION_MS = 100;
const NANOSECONDS_IN_MS = 1e6;

/**
 * Counts what a producer puts, and reports it in the background. It holds up nothing: no record waits for a beacon, no
 * beacon is sent again, and a process may end at any time.
 */
export class BeaconReporter {
  readonly #options: ReporterOptions;
  readonly #parts: ReporterParts;
  readonly #process = randomUUID();
  readonly #reports = new Map<string, StreamReport>();
  readonly #sender: BeaconSender;
  #saidTooMany = false;
  #cancelTimer: (() => void) | undefined;
  #wakeMs = Number.POSITIVE_INFINITY;
  #isBeating = false;
  #isClosed = false;

  constructor(options: ReporterOptions) {
    this.#options = options;
    this.#parts = { ...realParts(), ...options.parts };
    this.#sender = new BeaconSender({ ...options, now: this.#parts.now });
  }

  /** Call after each request. Costs a few additions unless something failed. */
  answered({ region, stream, records, tookMs, refused, failure }: Answer): void {
    const report = this.#reportOf(stream);
    if (report === undefined) return;
    report.hasNews = true;
    const nowMs = this.#parts.now();
    const tally = report.tallyOf(region);
    const ok = failure === undefined ? records - refused.length : 0;
    tally.answered(ok, { nowMs, tookMs });
    if (failure === undefined && refused.length === 0) return;
    const isRegionsFault =
      failure === undefined
        ? tally.refused(refused, nowMs)
        : tally.failed(records, { nowMs, as: failureClassOf(failure) });
    if (!isRegionsFault || report.checkMs !== Number.POSITIVE_INFINITY) return;
    report.checkMs = nowMs + this.#jittered(TROUBLE_INTERVAL_MS);
    this.#wakeAt(report.checkMs);
  }

  /** Simply stops: the last beacons expire by themselves. */
  close(): void {
    this.#isClosed = true;
    this.#cancelTimer?.();
    this.#parts.lag.stop();
    this.#sender.close();
  }

  #reportOf(stream: string): StreamReport | undefined {
    const known = this.#reports.get(stream);
    if (known !== undefined || this.#isClosed) return known;
    if (this.#reports.size >= MOST_STREAMS) {
      if (!this.#saidTooMany) {
        this.#saidTooMany = true;
        this.#options.onProblem(
          `beacons: this process writes to more than ${MOST_STREAMS} streams, and reports the first ${MOST_STREAMS}`,
        );
      }
      return undefined;
    }
    const { now, random } = this.#parts;
    const report = new StreamReport(stream, now() + random() * FIRST_WITHIN_MS);
    this.#reports.set(stream, report);
    this.#wakeAt(report.dueMs);
    return report;
  }

  #jittered(intervalMs: number): number {
    return intervalMs * (1 - BEACON_JITTER * this.#parts.random());
  }

  #wakeAt(atMs: number): void {
    if (this.#isClosed || this.#isBeating || atMs >= this.#wakeMs) return;
    this.#cancelTimer?.();
    this.#wakeMs = atMs;
    const { after, now } = this.#parts;
    this.#cancelTimer = after(Math.max(1, Math.ceil(atMs - now())), () => void this.#beat());
  }

  /** Writes what is due, then sleeps until something is. Never throws. */
  async #beat(): Promise<void> {
    this.#isBeating = true;
    this.#wakeMs = Number.POSITIVE_INFINITY;
    const lagMs = this.#parts.lag.take();
    for (const report of this.#reports.values()) report.lagMs = Math.max(report.lagMs, lagMs);
    const due = this.#due();
    if (due.length > 0) await this.#write(due);
    this.#isBeating = false;
    if (this.#isClosed) return;
    let nextMs = Number.POSITIVE_INFINITY;
    for (const { wakeMs } of this.#reports.values()) nextMs = Math.min(nextMs, wakeMs);
    this.#wakeAt(Math.max(nextMs, this.#sender.pauseUntilMs));
  }

  #due(): readonly StreamReport[] {
    const nowMs = this.#parts.now();
    const due: StreamReport[] = [];
    for (const report of this.#reports.values()) {
      const isDue = report.dueMs <= nowMs && (report.hasNews || report.inTrouble);
      const isWorse = report.checkMs <= nowMs && report.isInTrouble(nowMs);
      if (report.checkMs <= nowMs) report.checkMs = Number.POSITIVE_INFINITY;
      if (isDue || isWorse) due.push(report);
      // Who puts nothing says nothing, and is asked again in a while.
      else if (report.dueMs <= nowMs) report.dueMs = nowMs + this.#jittered(this.#sender.healthIntervalMs);
    }
    return due;
  }

  async #write(due: readonly StreamReport[]): Promise<void> {
    const source = await this.#sender.ready();
    const queue = [...due];
    const worker = async (): Promise<void> => {
      for (let report = queue.pop(); report !== undefined; report = queue.pop()) {
        if (this.#isClosed) return;
        this.#schedule(report);
        if (source !== undefined && !this.#sender.isPausing) await this.#writeOne(report, source);
      }
    };
    await Promise.all(Array.from({ length: AT_ONCE }, worker));
  }

  #schedule(report: StreamReport): void {
    const nowMs = this.#parts.now();
    report.inTrouble = report.isInTrouble(nowMs);
    report.dueMs = nowMs + this.#jittered(this.#intervalOf(report));
    report.checkMs = Number.POSITIVE_INFINITY;
    report.hasNews = false;
  }

  #intervalOf({ inTrouble }: StreamReport): number {
    return inTrouble ? TROUBLE_INTERVAL_MS : this.#sender.healthIntervalMs;
  }

  async #writeOne(report: StreamReport, source: string): Promise<void> {
    const { now, wallMs } = this.#parts;
    const { inTrouble: trouble, stream, lagMs } = report;
    const regions = report.regions(now());
    // Recovered or idle: without attempts there is nothing to say, and the last beacon expires.
    if (Object.keys(regions).length === 0) return;
    const beacon: Beacon = {
      source,
      process: this.#process,
      stream,
      sequence: report.nextSequence(),
      atMs: Math.round(wallMs()),
      intervalMs: this.#intervalOf(report),
      lagMs,
      domain: this.#options.domain,
      trouble,
      regions,
    };
    if (await this.#sender.put(beacon)) report.lagMs = 0;
  }
}

function realParts(): ReporterParts {
  const delays = monitorEventLoopDelay({ resolution: LAG_RESOLUTION_MS });
  delays.enable();
  return {
    now: () => performance.now(),
    wallMs: () => Date.now(),
    random: Math.random,
    after: (ms, run) => {
      const timer = setTimeout(run, ms);
      timer.unref();
      return () => clearTimeout(timer);
    },
    lag: {
      take: () => {
        // The histogram holds whole intervals: what is beyond the resolution is delay.
        const worstMs = delays.max / NANOSECONDS_IN_MS - LAG_RESOLUTION_MS;
        delays.reset();
        return Math.max(0, worstMs);
      },
      stop: () => void delays.disable(),
    },
  };
}
