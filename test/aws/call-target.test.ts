import { describe, expect, it } from 'vitest';
import { targetOf } from '../../lib/aws/call-target.ts';
import { Targets } from '../../lib/aws/iterators.ts';

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

describe('an iterator', () => {
  const orders = { StreamName: 'orders', ShardId: 'shardId-000000000000' };

  it('is of the stream that it was made for, as is every one that follows it', () => {
    const targets = new Targets();
    const made = targets.of('kinesis', orders);
    targets.answered(made, { ShardIterator: 'one' });
    const read = targets.of('kinesis', { ShardIterator: 'one', Limit: 10 });
    expect(read).toEqual({ resource: 'stream/orders' });
    targets.answered(read, { Records: [], NextShardIterator: 'two' });
    expect(targets.of('kinesis', { ShardIterator: 'two' })).toEqual({ resource: 'stream/orders' });
    expect(targets.of('kinesis', { ShardIterator: 'of somebody else' })).toEqual({});
  });

  it('is forgotten when there are many newer ones, and none comes from what is no answer', () => {
    const targets = new Targets();
    const made = targets.of('kinesis', orders);
    for (let n = 0; n < 501; n++) targets.answered(made, { ShardIterator: `${n}` });
    expect(targets.of('kinesis', { ShardIterator: '0' })).toEqual({});
    expect(targets.of('kinesis', { ShardIterator: '500' })).toEqual({ resource: 'stream/orders' });
    for (const output of [undefined, 'text', { NextShardIterator: null }]) targets.answered(made, output);
  });
});
