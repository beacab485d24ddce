import { cbor } from '@smithy/core/cbor';

/**
 * The content of a request or an answer in either of the encodings of the Kinesis API: JSON, or CBOR, which newer SDKs and
 * our own producer write.
 */
export interface WireContent {
  readonly value: unknown;
  /** Writes another value in the same encoding. */
  readonly encode: (value: unknown) => Buffer;
}

/** A map of CBOR begins with one of these bytes (RFC 8949, 3.1: major type 5), and no text of JSON does. */
const isCborMap = (first: number | undefined): boolean => first !== undefined && first >> 5 === 5;

/** Undefined for what is neither. */
export function wireContent(content: Buffer): WireContent | undefined {
  try {
    if (isCborMap(content[0])) {
      return { value: cbor.deserialize(content), encode: (value) => Buffer.from(cbor.serialize(value)) };
    }
    const value: unknown = JSON.parse(content.toString('utf8'));
    return { value, encode: (other) => Buffer.from(JSON.stringify(other)) };
  } catch {
    return undefined;
  }
}
