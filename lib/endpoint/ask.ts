import type { EndpointAnswer } from '../../lambda/core/endpoint-findings.ts';
import type { CheckedEndpoint } from '../../lambda/core/endpoint-items.ts';
import { probe } from '../route53/probe-http.ts';
import type { ProbeOutcome } from '../route53/response.ts';

export interface AskOptions {
  /** Where to connect instead of to the endpoint's host, which stays in the Host header: for the local world alone. */
  readonly origin?: URL | undefined;
  /** Longest time for all of it; a checker's own limits for each stage hold besides. */
  readonly timeoutMs: number;
}

/** Any text is an answer here: what it says is judged afterwards. */
const rule = { type: 'HTTPS_STR_MATCH', searchString: '' } as const;

/**
 * Asks an endpoint as one of Route 53's checkers does: a new connection, the same path, no redirects, the first 5,120
 * bytes, the same time limits. Unlike a checker it wants a valid certificate. Never rejects.
 */
export async function askEndpoint(
  { host, path, checkId }: CheckedEndpoint,
  { origin = new URL(`https://${host}`), timeoutMs }: AskOptions,
): Promise<EndpointAnswer> {
  const outcome = await probe({
    check: { id: checkId, resourcePath: path, ...rule },
    target: { origin, hostHeader: host },
    signal: AbortSignal.timeout(timeoutMs),
    now: () => performance.now(),
  });
  return answerOf(outcome);
}

/** What Node calls the end of our own patience. */
const OUR_PATIENCE: ReadonlySet<string> = new Set(['ABORT_ERR']);

function answerOf(outcome: ProbeOutcome): EndpointAnswer {
  switch (outcome.reached) {
    case 'nothing':
      return { got: 'nothing', problem: problemOf(outcome) ?? 'no connection in time' };
    case 'body':
      return { got: 'answer', status: outcome.status, text: Buffer.from(outcome.body).toString('utf8') };
    case 'status':
      // A refusal needs no body to be one.
      if (outcome.status !== 200) return { got: 'answer', status: outcome.status, text: '' };
      return unanswered(outcome);
    case 'connection':
      return unanswered(outcome);
    default:
      return outcome satisfies never;
  }
}

function unanswered(outcome: { readonly problem?: string }): EndpointAnswer {
  const problem = problemOf(outcome);
  return problem === undefined ? { got: 'too late' } : { got: 'nothing', problem };
}

const problemOf = ({ problem }: { readonly problem?: string }): string | undefined =>
  problem === undefined || OUR_PATIENCE.has(problem) ? undefined : problem;
