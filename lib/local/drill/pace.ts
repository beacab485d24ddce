import { monitorEventLoopDelay } from 'node:perf_hooks';
import type { UpstreamCall } from '../proxy/fault-proxy.ts';
import type { ProcessLoad } from './processes.ts';

/** Median and tail of some latencies, in whole milliseconds; null = there were no such calls. */
export interface Latency {
  readonly p50Ms: number | null;
  readonly p95Ms: number | null;
}

/** The speed of the world in one minute, measured on calls behind the fault proxy that no fault touched. */
export interface PaceMinute {
  /** Number of the minute; 1 is the first. */
  readonly minute: number;
  readonly puts: Latency;
  readonly reads: Latency;
  readonly calls: number;
  /** Calls that took longer than `lateMs`, or whose caller gave up. */
  readonly late: number;
  /** The longest time that the drill's own event loop was blocked. */
  readonly lagMs: number;
  readonly processes: readonly ProcessLoad[];
}

export interface PaceOptions {
  /** A call that takes longer is late. */
  readonly lateMs: number;
  /** Monotonic milliseconds. */
  readonly now: () => number;
  readonly onMinute: (minute: PaceMinute) => void;
  /** Reads what the world's processes have used since the last call. */
  readonly processes: () => readonly ProcessLoad[];
}

interface Window {
  readonly startMs: number;
  calls: number;
  late: number;
}

const WINDOW_MS = 10_000;
const MINUTE_MS = 60_000;
/** Windows judged together: a single hiccup does not make a slow machine. */
const WINDOWS_TOGETHER = 3;
/** With fewer calls than this in these windows there is no conclusion. */
const ENOUGH_CALLS = 50;
/**
 * The largest share of late calls allowed. A larger share makes observers accuse healthy regions: the
 * baseline is one failure in a thousand probes, and a read-back is three calls within one time-out.
 */
export const MAX_LATE_SHARE = 0.01;
/** The most windows remembered: of a world that is kept standing, the last day. */
const MAX_WINDOWS = 8_640;

const operations = {
  puts: new Set(['kinesis PutRecord', 'kinesis PutRecords']),
  reads: new Set(['kinesis GetRecords', 'kinesis GetShardIterator']),
} as const;

/** Measures how fast the world answers, so that a drill knows whether its machine can carry it. */
export class Pace {
  readonly #options: PaceOptions;
  readonly #windows: Window[] = [];
  readonly #minutes: PaceMinute[] = [];
  readonly #lag = monitorEventLoopDelay();
  readonly #timer: NodeJS.Timeout;
  #puts: number[] = [];
  #reads: number[] = [];
  #calls = 0;
  #late = 0;

  constructor(options: PaceOptions) {
    this.#options = options;
    options.processes();
    this.#lag.enable();
    this.#timer = setInterval(() => this.#endMinute(), MINUTE_MS);
    this.#timer.unref();
  }

  get minutes(): readonly PaceMinute[] {
    return this.#minutes;
  }

  saw({ service, operation, ms, end }: UpstreamCall): void {
    // An invocation lasts as long as its function runs, which is no sign of a slow machine.
    if (service === 'lambda') return;
    const isLate = end !== 'answered' || ms > this.#options.lateMs;
    const window = this.#window();
    window.calls++;
    this.#calls++;
    if (isLate) {
      window.late++;
      this.#late++;
    }
    const name = `${service} ${operation}`;
    if (operations.puts.has(name)) this.#puts.push(ms);
    if (operations.reads.has(name)) this.#reads.push(ms);
  }

  /** The largest share of late calls in any half minute that began at or after this moment. */
  worstLateShare(sinceMs: number): number {
    const windows = this.#windows.filter(({ startMs }) => startMs >= sinceMs);
    let worst = 0;
    for (let end = WINDOWS_TOGETHER; end <= windows.length; end++) {
      const together = windows.slice(end - WINDOWS_TOGETHER, end);
      const calls = together.reduce((sum, window) => sum + window.calls, 0);
      const late = together.reduce((sum, window) => sum + window.late, 0);
      if (calls >= ENOUGH_CALLS) worst = Math.max(worst, late / calls);
    }
    return worst;
  }

  close(): void {
    clearInterval(this.#timer);
    this.#lag.disable();
  }

  #window(): Window {
    const nowMs = this.#options.now();
    const last = this.#windows.at(-1);
    if (last !== undefined && nowMs - last.startMs < WINDOW_MS) return last;
    const fresh = { startMs: nowMs, calls: 0, late: 0 };
    this.#windows.push(fresh);
    if (this.#windows.length > MAX_WINDOWS) this.#windows.shift();
    return fresh;
  }

  #endMinute(): void {
    const minute = {
      minute: this.#minutes.length + 1,
      puts: latencyOf(this.#puts),
      reads: latencyOf(this.#reads),
      calls: this.#calls,
      late: this.#late,
      lagMs: Math.round(this.#lag.max / 1e6),
      processes: this.#options.processes(),
    };
    this.#minutes.push(minute);
    [this.#puts, this.#reads, this.#calls, this.#late] = [[], [], 0, 0];
    this.#lag.reset();
    this.#options.onMinute(minute);
  }
}

function latencyOf(list: readonly number[]): Latency {
  const sorted = list.toSorted((a, b) => a - b);
  const at = (share: number): number | null => {
    const ms = sorted[Math.floor(share * (sorted.length - 1))];
    return ms === undefined ? null : Math.round(ms);
  };
  return { p50Ms: at(0.5), p95Ms: at(0.95) };
}

/** Latencies of a whole drill, an entry for each minute; 0 = there were no such calls in that minute. */
export interface PaceSummary {
  readonly putP50Ms: readonly number[];
  readonly putP95Ms: readonly number[];
  readonly readP50Ms: readonly number[];
  readonly readP95Ms: readonly number[];
  /** Calls that came too late for an observer to be sure, of all that no fault touched. */
  readonly late: readonly number[];
  readonly calls: readonly number[];
}

export function paceSummary(minutes: readonly PaceMinute[]): PaceSummary {
  return {
    putP50Ms: minutes.map(({ puts }) => puts.p50Ms ?? 0),
    putP95Ms: minutes.map(({ puts }) => puts.p95Ms ?? 0),
    readP50Ms: minutes.map(({ reads }) => reads.p50Ms ?? 0),
    readP95Ms: minutes.map(({ reads }) => reads.p95Ms ?? 0),
    late: minutes.map(({ late }) => late),
    calls: minutes.map(({ calls }) => calls),
  };
}

/** Describes one minute in one line for people. */
export function paceText({ puts, reads, calls, late, processes }: PaceMinute): string {
  const latency = ({ p50Ms, p95Ms }: Latency): string => (p50Ms === null ? 'none' : `${p50Ms}/${p95Ms} ms`);
  const load = processes.map(({ name, cpuPercent, rssMb }) => `${name} ${cpuPercent} % ${rssMb} MB`);
  return [
    `puts ${latency(puts)}, reads ${latency(reads)} (p50/p95), ${late} of ${calls} calls late`,
    ...load,
  ].join('; ');
}
