import { setTimeout as sleep } from 'node:timers/promises';
import { Pool } from 'undici';

export interface FloodRequests {
  /** On loopback alone. */
  readonly origin: URL;
  /** The Host header. */
  readonly host: string;
  readonly paths: readonly string[];
  readonly requestsPerSecond: number;
  readonly forMs: number;
  readonly signal: AbortSignal;
}

export interface FloodCount {
  readonly sent: number;
  /** Answered with status 429. */
  readonly refused: number;
  /** Not sent, because too many were under way: this machine did not keep up. */
  readonly unsent: number;
}

const BATCH_EVERY_MS = 10;
const CONNECTIONS = 32;
const MOST_UNDER_WAY = 1_000;
const LOOPBACK: ReadonlySet<string> = new Set(['127.0.0.1', '[::1]', 'localhost']);

/** Sends requests at a constant rate for a time, and waits for no answer. @throws RangeError if the origin is not this machine */
export async function sendFlood(options: FloodRequests): Promise<FloodCount> {
  const { origin, host, paths, requestsPerSecond, forMs, signal } = options;
  if (!LOOPBACK.has(origin.hostname))
    throw new RangeError(`A drill floods this machine alone, not ${origin}.`);
  const pool = new Pool(origin, { connections: CONNECTIONS });
  const startedMs = performance.now();
  let [due, sent, refused, unsent, underWay] = [0, 0, 0, 0, 0];
  const send = async (path: string): Promise<void> => {
    underWay++;
    try {
      const { statusCode, body } = await pool.request({ path, method: 'GET', headers: { host } });
      if (statusCode === 429) refused++;
      await body.dump();
    } catch {
      // A flood does not care.
    } finally {
      underWay--;
    }
  };
  try {
    for (;;) {
      const elapsedMs = performance.now() - startedMs;
      const until = Math.floor((Math.min(elapsedMs, forMs) / 1_000) * requestsPerSecond);
      for (; due < until; due++) {
        if (underWay >= MOST_UNDER_WAY) {
          unsent++;
          continue;
        }
        sent++;
        void send(paths[due % paths.length] ?? '/');
      }
      if (elapsedMs >= forMs) break;
      await sleep(BATCH_EVERY_MS, undefined, { signal });
    }
  } finally {
    await pool.destroy();
  }
  return { sent, refused, unsent };
}
