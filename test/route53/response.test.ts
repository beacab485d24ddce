import { describe, expect, it } from 'vitest';
import type { PassRule } from '../../lib/route53/health-check.ts';
import { judgeResponse, type ProbeOutcome } from '../../lib/route53/response.ts';

/** "How Amazon Route 53 determines whether a health check is healthy" (Developer Guide). */
const http: PassRule = { type: 'HTTP' };
const match: PassRule = { type: 'HTTPS_STR_MATCH', searchString: 'vote=EVACUATE' };

const withStatus = (status: number, times: { connectMs?: number; statusMs?: number } = {}): ProbeOutcome => ({
  reached: 'status',
  connectMs: 10,
  statusMs: 10,
  status,
  ...times,
});
const withBody = (text: string, bodyMs = 10): ProbeOutcome => ({
  reached: 'body',
  connectMs: 10,
  statusMs: 10,
  status: 200,
  bodyMs,
  body: Buffer.from(text),
});
const reasonOf = (rule: PassRule, outcome: ProbeOutcome) => {
  const verdict = judgeResponse(rule, outcome);
  return verdict.passed ? 'passed' : verdict.reason;
};

describe('a response', () => {
  // "Route 53 must be able to establish a TCP connection with the endpoint within four seconds."
  it('fails without a connection, or with one after 4 s', () => {
    expect(reasonOf(http, { reached: 'nothing' })).toBe('connect');
    expect(reasonOf(http, withStatus(200, { connectMs: 4_000 }))).toBe('passed');
    expect(reasonOf(http, withStatus(200, { connectMs: 4_001 }))).toBe('connect');
  });

  // "TCP health checks: Route 53 must be able to establish a TCP connection with the endpoint within ten seconds."
  it('passes a TCP check on a connection within 10 s', () => {
    expect(reasonOf({ type: 'TCP' }, { reached: 'connection', connectMs: 10_000 })).toBe('passed');
    expect(reasonOf({ type: 'TCP' }, { reached: 'connection', connectMs: 10_001 })).toBe('connect');
  });

  // "the endpoint must respond with an HTTP status code of 2xx or 3xx within two seconds after connecting."
  it('needs a status of 2xx or 3xx within 2 s of the connection', () => {
    expect(reasonOf(http, { reached: 'connection', connectMs: 10 })).toBe('no-status');
    expect(reasonOf(http, withStatus(200, { statusMs: 2_000 }))).toBe('passed');
    expect(reasonOf(http, withStatus(200, { statusMs: 2_001 }))).toBe('no-status');
    const passing = [199, 200, 299, 301, 399, 400, 429, 500].filter(
      (status) => reasonOf(http, withStatus(status)) === 'passed',
    );
    expect(passing).toEqual([200, 299, 301, 399]);
  });

  // "it must receive the response body from the endpoint within the next two seconds."
  it('needs the body within a further 2 s when a string is searched for', () => {
    expect(reasonOf(match, withStatus(200))).toBe('no-body');
    expect(reasonOf(match, withBody('vote=EVACUATE', 2_000))).toBe('passed');
    expect(reasonOf(match, withBody('vote=EVACUATE', 2_001))).toBe('no-body');
    expect(reasonOf(match, { ...withBody('vote=EVACUATE'), status: 503 } as ProbeOutcome)).toBe(
      'status-code',
    );
  });

  // "The string must appear entirely in the first 5,120 bytes of the response body or the endpoint fails the health check."
  it('needs the string entirely within the first 5,120 bytes, not characters', () => {
    const marker = 'vote=EVACUATE';
    const fits = 5_120 - marker.length;
    expect(reasonOf(match, withBody('.'.repeat(fits) + marker))).toBe('passed');
    expect(reasonOf(match, withBody(`${'.'.repeat(fits + 1)}${marker}`))).toBe('search-string');
    expect(reasonOf(match, withBody('é'.repeat(2_560) + marker))).toBe('search-string');
  });

  // HealthCheckConfig (API Reference): "Route 53 considers case when searching for SearchString in the response body."
  it('minds letter case', () => {
    expect(reasonOf(match, withBody('vote=evacuate'))).toBe('search-string');
    expect(reasonOf(match, withBody('vote=HOLD'))).toBe('search-string');
  });
});
