import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { appendFile, mkdtemp, open as openFile, readdir, readFile, rm } from 'node:fs/promises';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { json, text } from 'node:stream/consumers';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { z } from 'zod';
import { Spool } from '../../lib/producer/spool/spool.ts';
import { runIn } from './fixtures/cli.ts';

const cli = fileURLToPath(new URL('../../bin/spillway.ts', import.meta.url));
const FIRST = '0000000000000001.seg';
const TIMEOUT_MS = 20_000;
const bodySchema = z.object({ Records: z.array(z.object({ PartitionKey: z.string(), Data: z.base64() })) });

let parent: string;
let directory: string;
let kinesis: Server;
let url: string;
/** Key and data of what the stream took, in its order. */
let taken: string[];
/** Whether the stream takes this record now. */
let takes: (data: string) => boolean;

beforeEach(async () => {
  parent = await mkdtemp(join(tmpdir(), 'spillway-cli-spool-'));
  directory = join(parent, 'spool');
  taken = [];
  takes = () => true;
  vi.stubEnv('AWS_ACCESS_KEY_ID', 'test');
  vi.stubEnv('AWS_SECRET_ACCESS_KEY', 'test');
  kinesis = createServer(async (request, response) => {
    const { Records } = bodySchema.parse(await json(request));
    const answers = Records.map(({ PartitionKey, Data }) => {
      const data = Buffer.from(Data, 'base64').toString();
      if (!takes(data)) return { ErrorCode: 'InternalFailure', ErrorMessage: 'not now' };
      taken.push(`${PartitionKey}:${data}`);
      return { ShardId: 'shardId-000000000000', SequenceNumber: String(taken.length) };
    });
    response.setHeader('content-type', 'application/x-amz-json-1.1');
    response.end(JSON.stringify({ Records: answers }));
  }).listen(0, '127.0.0.1');
  await once(kinesis, 'listening');
  url = `http://127.0.0.1:${(kinesis.address() as AddressInfo).port}`;
});
afterEach(async () => {
  vi.unstubAllEnvs();
  kinesis.closeAllConnections();
  kinesis.close();
  await rm(parent, { recursive: true, force: true });
});

interface Ended {
  readonly status: number;
  readonly stdout: string;
  readonly stderr: string;
}

/** In this process: starting one costs more than the rest. */
async function spillway(...args: readonly string[]): Promise<Ended> {
  const { exit, out, err } = await runIn(parent, ['spool', ...args], {});
  return { status: exit, stdout: out, stderr: err };
}

function drain(): Promise<Ended> {
  return spillway(
    'drain',
    directory,
    '--stream',
    'orders',
    '--region',
    'us-west-2',
    '--endpoint',
    url,
    '--json',
  );
}

/** A closed spool with the records `0`, `1`… of so many keys in turn, `a` first. */
async function fill(count: number, keys = 2): Promise<void> {
  const spool = await Spool.open({ directory });
  const record = (index: number) => ({ partitionKey: keyOf(index % keys), data: Buffer.from(`${index}`) });
  await spool.append(Array.from({ length: count }, (_, index) => record(index)));
  await spool.close();
}

function keyOf(number: number): string {
  return String.fromCharCode('a'.charCodeAt(0) + number);
}

async function damage(offset: number): Promise<void> {
  const file = await openFile(join(directory, FIRST), 'r+');
  await file.write(Buffer.of(0xaa), 0, 1, offset);
  await file.close();
}

function ofKey(key: string): readonly string[] {
  return taken.filter((text) => text.startsWith(`${key}:`)).map((text) => text.slice(2));
}

describe('spillway spool', { timeout: TIMEOUT_MS }, () => {
  it('inspect says what is in it and who owns it', async () => {
    await fill(5);
    const spool = await Spool.open({ directory });
    const [first] = await spool.read({ records: 1, bytes: 1 });
    await spool.acknowledge(first?.position as never);
    const { status, stdout } = await spillway('inspect', directory, '--json');
    expect(status).toBe(0);
    expect(JSON.parse(stdout)).toMatchObject({
      owner: { alive: true, pid: process.pid },
      records: 4,
      segments: 1,
      damages: [],
      cursor: { segment: 1, offset: 64 + 14 },
    });
    await spool.close();
    const closed = await spillway('inspect', directory);
    expect(closed.stdout).toMatch(/owner +nobody\n/);
    expect(closed.stdout).toMatch(/records +4 not acknowledged/);
    expect(Number(/last write .*\((\d+) s ago\)/.exec(closed.stdout)?.[1])).toBeLessThan(20);
  });

  it('verify changes nothing, and fails when a record is damaged', async () => {
    await fill(3);
    expect(await spillway('verify', directory)).toMatchObject({
      status: 0,
      stdout: expect.stringMatching(/^good 3/),
    });
    await damage(64 + 14 + 13);
    const before = await readFile(join(directory, FIRST));
    const { status, stdout } = await spillway('verify', directory, '--json');
    expect(status).toBe(1);
    expect(JSON.parse(stdout)).toMatchObject({ ok: false, damages: [{ segment: 1, start: 78, end: 92 }] });
    expect(await readFile(join(directory, FIRST))).toEqual(before);
    expect(await readdir(directory)).not.toContain('quarantine');
  });

  it('repair mends what verify found, and not while somebody owns it', async () => {
    await fill(3);
    await appendFile(join(directory, FIRST), 'torn');
    expect((await spillway('verify', directory)).status).toBe(1);
    const spool = await Spool.open({ directory });
    const refused = await spillway('repair', directory);
    expect(refused).toMatchObject({
      status: 1,
      stderr: expect.stringContaining(`Process ${process.pid} on`),
    });
    await spool.close();
    await appendFile(join(directory, FIRST), 'torn again');
    const { status, stdout } = await spillway('repair', directory, '--json');
    expect(status).toBe(0);
    expect(JSON.parse(stdout)).toMatchObject({ records: 3, tornBytes: 10 });
    expect((await spillway('verify', directory)).status).toBe(0);
  });

  it('repair rebuilds a cursor that is lost', async () => {
    await fill(3);
    await appendFile(join(directory, 'cursor'), '');
    const cursor = await openFile(join(directory, 'cursor'), 'r+');
    await cursor.write('garbage', 0);
    await cursor.close();
    expect((await spillway('verify', directory)).stdout).toMatch(/cursor is lost/);
    expect((await spillway('repair', directory)).stdout).toMatch(/every record in the spool is sent again/);
    expect((await spillway('verify', directory)).status).toBe(0);
  });

  it('drain sends everything once, in order per key, and then says that there is nothing to do', async () => {
    await fill(40);
    const { status, stdout } = await drain();
    expect(status).toBe(0);
    expect(JSON.parse(stdout)).toEqual({ ok: true, sent: 40, refused: 0, left: 0 });
    expect(ofKey('a')).toEqual(Array.from({ length: 20 }, (_, index) => `${2 * index}`));
    expect(ofKey('b')).toEqual(Array.from({ length: 20 }, (_, index) => `${2 * index + 1}`));
    const again = JSON.parse((await drain()).stdout);
    expect(again).toEqual({ ok: true, sent: 0, refused: 0, left: 0 });
    expect(taken).toHaveLength(40);
  });

  it('drain keeps the order of a key whose record fails a few times', async () => {
    await fill(10);
    let refusals = 3;
    takes = (data) => data !== '4' || refusals-- <= 0;
    expect((await drain()).status).toBe(0);
    expect(ofKey('a')).toEqual(['0', '2', '4', '6', '8']);
    expect(ofKey('b')).toEqual(['1', '3', '5', '7', '9']);
  });

  it('drain goes on where a killed one stopped', async () => {
    await fill(4_100, 26);
    takes = () => taken.length < 2_300;
    const args = [
      'spool',
      'drain',
      directory,
      '--stream',
      'orders',
      '--region',
      'us-west-2',
      '--endpoint',
      url,
    ];
    const child = spawn(process.execPath, [cli, ...args], { stdio: 'ignore' });
    const deadlineMs = performance.now() + TIMEOUT_MS;
    while (taken.length < 2_300 && performance.now() < deadlineMs) await sleep(20);
    child.kill('SIGKILL');
    await once(child, 'exit');
    takes = () => true;
    expect((await drain()).status).toBe(0);
    expect([...new Set(ofKey('a'))].map(Number)).toEqual(
      Array.from({ length: 158 }, (_, index) => 26 * index),
    );
    expect(new Set(taken).size).toBe(4_100);
    // The first 2,000 were acknowledged in the spool; of the others some were sent twice.
    expect(taken.length).toBe(4_100 + 300);
  });

  it('drain gives up when the stream will never take them, and says why', async () => {
    await fill(4);
    takes = () => false;
    kinesis.removeAllListeners('request');
    kinesis.on('request', (_, response) => {
      response.writeHead(400, { 'content-type': 'application/x-amz-json-1.1' });
      response.end('{"__type":"ResourceNotFoundException","message":"Stream orders not found."}');
    });
    const { status, stdout } = await drain();
    expect(status).toBe(1);
    expect(JSON.parse(stdout).error.message).toMatch(
      /orders in us-west-2 does not take the records \(ResourceNotFoundException/,
    );
    expect(JSON.parse((await spillway('inspect', directory, '--json')).stdout).records).toBe(4);
  });

  it('is a verb of the command line, with status 2 for wrong usage', async () => {
    const child = spawn(process.execPath, [cli, 'spool', 'drain', directory, '--region', 'us-west-2']);
    const [said, [status]] = await Promise.all([text(child.stderr), once(child, 'exit')]);
    expect(said).toMatch(/required option '--stream <name>' not specified/);
    expect(status).toBe(2);
  });

  it.each([
    ['a missing directory', 'nowhere'],
    ['a directory without a spool', '.'],
  ])('refuses %s with status 2, and creates nothing', async (_, place) => {
    for (const verb of ['inspect', 'verify', 'repair']) {
      const { status, stderr } = await spillway(verb, join(parent, place));
      expect(status).toBe(2);
      expect(stderr).toMatch(/There is no spool in/);
    }
    expect(await readdir(parent)).toEqual([]);
  });
});
