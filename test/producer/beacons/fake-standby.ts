import { once } from 'node:events';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { buffer } from 'node:stream/consumers';
import type { KnownIdentity } from '../sink/behaviour.ts';
import { signatureProblem } from '../sink/verify-signature.ts';

/** DynamoDB and STS of one region on a real socket, as far as beacons go. */
export interface FakeStandby {
  readonly url: string;
  /** Items that were written, in the wire's form. */
  readonly items: readonly Record<string, WireValue>[];
  readonly calls: readonly string[];
  /** What STS answers. */
  userId: string;
  /** The interval of the fleet; undefined: no observer has written any. */
  fleetEveryMs: number | undefined;
  /** How far the service's clock is ahead of this machine's. */
  clockAheadMs: number;
  /** Answers a call with an error, or never (`hang`); undefined serves it. */
  refuse: (operation: string, item?: Record<string, WireValue>) => Refusal | 'hang' | undefined;
  close(): Promise<void>;
}

export interface WireValue {
  readonly S?: string;
  readonly N?: string;
  readonly L?: readonly WireValue[];
  readonly M?: Readonly<Record<string, WireValue>>;
}

interface Refusal {
  readonly status: number;
  readonly type: string;
}

export const denied: Refusal = { status: 400, type: 'AccessDeniedException' };

/** The identity whose signatures are taken. */
export const known: KnownIdentity = { accessKeyId: 'test', secretAccessKey: 'test' };

export async function startFakeStandby(identity: KnownIdentity = known): Promise<FakeStandby> {
  const items: Record<string, WireValue>[] = [];
  const calls: string[] = [];
  const server = createServer((request, response) => void serve(request, response));
  const fake = {
    url: '',
    items,
    calls,
    userId: 'AROAEXAMPLE:task-1',
    fleetEveryMs: undefined,
    clockAheadMs: 0,
    refuse: () => undefined,
    close: async () => {
      server.closeAllConnections();
      server.close();
    },
  } as FakeStandby & { url: string };

  async function serve(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const bytes = await buffer(request);
    const body = bytes.toString();
    const target = request.headers['x-amz-target'];
    const operation = target === undefined ? 'GetCallerIdentity' : String(target).split('.')[1];
    const item = operation === 'PutItem' ? JSON.parse(body).Item : undefined;
    calls.push(String(operation));
    const problem = signatureProblem(
      { method: 'POST', path: request.url ?? '', headers: request.headers, body: bytes },
      {
        service: target === undefined ? 'sts' : 'dynamodb',
        identities: [identity],
        nowMs: Date.now() + fake.clockAheadMs,
      },
    );
    if (problem !== undefined) calls.push(problem);
    const refusal =
      problem === undefined ? fake.refuse(String(operation), item) : { status: 403, type: problem };
    if (refusal === 'hang') return;
    if (refusal !== undefined) {
      const date = new Date(Date.now() + fake.clockAheadMs).toUTCString();
      if (target === undefined) {
        response.writeHead(refusal.status, { 'content-type': 'text/xml', date });
        response.end(
          `<ErrorResponse><Error><Type>Sender</Type><Code>${refusal.type}</Code><Message>refused</Message></Error></ErrorResponse>`,
        );
        return;
      }
      response.setHeader('date', date);
      response.writeHead(refusal.status, { 'content-type': 'application/x-amz-json-1.0' });
      response.end(JSON.stringify({ __type: `com.amazonaws#${refusal.type}`, message: 'refused' }));
      return;
    }
    if (target === undefined) {
      response.writeHead(200, { 'content-type': 'text/xml' });
      response.end(
        `<GetCallerIdentityResponse xmlns="https://sts.amazonaws.com/doc/2011-06-15/"><GetCallerIdentityResult><UserId>${fake.userId}</UserId><Account>123456789012</Account><Arn>arn</Arn></GetCallerIdentityResult></GetCallerIdentityResponse>`,
      );
      return;
    }
    response.writeHead(200, { 'content-type': 'application/x-amz-json-1.0' });
    if (item !== undefined) items.push(item);
    const every = fake.fleetEveryMs;
    const isFleet = operation === 'GetItem' && every !== undefined;
    response.end(JSON.stringify(isFleet ? { Item: { every: { N: String(every) } } } : {}));
  }

  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  fake.url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  return fake;
}

/** A value of the wire's form as plain data. */
export function plain(value: WireValue): unknown {
  if (value.S !== undefined) return value.S;
  if (value.N !== undefined) return Number(value.N);
  if (value.L !== undefined) return value.L.map(plain);
  return plainItem(value.M ?? {});
}

export const plainItem = (item: Readonly<Record<string, WireValue>>): Record<string, unknown> =>
  Object.fromEntries(Object.entries(item).map(([name, value]) => [name, plain(value)]));
