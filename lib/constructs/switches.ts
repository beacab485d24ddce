import { RemovalPolicy } from 'aws-cdk-lib';
import { AttributeType, BillingMode, Table } from 'aws-cdk-lib/aws-dynamodb';
import { PolicyStatement } from 'aws-cdk-lib/aws-iam';
import { Construct } from 'constructs';
import { stateTableName, switchFunctionName } from '../../lambda/core/names.ts';
import { CELLS_FILE, type DeployedCell } from '../settings/cells-file.ts';
import { STATE_TABLE } from '../settings/switch.ts';
import { PublicEndpoint } from './public-endpoint.ts';

/** The state table of the standby, and the endpoint that tells Route 53 each switch's position. */
export class Switches extends Construct {
  readonly endpoint: PublicEndpoint;

  constructor(
    scope: Construct,
    id: string,
    props: {
      readonly name: string;
      readonly cells: readonly DeployedCell[];
      /** Concurrent executions that the endpoint reserves. */
      readonly concurrency: number;
    },
  ) {
    super(scope, id);
    const table = new Table(this, 'State', {
      tableName: stateTableName(props.name),
      partitionKey: { name: 'pk', type: AttributeType.STRING },
      sortKey: { name: 'sk', type: AttributeType.STRING },
      billingMode: BillingMode.PAY_PER_REQUEST,
      pointInTimeRecoverySpecification: { pointInTimeRecoveryEnabled: true },
      removalPolicy: RemovalPolicy.RETAIN,
      // While cells are evacuated, this table holds them in the standby.
      deletionProtection: true,
    });
    this.endpoint = new PublicEndpoint(this, 'Switch', {
      functionName: switchFunctionName(props.name),
      handler: 'switch',
      description: 'Spillway: tells Route 53 the position of each switch.',
      environment: { [STATE_TABLE]: table.tableName },
      concurrency: props.concurrency,
      files: { [CELLS_FILE]: JSON.stringify(props.cells) },
      statements: [new PolicyStatement({ actions: ['dynamodb:Query'], resources: [table.tableArn] })],
    });
  }
}
