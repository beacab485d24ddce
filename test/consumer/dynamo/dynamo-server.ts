import { once } from 'node:events';
import { createServer, type IncomingMessage, request, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { text as textOf } from 'node:stream/consumers';
import { CreateTableCommand, DynamoDBClient, waitUntilTableExists } from '@aws-sdk/client-dynamodb';
import { NodeHttpHandler } from '@smithy/node-http-handler';
import dynalite from 'dynalite';

/** What happens to a request on its way: 'lost' is carried out, and its answer does not come back. */
export type Fate = 'pass' | 'hang' | 'lost' | { readonly status: number; readonly type: string };

export interface DynamoServer {
  readonly client: DynamoDBClient;
  readonly url: string;
  /** Operations asked for, in order. */
  readonly asked: string[];
  before: (operation: string) => Fate;
  /** As DynamoDB does where it is asked to, and dynalite does not: a refused condition comes with the item. */
  returnsItems: boolean;
  close(): Promise<void>;
}

/** A server that speaks DynamoDB, behind one that lets requests fail; with an empty table `handled`. */
export async function startDynamo(): Promise<DynamoServer> {
  const database = dynalite({ createTableMs: 0 });
  const port = await listen(database);
  const tap = createServer();
  const url = `http://127.0.0.1:${await listen(tap)}`;
  const server: DynamoServer = {
    client: clientFor(url),
    url,
    asked: [],
    before: () => 'pass',
    returnsItems: true,
    close: async () => {
      server.client.destroy();
      tap.closeAllConnections();
      database.closeAllConnections();
      await Promise.all([tap, database].map((one) => new Promise((done) => one.close(done))));
    },
  };
  tap.on('request', (req, res) => {
    const operation = `${req.headers['x-amz-target']}`.split('.').at(-1) ?? '';
    server.asked.push(operation);
    const fate = server.before(operation);
    if (fate === 'hang') return;
    if (typeof fate === 'object') {
      res.writeHead(fate.status, { 'content-type': 'application/x-amz-json-1.0' });
      res.end(
        JSON.stringify({ __type: `com.amazonaws.dynamodb.v20120810#${fate.type}`, message: 'by the test' }),
      );
      return;
    }
    void carryOut(req).then(
      ({ status, text }) => {
        if (fate === 'lost') res.destroy();
        else res.writeHead(status, { 'content-type': 'application/x-amz-json-1.0' }).end(text);
      },
      () => res.destroy(),
    );
  });
  const carryOut = async (req: IncomingMessage): Promise<Answer> => {
    const body = await textOf(req);
    const answer = await ask(port, { headers: req.headers, body });
    if (!server.returnsItems || !answer.text.includes('ConditionalCheckFailed')) return answer;
    const { TableName, Item, ReturnValuesOnConditionCheckFailure: wanted } = JSON.parse(body);
    if (wanted !== 'ALL_OLD') return answer;
    const headers = { ...req.headers, 'x-amz-target': 'DynamoDB_20120810.GetItem' };
    const asking = JSON.stringify({ TableName, Key: { id: Item.id }, ConsistentRead: true });
    const found = await ask(port, { headers, body: asking });
    return { ...answer, text: JSON.stringify({ ...JSON.parse(answer.text), ...JSON.parse(found.text) }) };
  };
  await makeTable(server.client);
  server.asked.length = 0;
  return server;
}

interface Answer {
  readonly status: number;
  readonly text: string;
}

async function ask(
  port: number,
  { headers, body }: { readonly headers: IncomingMessage['headers']; readonly body: string },
): Promise<Answer> {
  const { 'content-length': _, ...rest } = headers;
  const through = request({ port, host: '127.0.0.1', method: 'POST', headers: rest });
  through.end(body);
  const [answer] = (await once(through, 'response')) as [IncomingMessage];
  return { status: answer.statusCode ?? 500, text: await textOf(answer) };
}

async function listen(server: Server): Promise<number> {
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return (server.address() as AddressInfo).port;
}

const clientFor = (endpoint: string): DynamoDBClient =>
  new DynamoDBClient({
    region: 'us-east-1',
    endpoint,
    credentials: { accessKeyId: 'test', secretAccessKey: 'test' },
    // One, so that a test counts the attempts of the store.
    maxAttempts: 1,
    requestHandler: new NodeHttpHandler(),
  });

async function makeTable(client: DynamoDBClient): Promise<void> {
  const TableName = 'handled';
  await client.send(
    new CreateTableCommand({
      TableName,
      AttributeDefinitions: [{ AttributeName: 'id', AttributeType: 'S' }],
      KeySchema: [{ AttributeName: 'id', KeyType: 'HASH' }],
      BillingMode: 'PAY_PER_REQUEST',
    }),
  );
  await waitUntilTableExists({ client, maxWaitTime: 10, minDelay: 0.02, maxDelay: 0.1 } as never, {
    TableName,
  });
}
