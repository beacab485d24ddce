import { RecordFailure } from '../errors.ts';
import type { ProducerOptions } from '../options.ts';
import type { OutgoingBatch } from '../transport.ts';
import { BodyBuffers } from './body-buffers.ts';
import { Credentials } from './credentials.ts';
import { encoded } from './culprits.ts';
import { EncodingChoice } from './encoding-choice.ts';
import { type EncodingName, encodingOf, encodings } from './encodings.ts';
import { kinesisEndpoint } from './endpoint.ts';
import { connectionsTo, exchange } from './exchange.ts';
import { PUT_RECORDS } from './fast-transport.ts';
import { networkOf } from './network.ts';
import { serviceError } from './service-error.ts';
import { Signer } from './signer.ts';

export interface SingleRequest extends Pick<ProducerOptions, 'endpoint' | 'credentials'> {
  readonly encoding: EncodingName;
  readonly batch: OutgoingBatch;
  readonly timeoutMs: number;
}

/** How the one request ended. */
export type SingleAnswer =
  | { readonly answer: 'written'; readonly inCbor: boolean }
  /** As by an endpoint that does not understand CBOR (`EncodingChoice`). */
  | { readonly answer: 'doubtful'; readonly problem: string }
  | { readonly answer: 'failed'; readonly problem: string };

const HTTP_OK = 200;
/**
 * Sends one PutRecords in one encoding, and never in the other, to see whether an endpoint takes it. Never throws.
 */
export async function singleRequest(request: SingleRequest): Promise<SingleAnswer> {
  const { encoding, batch, timeoutMs } = request;
  const network = networkOf({});
  const url = await kinesisEndpoint({
    region: batch.region,
    endpoint: request.endpoint?.(batch.region),
  }).catch((error: unknown) => error as Error);
  if (url instanceof Error) return endOf(url);
  const pool = connectionsTo(url.origin, { connections: 1, timeoutMs, network });
  const credentials = new Credentials({ source: request.credentials, network, now: () => Date.now() });
  try {
    const { contentType, write } = encodings[encoding];
    const { bytes: body } = encoded(batch, (one) => write(one, new BodyBuffers({ keep: 0 })));
    const identity = await credentials.current();
    const unsigned = { host: url.host, path: url.pathname, body, contentType, target: PUT_RECORDS };
    const signer = new Signer({ region: batch.region, service: 'kinesis' });
    const headers = await signer.headers(unsigned, { identity, nowMs: Date.now() });
    const answer = await exchange(pool, { path: url.pathname, headers, body }, timeoutMs);
    if (answer.status !== HTTP_OK) throw serviceError(answer);
    const decoder = encodingOf(answer.headers['content-type']);
    const results = decoder.results(answer.body, { region: batch.region, count: batch.records.length });
    const failure = results.find((result) => result instanceof RecordFailure);
    if (failure !== undefined) return { answer: 'failed', problem: failure.message };
    return { answer: 'written', inCbor: decoder === encodings.cbor };
  } catch (error) {
    return endOf(error);
  } finally {
    credentials.close();
    void pool.destroy();
  }
}

function endOf(error: unknown): SingleAnswer {
  const problem = error instanceof Error ? `${error.name}: ${error.message}` : String(error);
  const isDoubtful = new EncodingChoice(() => 0).isDoubtful(error);
  return { answer: isDoubtful ? 'doubtful' : 'failed', problem };
}
