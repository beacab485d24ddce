import type { Limits, ProducerOptions } from '../options.ts';
import { EXPIRED_TOKEN } from '../sdk-transport.ts';
import type { OutgoingBatch, RecordResult, RegionalStream, Transport } from '../transport.ts';
import { BodyBuffers } from './body-buffers.ts';
import { ClockOffset } from './clock-offset.ts';
import { Credentials } from './credentials.ts';
import { encoded } from './culprits.ts';
import { EncodingChoice } from './encoding-choice.ts';
import { type EncodingName, encodingOf, encodings } from './encodings.ts';
import { exchange, type HttpAnswer } from './exchange.ts';
import type { Identity } from './identity.ts';
import { listedShards } from './list-shards.ts';
import { networkOf } from './network.ts';
import { jsonFields } from './put-records-answer.ts';
import { RegionLinks } from './region-links.ts';
import { serviceError } from './service-error.ts';
import { Signer } from './signer.ts';

/** What is learnt of a region, whatever its host is called. */
interface RegionWay {
  readonly signer: Signer;
  readonly choice: EncodingChoice;
}

const HTTP_OK = 200;
export const PUT_RECORDS = 'Kinesis_20131202.PutRecords';
const LIST_SHARDS = 'Kinesis_20131202.ListShards';

/** One request to Kinesis. */
interface Call {
  readonly target: string;
  readonly contentType: string;
  readonly body: Buffer;
}

/**
 * Sends PutRecords without the SDK's client: over keep-alive connections of undici, with one pool per region
 * and hand-written bodies and parsers. One attempt per call, as with sdkTransport; the errors are the same.
 *
 * Requests are in CBOR unless `encoding` says otherwise. A request that may have failed because of CBOR is
 * immediately sent again as JSON, by the rules of `EncodingChoice`. Like any retry, this may write records
 * twice.
 */
export function fastTransport(
  options: Pick<ProducerOptions, 'endpoint' | 'credentials' | 'encoding' | 'proxy' | 'lookup'>,
  limits: Pick<Limits, 'maxInFlight' | 'requestTimeoutMs'>,
  /** Monotonic milliseconds. */
  now: () => number = () => performance.now(),
): Transport {
  const timeoutMs = limits.requestTimeoutMs;
  const clock = new ClockOffset();
  const network = networkOf(options);
  const credentials = new Credentials({ source: options.credentials, network, now: () => clock.now() });
  const buffers = new BodyBuffers({ keep: limits.maxInFlight });
  const { endpoint } = options;
  const links = new RegionLinks({ endpoint, connections: limits.maxInFlight, timeoutMs, network });
  // An account has a host for data and another for all else. The host of the region takes all else for everybody.
  const controlLinks = new RegionLinks({ endpoint, connections: 1, timeoutMs, network });
  const ways = new Map<string, RegionWay>();

  const wayTo = (region: string): RegionWay => {
    let way = ways.get(region);
    if (way === undefined) {
      way = { signer: new Signer({ region, service: 'kinesis' }), choice: new EncodingChoice(now) };
      ways.set(region, way);
    }
    return way;
  };

  const post = async ({ region, streamArn }: RegionalStream, call: Call): Promise<HttpAnswer> => {
    const identity = await credentials.current();
    const { url, pool } =
      call.target === PUT_RECORDS
        ? await links.to({ region, streamArn }, identity)
        : await controlLinks.to({ region }, withoutAccount(identity));
    const { host, pathname: path } = url;
    const { body } = call;
    const unsigned = { host, path, ...call };
    const headers = await wayTo(region).signer.headers(unsigned, { identity, nowMs: clock.now() });
    const answer = await exchange(pool, { path, headers, body }, timeoutMs);
    if (answer.status === HTTP_OK) return answer;
    const error = serviceError(answer);
    if (error.name === EXPIRED_TOKEN) credentials.reject(identity);
    clock.learn(answer.headers.date);
    throw error;
  };

  const sendAs = async (
    encoding: EncodingName,
    { region, records, ...named }: OutgoingBatch,
  ): Promise<readonly RecordResult[]> => {
    const { contentType, write } = encodings[encoding];
    const { buffer, bytes: body } = encoded({ ...named, records }, (batch) => write(batch, buffers));
    const answer = await post({ region, ...named }, { target: PUT_RECORDS, contentType, body });
    const { results } = encodingOf(answer.headers['content-type']);
    const decoded = results(answer.body, { region, count: records.length });
    buffers.give(buffer);
    return decoded;
  };

  return {
    send: async (batch: OutgoingBatch): Promise<readonly RecordResult[]> => {
      const { choice } = wayTo(batch.region);
      if (options.encoding === 'json' || choice.current === 'json') return sendAs('json', batch);
      try {
        const results = await sendAs('cbor', batch);
        choice.cborWorked();
        return results;
      } catch (error) {
        if (!choice.isDoubtful(error)) throw error;
      }
      const results = await sendAs('json', batch);
      choice.jsonWorked();
      return results;
    },
    listShards: (stream) =>
      listedShards(stream, async (input) => {
        const body = Buffer.from(JSON.stringify(input));
        const { contentType } = encodings.json;
        const { body: answer } = await post(stream, { target: LIST_SHARDS, contentType, body });
        return jsonFields(answer);
      }),
    close: () => {
      credentials.close();
      links.close();
      controlLinks.close();
    },
  };
}

/** For the question of a host alone. */
function withoutAccount({ accountId: _account, ...identity }: Identity): Identity {
  return identity;
}
