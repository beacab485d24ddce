import { randomUUID } from 'node:crypto';
import { once } from 'node:events';
import { mkdir, writeFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { buffer } from 'node:stream/consumers';
import type { KinesisClient } from '@aws-sdk/client-kinesis';
import { type Ran, type Shell, startShell } from '../cli/fixtures/cli.ts';
import { makeStream, sharedKinesis } from '../drain/fixtures/kinesis.ts';
import { clientFor } from '../drain/fixtures/plain-client.ts';
import { startTap, type Tap } from '../drain/fixtures/tap.ts';
import { type FakeAws, startFakeAws, tableOf } from '../operate/fixtures/fake-aws.ts';
import { configInput } from '../operate/fixtures/readings.ts';

/** A deployment whose streams are real ones of an emulator, and whose state table is the commands' own fake. */
export interface StrandedWorld {
  readonly aws: FakeAws;
  readonly shell: Shell;
  /** In front of Kinesis. */
  readonly tap: Tap;
  readonly stream: string;
  readonly east: KinesisClient;
  readonly west: KinesisClient;
  run(line: string): Promise<Ran>;
  /** Traffic left the primary. */
  move(epoch?: number): void;
  readonly state: ReturnType<typeof tableOf>;
  close(): Promise<void>;
}

export async function strandedWorld(consumers?: readonly object[]): Promise<StrandedWorld> {
  const kinesis = await sharedKinesis();
  const [aws, tap] = await Promise.all([startFakeAws(), startTap(kinesis.url)]);
  const router = await startRouter({ kinesis: tap.url, others: aws.url });
  const stream = `orders-${randomUUID()}`;
  const [east, west] = [clientFor(kinesis.url, 'us-east-1'), clientFor(kinesis.url, 'us-west-2')];
  await Promise.all([makeStream(east, stream), makeStream(west, stream, 2)]);
  const shell = await startShell();
  const cells = [{ name: 'orders', stream: { name: stream, existing: true }, consumers }];
  await mkdir(join(shell.directory, 'run'));
  await writeFile(
    join(shell.directory, 'run/spillway.config.json'),
    JSON.stringify({ ...configInput, cells }),
  );
  const zone = configInput.zone;
  const world = { localStackUrl: router.url, dnsServer: '127.0.0.1:9', zone };
  await writeFile(join(shell.directory, 'run/world.json'), JSON.stringify(world));
  const state = tableOf(aws, 'us-west-2/shop-state');
  return {
    ...{ aws, shell, tap, stream, east, west, state },
    run: (line) => shell.run(`${line} --world run/world.json`),
    move: (epoch = 3) => {
      const one = { position: { S: 'STANDBY' }, epoch: { N: `${epoch}` }, atMs: { N: `${Date.now()}` } };
      state.set('switch#orders', { pk: { S: 'switch' }, sk: { S: 'orders' }, ...one });
      state.set(`epoch#${epoch}`, {
        ...{ pk: { S: 'epoch' }, sk: { S: `${epoch}`.padStart(12, '0') }, epoch: { N: `${epoch}` } },
        ...{ claim: { S: 'c' }, atMs: { N: '1' }, owner: { S: 'ana' } },
      });
    },
    close: async () => {
      await Promise.all([shell.close(), router.close(), aws.close(), tap.close()]);
    },
  };
}

/** One address for all services, as LocalStack has it. */
async function startRouter({ kinesis, others }: { readonly kinesis: string; readonly others: string }) {
  const server = createServer(async (request, response) => {
    const target = String(request.headers['x-amz-target']);
    const isKinesis = target.startsWith('Kinesis_');
    if (target.endsWith('.GetMetricData')) {
      // A CloudWatch that has no ages.
      request.resume();
      response.writeHead(200, { 'content-type': 'application/x-amz-json-1.0' }).end('{}');
      return;
    }
    const { host: _host, connection: _c, 'content-length': _l, ...headers } = request.headers;
    try {
      const answer = await fetch(`${isKinesis ? kinesis : others}${request.url}`, {
        method: request.method ?? 'POST',
        headers: headers as Record<string, string>,
        body: await buffer(request),
      });
      response.writeHead(answer.status, { 'content-type': answer.headers.get('content-type') ?? '' });
      response.end(Buffer.from(await answer.arrayBuffer()));
    } catch {
      response.destroy();
    }
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    close: async () => {
      server.closeAllConnections();
      server.close();
    },
  };
}
