import { request as httpRequest } from 'node:http';
import { request as httpsRequest } from 'node:https';

/** As long as one of Route 53's checkers waits, for the connection and for the answer. */
const TIMEOUT_MS = 6_000;
/** Route 53 looks for its text in this much of the body. */
const MOST_BYTES = 5_120;

export interface AskOptions {
  /**
   * Where all of AWS is in a local world, function URLs included, which are then told apart by their Host
   * header.
   *
   * @default - the host itself, by HTTPS
   */
  readonly origin?: string | undefined;
}

/** The body that an endpoint answers with status 200; undefined for every other end. Follows no redirect. */
export function askEndpoint(
  { host, path }: { readonly host: string; readonly path: string },
  { origin }: AskOptions = {},
): Promise<string | undefined> {
  const url = new URL(path, origin ?? `https://${host}`);
  const { promise, resolve } = Promise.withResolvers<string | undefined>();
  const request = (url.protocol === 'http:' ? httpRequest : httpsRequest)(
    url,
    { headers: { host }, agent: false, signal: AbortSignal.timeout(TIMEOUT_MS) },
    (response) => {
      const chunks: Buffer[] = [];
      let length = 0;
      const finish = (): void => {
        resolve(response.statusCode === 200 ? Buffer.concat(chunks).toString('utf8') : undefined);
        request.destroy();
      };
      response.on('data', (chunk: Buffer) => {
        chunks.push(chunk);
        length += chunk.length;
        if (length >= MOST_BYTES) finish();
      });
      response.on('end', finish);
      response.on('error', () => resolve(undefined));
    },
  );
  request.on('error', () => resolve(undefined));
  request.end();
  return promise;
}
