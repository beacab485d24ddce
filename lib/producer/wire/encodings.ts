import type { RecordResult } from '../transport.ts';
import type { BodyBuffers } from './body-buffers.ts';
import { cborResults, cborTexts } from './cbor-answer.ts';
import { writeCbor } from './cbor-body.ts';
import { type Asked, decodedResults, jsonFields } from './put-records-answer.ts';
import { type Batch, type Body, writeJson } from './request-body.ts';

interface Encoding {
  readonly contentType: string;
  /** @throws RequestTooLargeError */
  readonly write: (batch: Batch, buffers: BodyBuffers) => Body;
  /** Reads the body of a 200. @throws UndecodableAnswerError */
  readonly results: (body: Buffer, asked: Asked) => readonly RecordResult[];
  /** The fields of an error; empty where the body is something else. */
  readonly fields: (body: Buffer) => Readonly<Record<string, unknown>>;
}

/** The two protocols of Kinesis: AWS JSON 1.1, and the same in CBOR, which the AWS SDK for Java uses by default. */
export const encodings = {
  cbor: {
    contentType: 'application/x-amz-cbor-1.1',
    write: writeCbor,
    results: cborResults,
    fields: cborTexts,
  },
  json: {
    contentType: 'application/x-amz-json-1.1',
    write: writeJson,
    results: decodedResults,
    fields: jsonFields,
  },
} as const satisfies Record<string, Encoding>;

export type EncodingName = keyof typeof encodings;

/**
 * The encoding of an answer, taken from its content type: Kinesis answers some requests in CBOR with JSON
 * (github.com/aws/aws-sdk-java-v2/issues/1595), and a proxy in between may answer in anything.
 */
export function encodingOf(contentType: string | undefined): Encoding {
  return contentType?.includes('cbor') ? encodings.cbor : encodings.json;
}
