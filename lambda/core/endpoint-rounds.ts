import type { EndpointFinding } from './endpoint-findings.ts';
import {
  type CheckedEndpoint,
  type CheckedEndpoints,
  type EndpointId,
  endpointName,
} from './endpoint-items.ts';

/** Switches that one round asks in turn, beside every vote. */
export const SWITCHES_A_ROUND = 48;
/** Endpoints in trouble that a round asks again, out of turn. */
const TROUBLED_A_ROUND = 12;

/** Rounds until every switch has been asked. */
export const roundsOf = (switches: number): number => Math.max(1, Math.ceil(switches / SWITCHES_A_ROUND));

export interface Round {
  /** A number that grows by one. */
  readonly round: number;
  /** Names of those that were in trouble when they were last asked. */
  readonly troubled: ReadonlySet<string>;
}

/**
 * The endpoints that a round asks: all votes, the switches in turn, and some of those that were in trouble, so that
 * trouble that lasts is found in every round, and trouble that is over in none.
 */
export function endpointsDue(
  endpoints: readonly CheckedEndpoint[],
  { round, troubled }: Round,
): readonly CheckedEndpoint[] {
  const votes = endpoints.filter(({ kind }) => kind === 'vote');
  const switches = endpoints.filter(({ kind }) => kind === 'switch');
  const turn = round % roundsOf(switches.length);
  const inTurn = switches.slice(turn * SWITCHES_A_ROUND, (turn + 1) * SWITCHES_A_ROUND);
  const again = switches
    .filter((one) => troubled.has(endpointName(one)) && !inTurn.includes(one))
    .slice(0, TROUBLED_A_ROUND);
  return [...votes, ...inTurn, ...again];
}

/** Those of the deployment, whose checks are known; and the findings for those whose checks are not. */
export function endpointsOf(
  deployed: readonly EndpointId[],
  { endpoints, damaged }: CheckedEndpoints,
): { readonly known: readonly CheckedEndpoint[]; readonly unasked: readonly EndpointFinding[] } {
  const byName = new Map(endpoints.map((one) => [endpointName(one), one]));
  const isDamaged = new Set(damaged);
  const known: CheckedEndpoint[] = [];
  const unasked: EndpointFinding[] = [];
  for (const { kind, of } of deployed) {
    const endpoint = byName.get(endpointName({ kind, of }));
    if (endpoint !== undefined) known.push(endpoint);
    else
      unasked.push({ kind, of, finding: isDamaged.has(`${kind}#${of}`) ? 'damaged' : 'missing', detail: '' });
  }
  return { known, unasked };
}
