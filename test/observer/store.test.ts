import { once } from 'node:events';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { json } from 'node:stream/consumers';
import { DynamoDBClient } from '@aws-sdk/client-dynamodb';
import { DynamoDBDocumentClient } from '@aws-sdk/lib-dynamodb';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { initialDecisionState } from '../../lambda/core/decide.ts';
import { emptyMemory } from '../../lambda/core/memory.ts';
import { ObserverStore, type StoredTick } from '../../lambda/observer/store.ts';

let server: Server;
let written: Record<string, unknown>[];
beforeEach(async () => {
  written = [];
  server = createServer(async (request, response) => {
    written.push(((await json(request)) as { readonly Item: Record<string, unknown> }).Item);
    response.setHeader('content-type', 'application/x-amz-json-1.0');
    response.end('{}');
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
});
afterEach(() => {
  server.closeAllConnections();
  server.close();
});

const tick: StoredTick = {
  memory: emptyMemory,
  decision: {
    vote: 'HOLD',
    state: initialDecisionState,
    diagnosis: 'Healthy',
    comment: 'the primary is healthy',
    refusals: [],
  } as unknown as StoredTick['decision'],
  cells: [],
  decidedAtMs: 1,
  expiresAtMs: 2,
};

it('the state of the table of beacons is stored beside the vote, where there is one', async () => {
  const own = DynamoDBDocumentClient.from(
    new DynamoDBClient({
      region: 'us-west-2',
      endpoint: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
      credentials: { accessKeyId: 'test', secretAccessKey: 'test' },
      maxAttempts: 1,
    }),
    { marshallOptions: { removeUndefinedValues: true } },
  );
  const store = new ObserverStore({
    own,
    voteTable: 'shop-vote',
    standby: own,
    stateTable: 'shop-state',
    switchGroups: new Set(),
  });
  expect(await store.save('run', tick)).toBe('saved');
  const beaconTable = { isComplete: true, sources: 3, cells: { orders: 3 }, silentCells: 0, ignored: {} };
  expect(await store.save('run', { ...tick, beaconTable })).toBe('saved');
  expect(written[0]).not.toHaveProperty('beacons');
  expect(written[1]?.beacons).toMatchObject({
    M: { isComplete: { BOOL: true }, cells: { M: { orders: { N: '3' } } } },
  });
});
