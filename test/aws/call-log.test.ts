import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DynamoDBClient, ListTablesCommand } from '@aws-sdk/client-dynamodb';
import { afterEach, beforeEach, expect, it, vi } from 'vitest';
import { CALL_LOG } from '../../lib/aws/call-log.ts';
import { clientOf } from '../../lib/aws/clients.ts';

let directory: string;
let server: Server;
beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'spillway-call-log-'));
  server = createServer((_request, response) => {
    response.setHeader('content-type', 'application/x-amz-json-1.0');
    response.end('{"TableNames":[]}');
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  vi.stubEnv('AWS_ACCESS_KEY_ID', 'test');
  vi.stubEnv('AWS_SECRET_ACCESS_KEY', 'test');
  vi.stubEnv('AWS_ENDPOINT_URL', `http://127.0.0.1:${(server.address() as AddressInfo).port}`);
});
afterEach(async () => {
  vi.unstubAllEnvs();
  server.closeAllConnections();
  server.close();
  await rm(directory, { recursive: true });
});

const client = () =>
  clientOf(DynamoDBClient, { region: 'us-west-2', who: 'conductor', timeoutMs: 2_000, maxSockets: 1 });

it('writes each call as a line, with what it is, where it goes and whose it is', async () => {
  const file = join(directory, 'calls.jsonl');
  vi.stubEnv(CALL_LOG, file);
  const dynamoDb = client();
  await dynamoDb.send(new ListTablesCommand({}));
  await dynamoDb.send(new ListTablesCommand({}));
  const call = { service: 'dynamodb', operation: 'ListTables', region: 'us-west-2', who: 'conductor' };
  const lines = (await readFile(file, 'utf8')).trimEnd().split('\n');
  expect(lines.map((line) => JSON.parse(line))).toEqual([
    { ...call, endpoint: '127.0.0.1' },
    { ...call, endpoint: '127.0.0.1' },
  ]);
});

it('makes the call all the same when it cannot be written down', async () => {
  vi.stubEnv(CALL_LOG, join(directory, 'no', 'such', 'directory'));
  await expect(client().send(new ListTablesCommand({}))).resolves.toMatchObject({ TableNames: [] });
});
