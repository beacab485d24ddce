import { cbor } from '@smithy/core/cbor';

export const contentTypes = {
  json: 'application/x-amz-json-1.1',
  cbor: 'application/x-amz-cbor-1.1',
} as const;

export interface Answer {
  readonly status: number;
  readonly headers: Headers;
  readonly document: Record<string, unknown>;
}

export const base64 = (text: string): string => Buffer.from(text).toString('base64');

/** Asks Kinesis' API of the URL, in JSON. */
export const ask = (url: string, operation: string, document: object): Promise<Answer> =>
  send(
    url,
    { 'content-type': contentTypes.json, 'x-amz-target': `Kinesis_20131202.${operation}` },
    JSON.stringify(document),
  );

export const askInCbor = (url: string, operation: string, document: object): Promise<Answer> =>
  send(
    url,
    { 'content-type': contentTypes.cbor, 'x-amz-target': `Kinesis_20131202.${operation}` },
    Buffer.from(cbor.serialize(document)),
  );

export async function send(
  url: string,
  headers: Record<string, string>,
  body: string | Buffer,
): Promise<Answer> {
  const answer = await fetch(url, { method: 'POST', headers, body });
  const bytes = Buffer.from(await answer.arrayBuffer());
  const isCbor = answer.headers.get('content-type') === contentTypes.cbor;
  const document = isCbor ? cbor.deserialize(bytes) : JSON.parse(bytes.toString());
  return { status: answer.status, headers: answer.headers, document };
}
