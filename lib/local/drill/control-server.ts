import { createHash, randomBytes, timingSafeEqual } from 'node:crypto';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { requestSchema } from './control-protocol.ts';

export interface ControlServer {
  readonly url: string;
  /** Token that only the owner of the run's directory may know. */
  readonly token: string;
  close(): Promise<void>;
}

/** The acts by path. Each is called with the name of who asked, and its answer is sent as JSON. */
export type ControlActs = Readonly<Record<string, (by: string) => unknown>>;

const MAX_BODY_BYTES = 4_096;
const REQUEST_TIMEOUT_MS = 5_000;
const TOKEN_BYTES = 32;

/** Listens on loopback for acts on a kept world. A caller without the token gets no information. */
export async function startControlServer(acts: ControlActs): Promise<ControlServer> {
  const token = randomBytes(TOKEN_BYTES).toString('base64url');
  const server = createServer((request, response) => {
    serve(request, { acts, token }).then(
      ({ status, document }) => answer(response, status, document),
      () => request.socket.destroy(),
    );
  });
  server.requestTimeout = REQUEST_TIMEOUT_MS;
  server.headersTimeout = REQUEST_TIMEOUT_MS;
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen(0, '127.0.0.1', resolve);
  });
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    token,
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}

interface Answer {
  readonly status: number;
  readonly document: unknown;
}

const problem = (status: number, error: string): Answer => ({ status, document: { error } });

async function serve(
  request: IncomingMessage,
  { acts, token }: { readonly acts: ControlActs; readonly token: string },
): Promise<Answer> {
  if (!isSame(request.headers.authorization ?? '', `Bearer ${token}`)) {
    return problem(401, 'the token is not the one of this world');
  }
  const act = acts[request.url ?? ''];
  if (act === undefined) return problem(404, 'there is no such act');
  if (request.method !== 'POST') return problem(405, 'an act is asked for with POST');
  const body = await readBody(request);
  if (body === undefined) return problem(413, `more than ${MAX_BODY_BYTES} bytes`);
  const asked = requestSchema.safeParse(jsonOf(body));
  if (!asked.success) return problem(400, 'the body has to be {"by": "who asks"}');
  return { status: 200, document: act(asked.data.by) };
}

async function readBody(request: IncomingMessage): Promise<string | undefined> {
  const chunks: Buffer[] = [];
  let bytes = 0;
  for await (const chunk of request as AsyncIterable<Buffer>) {
    bytes += chunk.byteLength;
    if (bytes > MAX_BODY_BYTES) return undefined;
    chunks.push(chunk);
  }
  return Buffer.concat(chunks).toString();
}

function jsonOf(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

/** Compares in constant time, so that a wrong token reveals nothing. */
function isSame(one: string, other: string): boolean {
  const digest = (text: string): Buffer => createHash('sha256').update(text).digest();
  return timingSafeEqual(digest(one), digest(other));
}

function answer(response: ServerResponse, status: number, document: unknown): void {
  if (response.destroyed) return;
  response.writeHead(status, { 'content-type': 'application/json', connection: 'close' });
  response.end(JSON.stringify(document));
}
