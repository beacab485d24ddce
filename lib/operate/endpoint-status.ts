import { type EndpointFinding, endpointFindings, isTrouble } from '../../lambda/core/endpoint-findings.ts';
import { endpointName } from '../../lambda/core/endpoint-items.ts';
import { named } from './named.ts';
import type { EndpointsStatus, StatusFinding } from './status-document.ts';

/** Nothing came back here. One's own network may be the reason, if it is so of all of them. */
export const isUnreached = ({ finding }: Pick<EndpointFinding, 'finding'>): boolean =>
  finding === 'dead' || finding === 'late';

/** Those that something was expected of. */
export const askedOf = (findings: readonly EndpointFinding[]): readonly EndpointFinding[] =>
  findings.filter(({ host, finding }) => host !== undefined && finding !== 'waiting');

/** Pure: what status says of the endpoints, one finding for all that are in the same way. */
export function endpointStatusFindings(endpoints: EndpointsStatus | null): readonly StatusFinding[] {
  if (endpoints === null) return [];
  const { findings } = endpoints;
  const asked = askedOf(findings);
  const [first] = asked;
  if (first !== undefined && asked.every(isUnreached)) {
    const text = `none of the endpoints that Route 53 asks can be reached from here (${first.detail}); what they say is not known`;
    return [{ level: 'note', text, run: 'spillway doctor' }];
  }
  return [...troubles(findings), ...missing(findings)];
}

function troubles(findings: readonly EndpointFinding[]): readonly StatusFinding[] {
  const alike = Map.groupBy(findings.filter(isTrouble), ({ finding }) => finding);
  return [...alike].map(([finding, some]) => {
    const details = [...new Set(some.flatMap(({ detail }) => (detail === '' ? [] : [detail])))];
    const because = details.length === 0 ? '' : ` (${named(details)})`;
    const text = `${named(some.map(endpointName))}: ${endpointFindings[finding].meaning}${because}`;
    return { level: 'bad', text, run: 'spillway doctor' };
  });
}

function missing(findings: readonly EndpointFinding[]): readonly StatusFinding[] {
  const some = findings.filter(({ finding }) => finding === 'missing');
  if (some.length === 0) return [];
  const text = `${named(some.map(endpointName))}: ${endpointFindings.missing.meaning}`;
  return [{ level: 'note', text, run: 'npx cdk deploy --all' }];
}
