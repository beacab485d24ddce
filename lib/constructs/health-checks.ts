import { CfnHealthCheck } from 'aws-cdk-lib/aws-route53';
import type { Construct } from 'constructs';
import { GIVEN_TAG } from '../deployments/given-hosts.ts';
import type { AskedHost } from './public-endpoint.ts';

export interface MarkerCheckProps {
  readonly name: string;
  readonly host: AskedHost;
  readonly path: string;
  /**
   * The text that means unhealthy when it is in the body (the check is inverted), so that a missing answer
   * changes nothing.
   */
  readonly marker: string;
  readonly failureThreshold: number;
  readonly intervalSeconds: 10 | 30;
}

/** An inverted HTTPS_STR_MATCH check, read by the checkers of all 8 default regions. */
export function markerCheck(scope: Construct, id: string, props: MarkerCheckProps): CfnHealthCheck {
  const { host } = props;
  return new CfnHealthCheck(scope, id, {
    healthCheckConfig: {
      type: 'HTTPS_STR_MATCH',
      fullyQualifiedDomainName: host.domainName,
      port: 443,
      resourcePath: props.path,
      searchString: props.marker,
      inverted: true,
      enableSni: true,
      requestInterval: props.intervalSeconds,
      failureThreshold: props.failureThreshold,
    },
    healthCheckTags: [
      { key: 'Name', value: props.name },
      ...(host.given === true ? [{ key: GIVEN_TAG, value: host.domainName }] : []),
    ],
  });
}

/**
 * The calculated check of the quorum: unhealthy as soon as K of the N votes are, because N-K+1 must be
 * healthy. Without a threshold, one vote would be enough.
 */
export function quorumCheck(
  scope: Construct,
  id: string,
  props: {
    readonly name: string;
    readonly votes: readonly CfnHealthCheck[];
    readonly votesToEvacuate: number;
  },
): CfnHealthCheck {
  return new CfnHealthCheck(scope, id, {
    healthCheckConfig: {
      type: 'CALCULATED',
      childHealthChecks: props.votes.map((vote) => vote.attrHealthCheckId),
      healthThreshold: props.votes.length - props.votesToEvacuate + 1,
    },
    healthCheckTags: [{ key: 'Name', value: props.name }],
  });
}
