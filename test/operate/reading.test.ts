import { describe, expect, test } from 'vitest';
import { progress } from '../../lib/cli/spinner.ts';
import { AwsClients } from '../../lib/operate/clients.ts';
import { readDns } from '../../lib/operate/dns.ts';
import { InterruptedError } from '../../lib/operate/errors.ts';
import { follow } from '../../lib/operate/follow.ts';
import { problemOf, reading } from '../../lib/operate/reading.ts';
import { startZone } from '../observers/zone.ts';
import { startSignalServer } from '../producer/signal-server.ts';
import { startFakeAws } from './fixtures/fake-aws.ts';
import { config } from './fixtures/readings.ts';

describe('a reading', () => {
  test('ends at its deadline, also when the call ignores its signal, and aborts it', async () => {
    let aborted = false;
    const read = await reading(20, (signal) => {
      signal.addEventListener('abort', () => {
        aborted = true;
      });
      return new Promise(() => {});
    });
    expect(read).toEqual({ ok: false, problem: 'no answer within 0.02 s', failure: { kind: 'silent' } });
    expect(aborted).toBe(true);
  });

  test('turns a throw into its innermost reason, on one line', async () => {
    const cause = Object.assign(new Error('no such table\nat line 3'), { name: 'ResourceNotFoundException' });
    const read = await reading(1_000, () => Promise.reject(new Error('outer', { cause })));
    expect(read).toMatchObject({
      ok: false,
      problem: 'ResourceNotFoundException: no such table',
      failure: { kind: 'missing' },
    });
    const unknown = Object.assign(new Error('UnknownError'), {
      name: 'Unknown',
      $metadata: { httpStatusCode: 502 },
    });
    expect(problemOf(unknown)).toBe('Unknown: UnknownError (HTTP 502)');
  });
});

describe('DNS', () => {
  test('is read for the quorum and each cell, in the order of the config', async () => {
    const server = await startSignalServer('v=1; region=us-east-1; stream=orders');
    const { region, signals } = await readDns(config, { servers: [server.address] });
    await server.close();
    expect(region).toEqual({ ok: true, value: 'us-east-1' });
    expect([...signals.keys()]).toEqual(['orders', 'clicks']);
    expect(signals.get('clicks')).toEqual({ ok: true, value: { region: 'us-east-1', stream: 'orders' } });
  });

  test('is read for the quorum by the former record, until there is one of the deployment’s name', async () => {
    const [east, west] = ['v=1; region=us-east-1', 'v=1; region=us-west-2'];
    const zone = await startZone({ 'region.shop.example.com': west, 'signal.orders.shop.example.com': west });
    const servers = [zone.address];
    expect((await readDns(config, { servers })).region).toEqual({ ok: true, value: 'us-west-2' });
    zone.texts.set('region.shop.shop.example.com', east);
    expect((await readDns(config, { servers })).region).toEqual({ ok: true, value: 'us-east-1' });
    zone.texts.clear();
    expect((await readDns(config, { servers })).region).toMatchObject({
      ok: false,
      problem: expect.stringContaining('ENOTFOUND'),
    });
  });

  test('of a thousand cells that does not answer ends at the deadline, and leaves none out', async () => {
    const cells = Array.from({ length: 1_000 }, (_, n) => ({
      name: `c${n}`,
    })) as unknown as typeof config.cells;
    const startedMs = performance.now();
    // Nothing listens there, and nothing says so: a datagram to a reserved network is lost.
    const { signals } = await readDns(
      { ...config, cells },
      { servers: ['192.0.2.1:53'], timeoutMs: 250, deadlineMs: 500 },
    );
    expect(performance.now() - startedMs).toBeLessThan(2_000);
    expect(signals.size).toBe(1_000);
    expect([...signals.values()].some(({ ok }) => ok)).toBe(false);
  });
});

describe('following a run', () => {
  const credentials = { accessKeyId: 'test', secretAccessKey: 'test' };
  const executionArn = 'arn:aws:states:us-west-2:123456789012:execution:shop-conductor:all-1';

  test('outlives an outage of Step Functions, and ends with the report', async () => {
    const aws = await startFakeAws();
    const clients = new AwsClients({ who: 'cli failover', timeoutMs: 1_000, endpoint: aws.url, credentials });
    const said: string[] = [];
    aws.down.add('states');
    aws.run = {
      status: 'SUCCEEDED',
      output: { run: 'all-1', epoch: 1, state: 'latched', startedAtMs: 1, latched: 2, findings: [] },
    };
    const say = (text: string): void => {
      said.push(text);
      aws.down.clear();
    };
    const client = clients.stepFunctions('us-west-2');
    const signal = new AbortController().signal;
    const unseen = { look: () => Promise.reject(new Error('throttled')), tell: () => {} };
    const end = await follow({ client, executionArn, waitMs: 5_000, signal, say, ...unseen, pollMs: 5 });
    expect(end).toMatchObject({ end: 'report', report: { state: 'latched' } });
    expect(said[0]).toMatch(/progress cannot be read now/);
    clients.destroy();
    await aws.close();
  });

  test('ends when the wait is over, and says that the run goes on when it is interrupted', async () => {
    const aws = await startFakeAws();
    aws.run = { status: 'RUNNING' };
    const clients = new AwsClients({ who: 'cli failover', timeoutMs: 1_000, endpoint: aws.url, credentials });
    const client = clients.stepFunctions('us-west-2');
    const [told, said]: [string[], string[]] = [[], []];
    let looks = 0;
    const options = {
      client,
      executionArn,
      // The same stage is seen again and again, and told once.
      look: async () => ({ done: ['latch', 'DNS'].slice(0, looks++), doing: 'arrivals' }),
      say: (text: string) => void said.push(text),
      tell: (text: string) => void told.push(text),
      pollMs: 5,
    };
    const idle = new AbortController();
    expect(await follow({ ...options, waitMs: 300, signal: idle.signal })).toEqual({ end: 'waited' });
    expect(told).toEqual(['latch', 'DNS']);
    expect(new Set(said)).toEqual(new Set(['arrivals']));
    const interrupted = new AbortController();
    const following = follow({ ...options, waitMs: 60_000, signal: interrupted.signal });
    interrupted.abort();
    await expect(following).rejects.toThrow(InterruptedError);
    clients.destroy();
    await aws.close();
  });
});

test('progress says each thing once where no terminal is, and turns where one is', () => {
  const said: string[] = [];
  const io = { animated: false, err: (text: string) => void said.push(text) };
  const plain = progress(io as unknown as Parameters<typeof progress>[0]);
  for (const text of ['one', 'one', 'two']) plain.say(text);
  plain.stop();
  expect(said).toEqual(['one', 'two']);
  const drawn: string[] = [];
  const turning = progress(
    { ...io, animated: true } as unknown as Parameters<typeof progress>[0],
    (text) => void drawn.push(text),
  );
  turning.say('three');
  turning.stop();
  expect(drawn[0]).toContain('three');
  expect(said).toHaveLength(2);
});
