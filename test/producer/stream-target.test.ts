import { once } from 'node:events';
import { describe, expect, it, onTestFinished, vi } from 'vitest';
import { FailoverProducer, type OutgoingBatch, type ProducerOptions } from '../../lib/producer/index.ts';
import { type StreamOptions, targetOf } from '../../lib/producer/stream-target.ts';
import { startSignalServer } from './signal-server.ts';

const EAST = 'us-east-1';
const WEST = 'us-west-2';
const arn = (region: string, account = '111122223333') =>
  `arn:aws:kinesis:${region}:${account}:stream/orders`;

describe('the stream that is written to', () => {
  const plain = { region: EAST, stream: 'orders' };
  const foreign = { ...plain, account: '111122223333' };

  it.each<[string, StreamOptions, Parameters<typeof targetOf>[1], unknown]>([
    ['the signal’s', {}, plain, { stream: 'orders' }],
    ['the option’s name', { streamName: 'mine' }, foreign, { stream: 'mine' }],
    ['the option’s name in that region', { streamName: { [EAST]: 'mine' } }, plain, { stream: 'mine' }],
    [
      'the option’s ARN',
      { streamArn: { [EAST]: arn(EAST, '444455556666') }, accounts: [] },
      foreign,
      { stream: 'orders', streamArn: arn(EAST, '444455556666') },
    ],
    [
      'the signal’s, where the ARN is of the other region',
      { streamArn: { [WEST]: arn(WEST) } },
      plain,
      { stream: 'orders' },
    ],
    [
      'that of a listed account',
      { accounts: ['111122223333'] },
      foreign,
      { stream: 'orders', streamArn: arn(EAST) },
    ],
  ])('is %s', (_what, options, signal, wanted) => {
    expect(targetOf(options, signal)).toEqual({ kind: 'target', target: wanted });
  });

  it('is none where the signal names none, or an account that nobody expects', () => {
    expect(targetOf({}, { region: EAST })).toEqual({ kind: 'nameless' });
    const unexpected = { kind: 'unexpected', account: '111122223333' };
    expect(targetOf({}, foreign)).toEqual(unexpected);
    expect(targetOf({ accounts: ['444455556666'] }, foreign)).toEqual(unexpected);
  });
});

describe('a producer', () => {
  function producer(options: Partial<ProducerOptions>) {
    const batches: OutgoingBatch[] = [];
    const made = new FailoverProducer(
      { signal: { name: 'signal.orders.example.com' }, regions: [EAST, WEST], ...options },
      {
        transport: {
          send: async (batch) => {
            batches.push(batch);
            const { region, records } = batch;
            return records.map((_, n) => ({
              region,
              shardId: 'shardId-000000000000',
              sequenceNumber: `${n}`,
            }));
          },
          close: () => {},
        },
      },
    );
    onTestFinished(() => made.close());
    return { made, batches };
  }
  const record = { partitionKey: 'k', data: 'x' };

  it('follows the signal to another account that it expects, and from an account to another', async () => {
    const dns = await startSignalServer(`v=1; region=${EAST}; stream=orders; account=111122223333`);
    onTestFinished(() => dns.close());
    const signal = { name: 'signal.orders.example.com', servers: [dns.address], pollMs: 20 };
    const { made, batches } = producer({ signal, accounts: ['111122223333', '444455556666'] });
    await made.put(record);
    expect(batches.at(-1)).toMatchObject({ region: EAST, streamArn: arn(EAST) });
    dns.answer = `v=1; region=${EAST}; stream=orders; account=444455556666`;
    await expect
      .poll(async () => {
        await made.put(record);
        return batches.at(-1)?.streamArn;
      })
      .toBe(arn(EAST, '444455556666'));
  });

  it('says that a signal names another account, and stays where it was', async () => {
    const dns = await startSignalServer(`v=1; region=${EAST}; stream=orders`);
    onTestFinished(() => dns.close());
    const signal = { name: 'signal.orders.example.com', servers: [dns.address], pollMs: 20 };
    const { made, batches } = producer({ signal });
    await made.put(record);
    dns.answer = `v=1; region=${WEST}; stream=orders; account=111122223333`;
    const [problem] = await once(made, 'signalProblem');
    expect(problem).toContain('111122223333, which is not one of `accounts`');
    await made.put(record);
    expect(batches.at(-1)).toMatchObject({ region: EAST, stream: 'orders' });
    expect(batches.every(({ streamArn }) => streamArn === undefined)).toBe(true);
  });

  it('that is pinned needs no name beside an ARN', async () => {
    vi.stubEnv('SPILLWAY_REGION', WEST);
    onTestFinished(() => void vi.unstubAllEnvs());
    const { made, batches } = producer({ streamArn: { [WEST]: arn(WEST) } });
    await made.put(record);
    expect(batches).toMatchObject([{ region: WEST, stream: 'orders', streamArn: arn(WEST) }]);
    expect(() => producer({ streamArn: { [EAST]: arn(EAST) } })).toThrow(/`streamName` or `streamArn`/);
  });
});
