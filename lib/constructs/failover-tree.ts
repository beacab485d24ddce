import { CfnRecordSet } from 'aws-cdk-lib/aws-route53';
import { Construct } from 'constructs';

export interface FailoverTreeProps {
  readonly zone: { readonly id: string; readonly name: string };
  /** The name that people ask for, without the closing full stop. */
  readonly name: string;
  readonly type: 'TXT' | 'A' | 'AAAA' | 'CNAME';
  readonly ttlSeconds: number;
  readonly primary: readonly string[];
  readonly standby: readonly string[];
  readonly quorumId: string;
  /** The switch's health check; absent on the region record, which follows the quorum alone. */
  readonly switchId?: string;
}

/** Records that one tree takes, for the limit of a stack. */
export const RECORDS_PER_TREE = 3;

/**
 * A name that answers with the primary while quorum and switch both say so, else with the standby. The alias has the
 * quorum as its health check and evaluates its target, whose check is the switch: only both together keep traffic. The
 * secondary carries no check: if it did and it failed, Route 53 would answer with the primary whatever its health.
 */
export class FailoverTree extends Construct {
  constructor(scope: Construct, id: string, props: FailoverTreeProps) {
    super(scope, id);
    const { zone, name, type, switchId } = props;
    const common = { hostedZoneId: zone.id, name: `${name}.`, type };
    const ttl = String(props.ttlSeconds);
    const head = { ...common, setIdentifier: 'primary', failover: 'PRIMARY', healthCheckId: props.quorumId };
    if (switchId === undefined) {
      new CfnRecordSet(this, 'Primary', { ...head, ttl, resourceRecords: [...props.primary] });
    } else {
      const targetName = `primary.${name}.`;
      const target = new CfnRecordSet(this, 'Target', {
        ...common,
        name: targetName,
        // A health check has no effect on a simple record, but it has on a weighted record with a single
        // member.
        setIdentifier: 'only',
        weight: 1,
        ttl,
        healthCheckId: switchId,
        resourceRecords: [...props.primary],
      });
      const alias = new CfnRecordSet(this, 'Primary', {
        ...head,
        aliasTarget: { dnsName: targetName, hostedZoneId: zone.id, evaluateTargetHealth: true },
      });
      alias.node.addDependency(target);
    }
    new CfnRecordSet(this, 'Secondary', {
      ...common,
      setIdentifier: 'standby',
      failover: 'SECONDARY',
      ttl,
      resourceRecords: [...props.standby],
    });
  }
}
