import { once } from 'node:events';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import { createSecureServer, type Http2SecureServer } from 'node:http2';
import type { AddressInfo } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Behaviour, KnownIdentity, Received, RememberedRecord, SinkSettings } from './behaviour.ts';
import { decoded, encoded } from './cbor.ts';
import { loopbackCertificate } from './certificate.ts';
import {
  contentTypes,
  type Encoding,
  encodingOf,
  errorAnswer,
  type ParsedRequest,
  parsePutRecords,
  putRecordsAnswer,
  RefusedRequest,
} from './put-records.ts';
import { ShardMap } from './shards.ts';
import { userRecordsIn } from './user-records.ts';
import { signatureProblem } from './verify-signature.ts';

const MAX_CONNECTIONS = 256;
const MAX_BODY_BYTES = 16 * 1024 * 1024;
const TARGET = 'Kinesis_20131202.';
/** The MD5 of every one of so many requests' aggregates is checked. */
const CHECK_EVERY = 32;
const DESCRIBE = 'Kinesis_20131202.DescribeStreamSummary';
const HTTP_BAD_REQUEST = 400;

/** PutRecords over HTTP/1.1, and over HTTP/2 where there is TLS. Keeps nothing but counts, if not asked to. */
export class SinkServer {
  readonly #settings: SinkSettings;
  #identities: readonly KnownIdentity[] | undefined;
  readonly #shards: ShardMap | undefined;
  #next: Behaviour[] = [];
  #last: RememberedRecord[] = [];
  #requests = 0;
  #records = 0;
  #bytes = 0;
  #userRecords = 0;
  #connections = 0;

  constructor(settings: SinkSettings) {
    this.#settings = settings;
    this.#identities = settings.identities;
    this.#shards = settings.shards === undefined ? undefined : new ShardMap(settings.shards);
  }

  async listen(): Promise<{ readonly url: string; readonly ca: string | undefined }> {
    const handle = (request: IncomingMessage, response: ServerResponse) =>
      void this.#handle(request, response).catch(() => request.socket.destroy());
    let server: Server | Http2SecureServer;
    let ca: string | undefined;
    if (this.#settings.tls) {
      const { key, cert } = await loopbackCertificate();
      ca = cert;
      // The compatibility objects of HTTP/2 do for all that is used here.
      server = createSecureServer({ key, cert, allowHTTP1: true }, (request, response) =>
        handle(request as unknown as IncomingMessage, response as unknown as ServerResponse),
      );
    } else {
      server = createServer(handle);
    }
    server.maxConnections = MAX_CONNECTIONS;
    server.on('connection', () => this.#connections++);
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    const { port } = server.address() as AddressInfo;
    return { url: `${ca === undefined ? 'http' : 'https'}://127.0.0.1:${port}`, ca };
  }

  behave(next: readonly Behaviour[]): void {
    this.#next = [...next];
  }

  accept(identities: readonly KnownIdentity[]): void {
    this.#identities = identities;
  }

  last(): readonly RememberedRecord[] {
    return this.#last;
  }

  received(): Received {
    const { user, system } = process.cpuUsage();
    return {
      requests: this.#requests,
      records: this.#records,
      bytes: this.#bytes,
      userRecords: this.#userRecords,
      connections: this.#connections,
      cpuMs: (user + system) / 1000,
    };
  }

  async #handle(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const body = await bodyOf(request);
    if (request.headers['x-amz-target'] === DESCRIBE && this.#shards === undefined) {
      // What a producer asks of its own accord is not what tests count.
      return respond(response, HTTP_BAD_REQUEST, {
        encoding: 'json',
        body: errorAnswer('json', { __type: 'UnknownOperationException' }),
      });
    }
    this.#requests++;
    const problem = this.#refusal(request, body);
    const encoding = encodingOf(request.headers['content-type']);
    const refuse = (type: string, message = 'Refused.'): void =>
      respond(response, HTTP_BAD_REQUEST, {
        encoding,
        body: errorAnswer(encoding, { __type: type, message }),
      });
    if (problem !== undefined) return refuse(problem);
    if (encoding === 'cbor' && this.#settings.jsonOnly === true) {
      const body = errorAnswer('json', { __type: 'SerializationException' });
      return respond(response, HTTP_BAD_REQUEST, { encoding: 'json', body });
    }
    const control = this.#control(request, body);
    if (control !== undefined) return answer(response, encoding, control);
    const behaviour = this.#next.shift() ?? { kind: 'serve' };
    let parsed: ParsedRequest;
    try {
      parsed = parsePutRecords(body, encoding);
    } catch (error) {
      if (!(error instanceof RefusedRequest)) throw error;
      return refuse(error.type, error.message);
    }
    if (this.#settings.remember === 'all') this.#last.push(...parsed.records.map(remembered));
    else if (this.#settings.remember === true) this.#last = parsed.records.map(remembered);
    const { answerAfterMs } = this.#settings;
    if (answerAfterMs !== undefined) await sleep(answerAfterMs);
    await this.#behave(behaviour, { parsed, encoding, request, response });
  }

  #refusal(request: IncomingMessage, body: Buffer): string | undefined {
    const { method, url, headers } = request;
    if (method !== 'POST' || !this.#operations.includes(operationOf(request)))
      return 'UnknownOperationException';
    if (headers.authorization === undefined) return 'MissingAuthenticationTokenException';
    if (this.#identities === undefined) return undefined;
    const host = headers.host ?? String(headers[':authority'] ?? '');
    return signatureProblem(
      { method, path: url ?? '', headers: { ...headers, host }, body },
      { service: 'kinesis', identities: this.#identities, nowMs: Date.now() },
    );
  }

  get #operations(): readonly string[] {
    return this.#shards === undefined
      ? ['PutRecords']
      : ['PutRecords', 'ListShards', 'DescribeStreamSummary'];
  }

  /** The answer to what is no PutRecords. */
  #control(request: IncomingMessage, body: Buffer): Buffer | undefined {
    const operation = operationOf(request);
    if (operation === 'PutRecords' || this.#shards === undefined) return undefined;
    const encoding = encodingOf(request.headers['content-type']);
    const asked = (encoding === 'cbor' ? decoded(body) : JSON.parse(body.toString())) as {
      readonly StreamName?: string;
    };
    const fields =
      operation === 'ListShards' ? this.#shards.shards() : this.#shards.summary(asked.StreamName ?? 'orders');
    return encoding === 'cbor' ? encoded(fields) : Buffer.from(JSON.stringify(fields));
  }

  async #behave(
    behaviour: Behaviour,
    {
      parsed,
      encoding,
      request,
      response,
    }: {
      readonly parsed: ParsedRequest;
      readonly encoding: Encoding;
      readonly request: IncomingMessage;
      readonly response: ServerResponse;
    },
  ): Promise<void> {
    switch (behaviour.kind) {
      case 'serve':
        return answer(response, encoding, this.#take(parsed, encoding));
      case 'failEntries':
        return answer(response, encoding, this.#take(parsed, encoding, { failing: behaviour }));
      case 'short':
        return answer(response, encoding, this.#take(parsed, encoding, { short: behaviour.by }));
      case 'raw':
        return answer(response, encoding, Buffer.from(behaviour.body));
      case 'error':
        return misbehave(response, encoding, behaviour);
      case 'hang':
        return;
      case 'reset':
        request.socket.destroy();
        return;
      case 'slow': {
        const body = this.#take(parsed, encoding);
        const half = body.length >> 1;
        response.writeHead(200, { 'content-type': contentTypes[encoding] });
        response.write(body.subarray(0, half));
        await sleep(behaviour.ms, undefined, { ref: false });
        response.end(body.subarray(half));
        return;
      }
      default: {
        const never: never = behaviour;
        throw new Error(`unknown behaviour ${JSON.stringify(never)}`);
      }
    }
  }

  #take(
    parsed: ParsedRequest,
    encoding: Encoding,
    {
      short = 0,
      failing,
    }: { readonly short?: number; readonly failing?: { nth: number; code: string } } = {},
  ): Buffer {
    const first = this.#records;
    const count = parsed.records.length - short;
    this.#records += parsed.records.length;
    this.#bytes += parsed.bytes;
    const map = this.#shards;
    if (map !== undefined) {
      const check = this.#requests % CHECK_EVERY === 0;
      for (const { data } of parsed.records) this.#userRecords += userRecordsIn(data, { check });
    }
    return putRecordsAnswer(parsed, {
      encoding,
      count,
      first,
      ...(failing && { failing }),
      ...(map && { shardOf: (record) => map.shardOf(record) }),
    });
  }
}

function operationOf({ headers }: IncomingMessage): string {
  const target = String(headers['x-amz-target'] ?? '');
  return target.startsWith(TARGET) ? target.slice(TARGET.length) : '';
}

function answer(response: ServerResponse, encoding: Encoding, body: Buffer): void {
  response.writeHead(200, {
    'content-type': contentTypes[encoding],
    'content-length': body.length,
    'x-amzn-requestid': 'c0a8f1d2-0000-0000-0000-000000000000',
  });
  response.end(body);
}

function misbehave(
  response: ServerResponse,
  encoding: Encoding,
  { status, type, where, raw }: Extract<Behaviour, { kind: 'error' }>,
): void {
  if (raw !== undefined) {
    respond(response, status, { encoding: 'json', body: Buffer.from(raw) });
    return;
  }
  const named: Record<string, string> =
    type !== undefined && where !== 'header' ? { __type: `com.amazonaws.kinesis.v20131202#${type}` } : {};
  const body = errorAnswer(encoding, { ...named, message: 'As the test asked.' });
  const header: Record<string, string> =
    type !== undefined && where === 'header' ? { 'x-amzn-errortype': `${type}:http://internal/` } : {};
  respond(response, status, { encoding, body, header });
}

function respond(
  response: ServerResponse,
  status: number,
  { encoding, body, header }: { encoding: Encoding; body: Buffer; header?: Record<string, string> },
): void {
  response.writeHead(status, {
    'content-type': contentTypes[encoding],
    'x-amzn-requestid': 'c0a8f1d2-0000-0000-0000-00000000000e',
    ...header,
  });
  response.end(body);
}

async function bodyOf(request: IncomingMessage): Promise<Buffer> {
  const chunks: Buffer[] = [];
  let length = 0;
  request.on('data', (chunk: Buffer) => {
    length += chunk.length;
    if (length > MAX_BODY_BYTES) request.socket.destroy();
    else chunks.push(chunk);
  });
  await once(request, 'end');
  return chunks.length === 1 ? (chunks[0] as Buffer) : Buffer.concat(chunks, length);
}

function remembered({
  partitionKey,
  explicitHashKey,
  data,
}: ParsedRequest['records'][number]): RememberedRecord {
  const hashKey = explicitHashKey === undefined ? {} : { explicitHashKey };
  return { partitionKey, ...hashKey, data: data.toString('base64') };
}
