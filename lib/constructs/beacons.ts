import { RemovalPolicy, Validations } from 'aws-cdk-lib';
import { AttributeType, BillingMode, ProjectionType, Table } from 'aws-cdk-lib/aws-dynamodb';
import { ManagedPolicy, PolicyStatement } from 'aws-cdk-lib/aws-iam';
import { Construct } from 'constructs';
import { FLEET_KEY } from '../../lambda/core/beacon-item.ts';
import { beaconTableName, beaconWriterPolicyName, TROUBLE_INDEX } from '../../lambda/core/names.ts';
import { USER_ID } from '../permissions/producer.ts';

/** The table in which producers report, and the policy that lets a role write there under its own name. */
export class Beacons extends Construct {
  readonly table: Table;
  readonly writer: ManagedPolicy;

  constructor(scope: Construct, id: string, { name }: { readonly name: string }) {
    super(scope, id);
    const table = new Table(this, 'Table', {
      tableName: beaconTableName(name),
      partitionKey: { name: 'pk', type: AttributeType.STRING },
      sortKey: { name: 'sk', type: AttributeType.STRING },
      billingMode: BillingMode.PAY_PER_REQUEST,
      timeToLiveAttribute: 'ttl',
      removalPolicy: RemovalPolicy.DESTROY,
    });
    // Only items that report trouble have the key, so the index is nearly empty in health.
    table.addGlobalSecondaryIndex({
      indexName: TROUBLE_INDEX,
      partitionKey: { name: 'trouble', type: AttributeType.STRING },
      projectionType: ProjectionType.ALL,
    });
    Validations.of(table).acknowledge({
      id: 'AwsSolutions::AwsSolutions-DDB3',
      reason: 'A beacon is out of date after minutes: there is nothing to be restored.',
    });
    this.table = table;
    this.writer = new ManagedPolicy(this, 'Writer', {
      managedPolicyName: beaconWriterPolicyName(name),
      description: `Spillway: lets a producer report to ${beaconTableName(name)}, under its own name alone.`,
      statements: [
        leading('dynamodb:PutItem', table, USER_ID),
        leading('dynamodb:GetItem', table, FLEET_KEY.pk),
      ],
    });
  }
}

/** A right on the items of one partition key. */
const leading = (action: string, table: Table, key: string): PolicyStatement =>
  new PolicyStatement({
    actions: [action],
    resources: [table.tableArn],
    conditions: { 'ForAllValues:StringEquals': { 'dynamodb:LeadingKeys': [key] } },
  });
