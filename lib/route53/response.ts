import type { PassRule } from './health-check.ts';

/**
 * When one request of a checker passes. Source: "How Amazon Route 53 determines whether a health check is healthy".
 * A limit is met by an event that comes exactly at it [inferred].
 */
export const responseLimits = {
  /** HTTP(S): "establish a TCP connection with the endpoint within four seconds". */
  connectMs: 4_000,
  /** TCP checks: "within ten seconds". */
  tcpConnectMs: 10_000,
  /** From the connection to the status code; a TLS handshake falls into it. */
  statusMs: 2_000,
  /** From the status code to the body, for string matching. */
  bodyMs: 2_000,
  /** The string must lie entirely in these first bytes of the body. */
  bodyBytes: 5_120,
} as const;

/**
 * How far one request got. Times are durations of the stage, in milliseconds. `problem`: what broke, such as
 * `ECONNREFUSED`; absent when the next stage merely took too long.
 */
export type ProbeOutcome =
  | { readonly reached: 'nothing'; readonly problem?: string }
  | { readonly reached: 'connection'; readonly connectMs: number; readonly problem?: string }
  | {
      readonly reached: 'status';
      readonly connectMs: number;
      readonly statusMs: number;
      readonly status: number;
      readonly problem?: string;
    }
  | {
      readonly reached: 'body';
      readonly connectMs: number;
      readonly statusMs: number;
      readonly status: number;
      readonly bodyMs: number;
      /** The whole body, or at least its first 5,120 bytes: a part of a shorter body does not count [inferred]. */
      readonly body: Uint8Array;
    };

export type ProbeFailure = 'connect' | 'no-status' | 'status-code' | 'no-body' | 'search-string';
export type Verdict = { readonly passed: true } | { readonly passed: false; readonly reason: ProbeFailure };

const passed: Verdict = { passed: true };
const failed = (reason: ProbeFailure): Verdict => ({ passed: false, reason });

export function judgeResponse(rule: PassRule, outcome: ProbeOutcome): Verdict {
  const connectLimitMs = rule.type === 'TCP' ? responseLimits.tcpConnectMs : responseLimits.connectMs;
  if (outcome.reached === 'nothing' || outcome.connectMs > connectLimitMs) return failed('connect');
  if (rule.type === 'TCP') return passed;
  if (outcome.reached === 'connection' || outcome.statusMs > responseLimits.statusMs)
    return failed('no-status');
  if (outcome.status < 200 || outcome.status >= 400) return failed('status-code');
  if (!('searchString' in rule)) return passed;
  if (outcome.reached === 'status' || outcome.bodyMs > responseLimits.bodyMs) return failed('no-body');
  return containsEarly(outcome.body, rule.searchString) ? passed : failed('search-string');
}

/** Compares bytes, so letter case counts and no decoding can go wrong. */
function containsEarly(body: Uint8Array, searchString: string): boolean {
  const length = Math.min(body.byteLength, responseLimits.bodyBytes);
  return Buffer.from(body.buffer, body.byteOffset, length).includes(searchString, 0, 'utf8');
}
