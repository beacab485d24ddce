import { describe, expect, it } from 'vitest';
import { targetOf } from '../../lib/aws/call-target.ts';

describe('what a call is about', () => {
  it.each([
    [
      'dynamodb',
      { TableName: 'shop-state', Key: { pk: { S: 'control' }, sk: { S: 'control' } } },
      { resource: 'table/shop-state', partition: 'control' },
    ],
    [
      'dynamodb',
      { TableName: 'shop-state', Item: { pk: 'switch', sk: 'orders' } },
      { resource: 'table/shop-state', partition: 'switch' },
    ],
    [
      'dynamodb',
      { TableName: 'shop-state', ExpressionAttributeValues: { ':pk': { S: 'epoch' }, ':n': { N: '1' } } },
      { resource: 'table/shop-state', partition: 'epoch' },
    ],
    ['dynamodb', { TableName: 't', IndexName: 'trouble' }, { resource: 'table/t/index/trouble' }],
    ['kinesis', { StreamName: 'orders', Records: [] }, { resource: 'stream/orders' }],
    ['kinesis', { StreamARN: 'arn:aws:kinesis:us-east-1:1:stream/orders' }, { resource: 'stream/orders' }],
    ['kinesis', { ShardIterator: 'AAAA' }, {}],
    [
      'states',
      { stateMachineArn: 'arn:aws:states:us-west-2:1:stateMachine:shop-conductor', name: 'n' },
      { resource: 'stateMachine:shop-conductor' },
    ],
    [
      'sfn',
      { executionArn: 'arn:aws:states:us-west-2:1:execution:shop-conductor:all-7' },
      { resource: 'execution:shop-conductor:all-7' },
    ],
    ['sns', { TopicArn: 'arn:aws:sns:us-west-2:1:shop-notifications' }, { resource: 'shop-notifications' }],
    ['cloudwatch', { Namespace: 'Spillway/shop' }, { namespace: 'Spillway/shop' }],
    ['sqs', { Name: 'x', TableName: 'y' }, {}],
    ['dynamodb', { TableName: 7, Key: 'nonsense' }, {}],
    ['dynamodb', undefined, {}],
    ['kinesis', 'text', {}],
  ])('%s %j', (service, input, expected) => {
    expect(targetOf(service, input)).toEqual(expected);
  });
});
