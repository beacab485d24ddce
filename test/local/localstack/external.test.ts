import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { startLocalStack } from '../../../lib/local/localstack/localstack.ts';

let directory: string;
let server: Server;

beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'spillway-external-'));
  server = createServer((_request, response) => response.end('{}'));
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  vi.stubEnv('SPILLWAY_LOCALSTACK_URL', `http://127.0.0.1:${(server.address() as AddressInfo).port}`);
});

afterEach(async () => {
  vi.unstubAllEnvs();
  await new Promise((resolve) => server.close(resolve));
  await rm(directory, { recursive: true, force: true });
});

describe('a LocalStack that was started elsewhere', () => {
  it('is known to have died by its silence', async () => {
    const died = Promise.withResolvers<string>();
    await startLocalStack({ directory, onExit: died.resolve, silenceMs: 1 });
    server.close();
    server.closeAllConnections();
    expect(await died.promise).toMatch(/Nothing answers at http:\/\/127\.0\.0\.1:\d+ any more/);
  });
});
