import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { prepareClient } from '../../../lib/local/clients/foreign-client.ts';
import { startClientFleet } from '../../../lib/local/drill/client-fleet.ts';
import { SPOOLED } from '../../../lib/local/drill/events.ts';
import { producerEnvironment } from '../../../lib/local/drill/fleet.ts';
import type { ProducerFleet } from '../../../lib/local/drill/producers.ts';
import { readSpools } from '../../../lib/local/drill/spools.ts';
import { type SignalServer, startSignalServer } from '../../producer/signal-server.ts';
import { type FakeKinesis, startFakeKinesis } from '../../sidecar/fake-kinesis.ts';

const DEADLINE_MS = 30_000;
const TEST_TIMEOUT_MS = 60_000;

let directory: string;
let kinesis: FakeKinesis;
let dns: SignalServer;
let fleet: ProducerFleet | undefined;
const deaths: Error[] = [];

beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'spillway-clients-'));
  kinesis = await startFakeKinesis();
  dns = await startSignalServer('v=1; region=us-east-1; stream=orders');
  deaths.length = 0;
});
afterEach(async () => {
  fleet?.kill();
  await Promise.all([kinesis.close(), dns.close()]);
  await rm(directory, { recursive: true, force: true });
});

async function start(): Promise<ProducerFleet> {
  const member = {
    producer: 'p1',
    streamName: 'orders',
    idPrefix: 'run-p1',
    signalName: 'signal.orders.example.com',
    dnsServer: dns.address,
    regions: ['us-east-1', 'us-west-2'],
    spoolDirectory: join(directory, 'spool-p1'),
    // Both regions, as the fault proxy has both.
    endpoint: kinesis.url,
    pollMs: 200,
    putEveryMs: 20,
    keys: 5,
  };
  return startClientFleet([member], {
    launch: await prepareClient('js'),
    environment: producerEnvironment(process.env, 'us-east-1'),
    onDeath: (error) => deaths.push(error),
  });
}

async function until(condition: () => boolean): Promise<void> {
  const endMs = performance.now() + DEADLINE_MS;
  while (!condition()) {
    if (performance.now() > endMs) throw new Error(`It did not happen in ${DEADLINE_MS} ms.`);
    await sleep(20);
  }
}

const regionsOf = ({ acknowledgements }: ProducerFleet): ReadonlySet<string> =>
  new Set(acknowledgements.map(({ region }) => region));

describe('the clients of a drill', () => {
  it('write through sidecars, and what each was told is known with its region', {
    timeout: TEST_TIMEOUT_MS,
  }, async () => {
    const running = await start();
    fleet = running;
    await until(() => regionsOf(running).has('us-east-1'));
    kinesis.mode = 'fail';
    await until(() => regionsOf(running).has(SPOOLED));
    dns.answer = 'v=1; region=us-west-2; stream=orders-west';
    kinesis.mode = 'serve';
    await until(() => regionsOf(running).has('us-west-2'));
    await running.stop();

    expect(deaths).toEqual([]);
    expect(running.pending()).toBe(0);
    expect(running.rejected()).toBe(0);
    const ids = running.acknowledgements.map(({ id }) => id);
    expect(ids[0]).toBe('run-p1-0');
    expect(new Set(kinesis.records.map(({ text }) => text))).toEqual(new Set(ids));
    expect(await readSpools(running.spoolDirectories)).toEqual([]);
  });

  it('leave on the disk of the sidecar what no region takes, where the drill finds it', {
    timeout: TEST_TIMEOUT_MS,
  }, async () => {
    const running = await start();
    fleet = running;
    await until(() => regionsOf(running).has('us-east-1'));
    kinesis.mode = 'fail';
    await until(() => running.acknowledgements.filter(({ region }) => region === SPOOLED).length > 10);
    running.kill();
    const onDisk = await readWhenFree(running);
    const found = new Set([...kinesis.records.map(({ text }) => text), ...onDisk]);
    expect(running.acknowledgements.filter(({ id }) => !found.has(id))).toEqual([]);
  });
});

/** A spool has one owner, which may take a moment to end. */
async function readWhenFree({ spoolDirectories }: ProducerFleet): Promise<readonly string[]> {
  const endMs = performance.now() + DEADLINE_MS;
  for (;;) {
    try {
      return await readSpools(spoolDirectories);
    } catch (error) {
      if (performance.now() > endMs) throw error;
      await sleep(50);
    }
  }
}
