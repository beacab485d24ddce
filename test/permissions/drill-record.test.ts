import { expect, it } from 'vitest';
import type { Call } from '../../lib/aws/call-log.ts';
import { ACCOUNT, deployments } from './deployments.ts';
import { judgeRecord } from './drill-record.ts';

const { config } = deployments.plain;
const call = (who: string, service: string, operation: string, more: Partial<Call> = {}): Call => ({
  who,
  service,
  operation,
  region: 'us-west-2',
  ...more,
});
const unforeseen = (...calls: readonly Call[]) => judgeRecord(calls, config, ACCOUNT).unforeseen;
const state = { resource: 'table/shop-state' };

it('takes calls that the tables foresee, whoever wrote them down', () => {
  expect(
    unforeseen(
      call('switch', 'dynamodb', 'Query', { ...state, partition: 'switch' }),
      call('conductor', 'sfn', 'Nothing', {}),
    ),
  ).toEqual(['conductor: states:Nothing on something in us-west-2']);
  expect(
    unforeseen(
      call('observer us-west-2', 'sfn', 'StartExecution', { resource: 'stateMachine:shop-conductor' }),
      call('observer us-west-2', 'sts', 'GetCallerIdentity'),
      call('observer eu-west-1', 'kinesis', 'GetRecords', { region: 'us-east-1' }),
      call('cli failover', 'dynamodb', 'PutItem', { ...state, partition: 'epoch' }),
      call('producer p1', 'kinesis', 'PutRecords', { resource: 'stream/orders' }),
      call('eu-west-1', 'lambda', 'InvokeFunctionUrl'),
    ),
  ).toEqual([]);
});

it('finds a call of another table, of other items, of another region, and of another caller', () => {
  const found = unforeseen(
    call('switch', 'dynamodb', 'Query', { resource: 'table/shop-vote', partition: 'observer' }),
    call('conductor', 'dynamodb', 'PutItem', { ...state, partition: 'control' }),
    call('conductor', 'dynamodb', 'PutItem', state),
    call('vote us-west-2', 'dynamodb', 'GetItem', { region: 'us-east-1', resource: 'table/shop-vote' }),
    call('observer eu-west-1', 'kinesis', 'GetRecords', { region: 'eu-west-1' }),
    call('observer eu-west-1', 'sfn', 'StartExecution', { resource: 'stateMachine:shop-conductor' }),
    call('cli status', 'dynamodb', 'PutItem', { ...state, partition: 'epoch' }),
    call('somebody', 'dynamodb', 'Query', { ...state, partition: 'switch' }),
  );
  expect(found).toHaveLength(8);
});

it('finds rights that a drill has to show and that it has not', () => {
  const { unseen } = judgeRecord(
    [call('switch', 'dynamodb', 'Query', { ...state, partition: 'switch' })],
    config,
    ACCOUNT,
  );
  expect(unseen).toContain('conductor sns:Publish topic');
  expect(unseen).not.toContain('switch dynamodb:Query state table');
  expect(unseen.filter((id) => id.startsWith('survey'))).toEqual([]);
});
