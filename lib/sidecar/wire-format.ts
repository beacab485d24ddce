import { cbor, tag } from '@smithy/core/cbor';
import { KinesisError } from './kinesis-error.ts';

/**
 * How a request and its answer are written. Kinesis has two protocols: AWS JSON 1.1, which most SDKs and the KPL speak, and the
 * same in CBOR, which the AWS SDKs for Java speak unless they are told not to.
 */
export interface WireFormat {
  readonly contentType: string;
  /** @throws KinesisError when the body is not in this format */
  readonly decode: (body: Buffer) => unknown;
  readonly encode: (document: object) => Buffer;
  /** The bytes in a field; undefined where it has none. */
  readonly bytesOf: (field: unknown) => Uint8Array | undefined;
}

export const json: WireFormat = {
  contentType: 'application/x-amz-json-1.1',
  decode: (body) => {
    try {
      return JSON.parse(body.toString());
    } catch (cause) {
      throw new KinesisError('SerializationException', 'The body is not JSON.', { cause });
    }
  },
  encode: (document) => Buffer.from(JSON.stringify(document)),
  bytesOf: (field) => (typeof field === 'string' ? base64(field) : undefined),
};

export const cborFormat: WireFormat = {
  contentType: 'application/x-amz-cbor-1.1',
  decode: (body) => {
    try {
      return cbor.deserialize(body);
    } catch (cause) {
      throw new KinesisError('SerializationException', 'The body is not CBOR.', { cause });
    }
  },
  encode: (document) => Buffer.from(cbor.serialize(document)),
  bytesOf: (field) => (field instanceof Uint8Array ? field : undefined),
};

export const formatOf = (contentType: string | undefined): WireFormat =>
  contentType?.startsWith('application/x-amz-cbor') ? cborFormat : json;

/** Bytes of strict base64; undefined for anything else, of which Node would decode a part. */
function base64(text: string): Buffer | undefined {
  const { length } = text;
  if (length % 4 !== 0) return undefined;
  const bytes = Buffer.from(text, 'base64');
  const padding = text.endsWith('==') ? 2 : text.endsWith('=') ? 1 : 0;
  return bytes.length === (length / 4) * 3 - padding ? bytes : undefined;
}

/** Fields of DescribeStream, DescribeStreamSummary and ListShards that are times; in JSON seconds, in Kinesis' CBOR milliseconds. */
const timeField = /(?:^|[a-z])Timestamp$/;
const MS_PER_SECOND = 1_000;
/** CBOR's tag of a time, after which the AWS SDKs for Java write and expect milliseconds. */
const TIME_TAG = 1;

/** The same document as JSON has it. */
export function fromCbor(value: unknown): unknown {
  return mapped(value, (time) => {
    const { value: ms = time } = Object(time) as { readonly value?: unknown };
    return Number(ms) / MS_PER_SECOND;
  });
}

/** The document as CBOR has it. */
export function toCbor(value: unknown): unknown {
  return mapped(value, (time) =>
    typeof time === 'number' ? tag({ tag: TIME_TAG, value: Math.round(time * MS_PER_SECOND) }) : time,
  );
}

function mapped(value: unknown, time: (value: unknown) => unknown): unknown {
  if (Array.isArray(value)) return value.map((item) => mapped(item, time));
  if (typeof value !== 'object' || value === null || value instanceof Uint8Array) return value;
  return Object.fromEntries(
    Object.entries(value).map(([name, item]) => [
      name,
      timeField.test(name) ? time(item) : mapped(item, time),
    ]),
  );
}
