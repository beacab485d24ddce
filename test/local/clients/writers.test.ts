import { afterEach, beforeAll, describe, expect, it } from 'vitest';
import {
  type ClientLine,
  type ForeignClient,
  prepareClient,
  startClient,
} from '../../../lib/local/clients/foreign-client.ts';
import { type SidecarWorld, startSidecarWorld } from '../../sidecar/world.ts';

const INSTALL_TIMEOUT_MS = 600_000;
const TEST_TIMEOUT_MS = 60_000;
const RECORDS = 100;
const names = ['boto3', 'async-kinesis', 'aiokpl'] as const;

let world: SidecarWorld | undefined;
let client: ForeignClient | undefined;
beforeAll(() => prepareClient('boto3'), INSTALL_TIMEOUT_MS);
afterEach(async () => {
  client?.child.kill('SIGKILL');
  await world?.close();
  world = undefined;
  client = undefined;
});

describe.each(names)('the program for %s', (name) => {
  it('writes what it reads, says so, and ends', { timeout: TEST_TIMEOUT_MS }, async () => {
    const standing = await startSidecarWorld();
    world = standing;
    const launch = await prepareClient(name);
    const lines: ClientLine[] = [];
    const settings = {
      endpoint: standing.tlsUrl,
      caFile: standing.caFile,
      stream: 'orders',
      region: 'us-east-1',
      accessKeyId: 'AKIDCLIENT',
      secretAccessKey: 'client-secret',
    };
    const started = startClient(await launch(settings), {
      base: { PATH: process.env.PATH },
      onLine: (line) => lines.push(line),
    });
    client = started;
    const ids = Array.from({ length: RECORDS }, (_, n) => String(n).padStart(4, '0'));
    for (const id of ids)
      started.put({ id, partitionKey: `key-${id.at(-1)}`, data: Buffer.from(id).toString('base64') });
    started.end();
    await started.exited;

    expect(lines.map((line) => ('id' in line && !('failed' in line) ? line.id : line)).toSorted()).toEqual(
      ids,
    );
    expect(standing.east.records.map(({ text }) => text).toSorted()).toEqual(ids);
  });
});
