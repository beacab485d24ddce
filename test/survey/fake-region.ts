import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { factsOf } from '../../lib/scenario/request-facts.ts';

type Body = Readonly<Record<string, unknown>>;
export interface Asked {
  readonly region: string;
  readonly operation: string;
  readonly body: Body;
}
/** A body to answer 200 with, a status or an error's name to fail with, or nothing: no answer ever. */
export type Answer = Body | number | string | undefined;

/** Kinesis and CloudWatch on a real socket, so that what is tested is what the SDK's clients send and take. */
export async function startFakeRegion(answer: (asked: Asked) => Answer) {
  const asked: Asked[] = [];
  const server = createServer(async (request, response) => {
    const text = Buffer.concat(await request.toArray());
    const facts = factsOf(request, text);
    const call = {
      region: facts?.region ?? '',
      operation: facts?.operation ?? '',
      body: JSON.parse(text.toString('utf8') || '{}') as Body,
    };
    asked.push(call);
    const said = answer(call);
    if (said === undefined) return;
    const status = typeof said === 'number' ? said : typeof said === 'string' ? 400 : 200;
    const code = typeof said === 'string' ? said : said === 400 ? 'ResourceNotFoundException' : 'Failure';
    response.writeHead(status, { 'content-type': 'application/x-amz-json-1.1' });
    response.end(JSON.stringify(status === 200 ? said : { __type: code }));
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    asked,
    close: async () => {
      server.closeAllConnections();
      server.close();
      await once(server, 'close');
    },
  };
}
