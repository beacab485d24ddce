import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setImmediate } from 'node:timers/promises';
import { expect, it, onTestFinished, vi } from 'vitest';
import { Backlog } from '../../lib/producer/backlog.ts';
import { KeysOnDisk } from '../../lib/producer/keys-on-disk.ts';
import { limitsOf } from '../../lib/producer/options.ts';
import { Sender } from '../../lib/producer/sender.ts';
import { Spool } from '../../lib/producer/spool/spool.ts';
import type { Transport } from '../../lib/producer/transport.ts';

const RECORDS = 12;
const AT_ONCE = 8;
const now = () => performance.now();

/** A stream that answers when the test says so. */
function heldStream() {
  const held: (() => void)[] = [];
  const transport: Transport = {
    async send({ region, records }) {
      await new Promise<void>((resolve) => held.push(resolve));
      return records.map((_, n) => ({ region, shardId: 'shardId-0', sequenceNumber: `${n}` }));
    },
    close() {},
  };
  return { transport, held };
}

async function backlogOf(transport: Transport) {
  const directory = await mkdtemp(join(tmpdir(), 'spillway-backlog-'));
  const limits = limitsOf({
    signal: { name: 'pinned.invalid' },
    regions: ['us-east-1'],
    maxBatchRecords: 4,
  });
  const hooks = { onRetry() {}, onRefused() {}, onOverdue() {}, onProgress() {} };
  const sender = new Sender({
    limits,
    ordered: true,
    deliveryTimeoutMs: undefined,
    transport,
    random: () => 0.5,
    now,
    hooks,
  });
  const keys = new KeysOnDisk(sender.lanes, () => {});
  const spool = await Spool.open({ directory });
  const entries = Array.from({ length: RECORDS }, (_, n) => ({
    partitionKey: `k${n}`,
    data: Buffer.from(`${n}`),
  }));
  await spool.append(entries);
  for (const { partitionKey } of entries) keys.add({ partitionKey, lane: sender.laneOf(partitionKey) });
  const onProblem = (problem: unknown) => expect.fail(String(problem));
  const backlog = new Backlog({
    spool,
    sender,
    keys,
    now,
    maxRecords: AT_ONCE,
    onProblem,
    onEmpty() {},
    onReleased() {},
  });
  onTestFinished(async () => {
    sender.close();
    await backlog.close();
    await spool.close();
    await rm(directory, { recursive: true, force: true });
  });
  return { spool, sender };
}

it('sends what it has read, also when as many records were delivered while it read', async () => {
  const { transport, held } = heldStream();
  const { spool, sender } = await backlogOf(transport);
  sender.aim({ region: 'us-east-1', stream: 'orders' });
  await expect.poll(() => held.length).toBe(2);

  const readFrom = spool.readFrom.bind(spool);
  vi.spyOn(spool, 'readFrom').mockImplementationOnce(async (from, limit) => {
    held[1]?.();
    while (sender.records > 0) await setImmediate();
    return readFrom(from, limit);
  });
  held[0]?.();
  await expect.poll(() => held.length, { timeout: 5_000 }).toBeGreaterThan(2);
  let answered = 2;
  await expect
    .poll(() => {
      while (answered < held.length) held[answered++]?.();
      return spool.stats().records;
    })
    .toBe(0);
});
