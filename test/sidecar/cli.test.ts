import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { execa } from 'execa';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { ownFile } from '../../lib/files/own-files.ts';
import { startSignalServer } from '../producer/signal-server.ts';
import { ask, base64 } from './ask.ts';
import { type FakeKinesis, startFakeKinesis } from './fake-kinesis.ts';
import { type SidecarProcess, startSidecarProcess } from './sidecar-process.ts';
import { EAST, WEST } from './world.ts';

let directory: string;
let kinesis: FakeKinesis;
const running: SidecarProcess[] = [];
beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'spillway-sidecar-'));
  kinesis = await startFakeKinesis();
});
afterEach(async () => {
  for (const sidecar of running.splice(0)) await sidecar.kill();
  await kinesis.close();
  await rm(directory, { recursive: true, force: true });
});

const start = async (
  options: Omit<Parameters<typeof startSidecarProcess>[0], 'directory'>,
): Promise<SidecarProcess> => {
  const sidecar = await startSidecarProcess({ directory, ...options });
  running.push(sidecar);
  return sidecar;
};
const put = ({ url }: SidecarProcess, text: string) =>
  ask(url, 'PutRecord', { StreamName: 'orders', PartitionKey: 'k', Data: base64(text) });

describe('spillway sidecar', () => {
  it('ends in order on SIGTERM, with status 0 when every record is in a stream', async () => {
    const sidecar = await start({ endpoint: kinesis.url });
    expect(await put(sidecar, 'a')).toMatchObject({ status: 200 });
    expect(await sidecar.stop()).toBe(0);
    expect(sidecar.events.map(({ event }) => event)).toEqual([
      'regionChanged',
      'listening',
      'draining',
      'closed',
    ]);
    expect(kinesis.records.map(({ text }) => text)).toEqual(['a']);
  });

  it('ends with status 4 when records are left on the disk, and delivers them when it starts again', async () => {
    kinesis.mode = 'fail';
    const first = await start({ endpoint: kinesis.url, args: ['--drain', '1s'] });
    const answer = await put(first, 'a');
    expect(answer.document.SequenceNumber).toMatch(/^9{20}\d{40}$/);
    expect(await first.stop()).toBe(4);
    expect(first.events.at(-1)).toEqual({ event: 'closed', left: 1 });
    kinesis.mode = 'serve';
    await start({ endpoint: kinesis.url });
    await vi.waitFor(() => expect(kinesis.records.map(({ text }) => text)).toEqual(['a']), {
      timeout: 10_000,
    });
  });

  it('takes its cells, signals and streams from a config', async () => {
    const west = await startFakeKinesis();
    const dns = await startSignalServer(EAST);
    const config = join(directory, 'spillway.config.json');
    const streams = {
      primary: { name: 'orders', existing: true },
      standby: { name: 'orders-west', existing: true },
    };
    await writeFile(
      config,
      JSON.stringify({
        name: 'test',
        zone: { id: 'Z1234567890', name: 'example.com' },
        cells: [
          { name: 'orders', streams },
          { name: 'clicks', stream: 'clicks' },
        ],
      }),
    );
    const args = [
      '--config',
      config,
      '--dns',
      dns.address,
      '--endpoint',
      `us-east-1=${kinesis.url}`,
      '--endpoint',
      `us-west-2=${west.url}`,
    ];
    const sidecar = await start({ args, pinned: false });
    expect(await put(sidecar, 'a')).toMatchObject({ status: 200 });
    dns.answer = WEST;
    await vi.waitFor(
      () =>
        expect(sidecar.events).toContainEqual({
          event: 'regionChanged',
          cell: 'orders',
          from: 'us-east-1',
          to: 'us-west-2',
        }),
      { timeout: 10_000 },
    );
    expect(await put(sidecar, 'b')).toMatchObject({ status: 200 });
    expect(west.records.map(({ stream, text }) => [stream, text])).toEqual([['orders-west', 'b']]);
    await Promise.all([west.close(), dns.close()]);
  });

  it.each([
    ['another address', ['--listen', '0.0.0.0:4567'], 'whoever can connect can write'],
    ['no address', ['--listen', 'here'], 'Write an IP address and a port'],
    ['a signal without regions', [], 'Give either --config, or --signal with --regions.'],
    [
      'half of a certificate',
      ['--cert', 'a.pem', '--regions', 'us-east-1'],
      'Give --cert and --key together.',
    ],
  ])('refuses %s with status 2', async (_, args, message) => {
    const flags = ['sidecar', '--json', '--signal', 'x.invalid', '--tls-dir', directory];
    if (args[0] === '--listen') flags.push('--regions', 'us-east-1');
    const { exitCode, stdout } = await execa(
      process.execPath,
      [ownFile('bin/spillway.ts'), ...flags, ...args],
      { reject: false },
    );
    expect(exitCode).toBe(2);
    expect(JSON.parse(stdout)).toMatchObject({
      ok: false,
      error: { message: expect.stringContaining(message) },
    });
  });
});
