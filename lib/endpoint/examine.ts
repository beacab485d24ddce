import pMap from 'p-map';
import {
  type EndpointAnswer,
  type EndpointFinding,
  judgeEndpoint,
} from '../../lambda/core/endpoint-findings.ts';
import type { CheckedEndpoint } from '../../lambda/core/endpoint-items.ts';
import { type StoredPositions, storedValueOf } from '../../lambda/core/endpoint-stored.ts';
import { askEndpoint } from './ask.ts';

export interface ExamineOptions {
  readonly endpoints: readonly CheckedEndpoint[];
  /**
   * Reads what is stored, and never rejects. Read once beside the questions, and again if an endpoint says something
   * else: what has changed in between is nobody's fault.
   */
  readonly stored: () => Promise<StoredPositions>;
  readonly limits: ExamineLimits;
  readonly nowMs: () => number;
  readonly origin?: URL | undefined;
}

export interface ExamineLimits {
  /** Endpoints that are asked at the same time. */
  readonly parallel: number;
  /** Longest time for one of them. */
  readonly timeoutMs: number;
  /** After this time no further one is asked, so that the whole takes at most as long as both together. */
  readonly beginWithinMs: number;
}

/** Asks endpoints, and compares what they say with what is stored. Never rejects. In the order that is given. */
export async function examineEndpoints(options: ExamineOptions): Promise<readonly EndpointFinding[]> {
  const { endpoints, stored } = options;
  const [before, answers] = await Promise.all([stored(), askAll(options)]);
  const asked = endpoints.flatMap((endpoint, n) => {
    const answer = answers[n];
    return answer === undefined ? [] : [{ endpoint, answer }];
  });
  const found = new Map(asked.map((one) => [one.endpoint, judge(one, [before], options)]));
  const differing = asked.filter(({ endpoint }) => found.get(endpoint)?.finding === 'wrong');
  if (differing.length > 0) {
    const after = await stored();
    for (const one of differing) found.set(one.endpoint, judge(one, [before, after], options));
  }
  return endpoints.map((endpoint) => found.get(endpoint) ?? waiting(endpoint));
}

interface Asked {
  readonly endpoint: CheckedEndpoint;
  readonly answer: EndpointAnswer;
}

function askAll({ endpoints, limits, origin }: ExamineOptions): Promise<(EndpointAnswer | undefined)[]> {
  const { parallel, timeoutMs, beginWithinMs } = limits;
  const startedMs = performance.now();
  const ask = async (endpoint: CheckedEndpoint): Promise<EndpointAnswer | undefined> =>
    performance.now() - startedMs > beginWithinMs
      ? undefined
      : askEndpoint(endpoint, { timeoutMs, ...(origin === undefined ? {} : { origin }) });
  return pMap(endpoints, ask, { concurrency: parallel });
}

function judge(
  { endpoint, answer }: Asked,
  reads: readonly StoredPositions[],
  { nowMs }: ExamineOptions,
): EndpointFinding {
  const atMs = nowMs();
  const stored = reads.flatMap((positions) => storedValueOf(endpoint, positions, atMs) ?? []);
  return { ...judgeEndpoint({ endpoint, answer, stored, nowMs: atMs }), host: endpoint.host };
}

const waiting = ({ kind, of, host }: CheckedEndpoint): EndpointFinding => ({
  kind,
  of,
  finding: 'waiting',
  detail: '',
  host,
});
