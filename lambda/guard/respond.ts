import { request as httpRequest } from 'node:http';
import { request as httpsRequest } from 'node:https';
import type { CloudFormationCustomResourceEvent } from 'aws-lambda';
import { ResponseError } from './errors.ts';

const ATTEMPTS = 5;
const TIMEOUT_MS = 5_000;
const AGAIN_MS = 1_000;
/** CloudFormation takes at most 4,096 bytes for the whole response. */
const MOST_REASON_BYTES = 2_500;

export interface Outcome {
  readonly physicalId: string;
  /** Why the resource failed; undefined when it did not. */
  readonly failure?: string | undefined;
}

/**
 * Tells CloudFormation the outcome, at the URL that came with the event, as often as needed.
 * @throws ResponseError
 */
export async function respond(
  event: CloudFormationCustomResourceEvent,
  { physicalId, failure }: Outcome,
  sleep: (ms: number) => Promise<void>,
): Promise<void> {
  const body = JSON.stringify({
    Status: failure === undefined ? 'SUCCESS' : 'FAILED',
    Reason: beginningOf(failure ?? 'Nothing in this change moves traffic.'),
    PhysicalResourceId: physicalId,
    StackId: event.StackId,
    RequestId: event.RequestId,
    LogicalResourceId: event.LogicalResourceId,
  });
  let last: unknown;
  for (let attempt = 1; attempt <= ATTEMPTS; attempt++) {
    try {
      const status = await put(new URL(event.ResponseURL), body);
      if (status >= 200 && status < 300) return;
      last = new ResponseError(`The response URL answered ${status}.`);
    } catch (error) {
      last = error;
    }
    await sleep(AGAIN_MS);
  }
  throw new ResponseError(
    `CloudFormation could not be told the outcome in ${ATTEMPTS} attempts: the stack fails when its time-out is over. Deploy again.`,
    { cause: last },
  );
}

/** As a stream, or a character that is cut in two would become one that nobody wrote. */
const beginningOf = (reason: string): string =>
  new TextDecoder().decode(Buffer.from(reason).subarray(0, MOST_REASON_BYTES), { stream: true });

/** The signature in the URL covers an empty content type. */
function put(url: URL, body: string): Promise<number> {
  const { promise, resolve, reject } = Promise.withResolvers<number>();
  const request = (url.protocol === 'http:' ? httpRequest : httpsRequest)(
    url,
    {
      method: 'PUT',
      headers: { 'content-type': '', 'content-length': Buffer.byteLength(body) },
      signal: AbortSignal.timeout(TIMEOUT_MS),
    },
    (response) => {
      response.resume();
      resolve(response.statusCode ?? 0);
    },
  );
  request.on('error', reject);
  request.end(body);
  return promise;
}
