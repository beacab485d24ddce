import { setTimeout as sleep } from 'node:timers/promises';
import { HealthCheckError } from './errors.ts';
import type { CheckerId } from './health-board.ts';
import type { EndpointCheck } from './health-check.ts';
import { type CheckerTarget, probe } from './probe-http.ts';
import { judgeResponse, type Verdict } from './response.ts';

export interface CheckerReport {
  readonly healthCheckId: string;
  readonly checker: CheckerId;
  readonly verdict: Verdict;
}

export interface CheckerFleetOptions {
  /** The checkers of one check, each `<region>/<index>`. */
  readonly checkersOf: (check: EndpointCheck) => readonly CheckerId[];
  readonly targetOf: (check: EndpointCheck, checkerRegion: string) => CheckerTarget;
  readonly intervalMs: (check: EndpointCheck) => number;
  readonly report: (report: CheckerReport) => void;
  /** A checker that cannot work (its target is no HTTP origin, the report is refused) ends with this. */
  readonly onError: (error: unknown) => void;
  readonly random: () => number;
  readonly now: () => number;
}

export interface CheckerFleet {
  /** Starts checkers for new or changed checks and ends those of checks that are gone. */
  update(checks: readonly EndpointCheck[]): void;
  /** Ends every checker immediately, requests in flight included. */
  close(): Promise<void>;
}

/** An account's quota of 200 checks, 8 regions, 2 checkers each, with room to spare. */
const MAX_CHECKERS = 4_096;
/**
 * Real checkers drift against one another; without drift, a lucky or unlucky phase would last a whole drill
 * [inferred].
 */
const INTERVAL_JITTER = 0.05;

interface Running {
  readonly check: EndpointCheck;
  readonly stop: AbortController;
  readonly done: Promise<unknown>;
}

/** Checkers that make real requests, at real intervals, without any coordination between them. */
export function createCheckerFleet(options: CheckerFleetOptions): CheckerFleet {
  const running = new Map<string, Running>();
  const ending = new Set<Promise<unknown>>();

  const start = (check: EndpointCheck): Running => {
    const stop = new AbortController();
    const loops = options.checkersOf(check).map((checker) =>
      runChecker({ ...options, check, checker, signal: stop.signal }).catch((error: unknown) => {
        if (!stop.signal.aborted) options.onError(error);
      }),
    );
    return { check, stop, done: Promise.all(loops) };
  };
  const end = (id: string, each: Running): void => {
    each.stop.abort();
    running.delete(id);
    ending.add(each.done);
    each.done.finally(() => ending.delete(each.done));
  };

  return {
    update(checks) {
      const wanted = new Map(checks.filter((check) => !check.disabled).map((check) => [check.id, check]));
      const count = [...wanted.values()].reduce((sum, check) => sum + options.checkersOf(check).length, 0);
      if (count > MAX_CHECKERS) {
        throw new HealthCheckError(
          `${count} health checkers would be needed, and ${MAX_CHECKERS} is the limit: use fewer checks or checkers per region.`,
        );
      }
      for (const [id, each] of running) {
        if (!isSame(each.check, wanted.get(id))) end(id, each);
      }
      for (const [id, check] of wanted) {
        if (!running.has(id)) running.set(id, start(check));
      }
    },
    async close() {
      for (const [id, each] of running) end(id, each);
      await Promise.all(ending);
    },
  };
}

interface CheckerOptions extends CheckerFleetOptions {
  readonly check: EndpointCheck;
  readonly checker: CheckerId;
  readonly signal: AbortSignal;
}

/**
 * One checker: a random phase, then probe after probe, the interval between the end of one and the start of the
 * next ("the number of seconds between the time that Amazon Route 53 gets a response from your endpoint and the
 * time that it sends the next health check request": HealthCheckConfig, RequestInterval). So no probe overlaps the
 * one before it. Runs until the signal ends it.
 */
async function runChecker(options: CheckerOptions): Promise<void> {
  const { check, checker, signal, random, now } = options;
  const region = checker.slice(0, checker.indexOf('/'));
  await sleep(random() * options.intervalMs(check), undefined, { signal });
  while (!signal.aborted) {
    const outcome = await probe({ check, target: options.targetOf(check, region), signal, now });
    if (signal.aborted) return;
    options.report({ healthCheckId: check.id, checker, verdict: judgeResponse(check, outcome) });
    const jitter = 1 + INTERVAL_JITTER * (random() - 0.5);
    await sleep(options.intervalMs(check) * jitter, undefined, { signal });
  }
}

const isSame = (left: EndpointCheck, right: EndpointCheck | undefined): boolean =>
  JSON.stringify(left) === JSON.stringify(right);
