import { setTimeout as sleep } from 'node:timers/promises';
import { afterEach, beforeAll, describe, expect, it } from 'vitest';
import {
  type ClientLine,
  type ForeignClient,
  type ForeignClientName,
  prepareClient,
  startClient,
} from '../../lib/local/clients/foreign-client.ts';
import { isSynthetic } from '../../lib/sidecar/synthetic.ts';
import type { FakeKinesis } from './fake-kinesis.ts';
import { type SidecarWorld, startSidecarWorld } from './world.ts';

const INSTALL_TIMEOUT_MS = 600_000;
const TEST_TIMEOUT_MS = 60_000;
const DEADLINE_MS = 30_000;
const KEYS = 10;
const PUT_EVERY_MS = 5;

const prepared = new Map<ForeignClientName, Awaited<ReturnType<typeof prepareClient>>>();
const names = ['java', 'java-async', 'kpl'] as const;
beforeAll(async () => {
  for (const name of names) prepared.set(name, await prepareClient(name));
}, INSTALL_TIMEOUT_MS);

let world: SidecarWorld | undefined;
let client: ForeignClient | undefined;
afterEach(async () => {
  client?.child.kill('SIGKILL');
  await world?.close();
  world = undefined;
  client = undefined;
});

/** A client that puts a record now and then, with what it said of each. */
async function startWriting(name: ForeignClientName, { caFile, tlsUrl }: SidecarWorld) {
  const launch = await prepared.get(name)?.({
    endpoint: tlsUrl,
    caFile,
    stream: 'orders',
    region: 'us-east-1',
    accessKeyId: 'AKIDCLIENT',
    secretAccessKey: 'client-secret',
  });
  if (launch === undefined) throw new Error(`${name} was not prepared.`);
  const lines: ClientLine[] = [];
  const started = startClient(launch, {
    base: { PATH: process.env.PATH },
    onLine: (line) => lines.push(line),
  });
  client = started;
  let put = 0;
  const timer = setInterval(() => {
    const id = String(put).padStart(6, '0');
    started.put({ id, partitionKey: `key-${put++ % KEYS}`, data: Buffer.from(id).toString('base64') });
  }, PUT_EVERY_MS);
  return {
    lines,
    acknowledged: () => lines.flatMap((line) => ('sequenceNumber' in line ? [line] : [])),
    complaints: started.complaints,
    stop: async () => {
      clearInterval(timer);
      started.end();
      await started.exited;
      return put;
    },
  };
}

async function until(condition: () => boolean, what: () => string): Promise<void> {
  const endMs = performance.now() + DEADLINE_MS;
  while (!condition()) {
    if (performance.now() > endMs) throw new Error(`It did not happen in ${DEADLINE_MS} ms: ${what()}`);
    await sleep(20);
  }
}

const textsOf = (region: FakeKinesis): readonly string[] => region.records.map(({ text }) => text);

/** First copies, in the order in which a reader of the first region and then of the second sees them. */
function inOrder(texts: readonly string[]): boolean {
  const latest = new Map<number, number>();
  for (const text of new Set(texts)) {
    const key = Number(text) % KEYS;
    if (Number(text) < (latest.get(key) ?? -1)) return false;
    latest.set(key, Number(text));
  }
  return true;
}

describe.each(names)('%s as a client of the sidecar', (name) => {
  it('writes through a failover and a spool: no call fails, nothing is lost, and each key is in order', {
    timeout: TEST_TIMEOUT_MS,
  }, async () => {
    world = await startSidecarWorld({ spool: true });
    const { east, west } = world;
    const writing = await startWriting(name, world);
    const state = (): string => JSON.stringify(writing.lines.slice(-3)) + writing.complaints();
    await until(() => writing.acknowledged().length >= 200, state);

    east.mode = 'fail';
    const before = writing.acknowledged().length;
    await until(() => writing.acknowledged().slice(before).some(isOnDisk), state);
    world.move();
    await until(() => west.records.length >= 200, state);

    const put = await writing.stop();
    const acknowledged = writing.acknowledged();
    // No call failed, so that no client had a reason to change the order by itself.
    expect(writing.lines.filter((line) => 'failed' in line || 'problem' in line)).toEqual([]);
    if (name === 'kpl') expect(acknowledged.filter(({ attempts }) => attempts !== 1)).toEqual([]);
    expect(new Set(acknowledged.map(({ id }) => id)).size).toBe(put);
    await until(() => new Set([...textsOf(east), ...textsOf(west)]).size === put, state);
    // The KPL keeps no order itself: while it does not know the shards yet, what it sends directly to Kinesis is out of order too.
    if (name !== 'kpl') expect(inOrder([...textsOf(east), ...textsOf(west)])).toBe(true);
  });
});

const isOnDisk = ({ sequenceNumber = '' }: { readonly sequenceNumber?: string }): boolean =>
  isSynthetic(sequenceNumber);
