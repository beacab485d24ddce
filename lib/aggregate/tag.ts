import { tagFields } from './format.ts';
import { ProtobufError, ProtobufReader, wireTypes } from './protobuf.ts';

export interface AggregateTag {
  readonly key: string;
  readonly value?: string;
}

/** @throws ProtobufError */
export function readTag(bytes: Uint8Array): AggregateTag {
  let key: string | undefined;
  let value: string | undefined;
  const reader = new ProtobufReader(bytes);
  for (let field = reader.next(); field !== undefined; field = reader.next()) {
    const isText = field.wireType === wireTypes.bytes;
    if (field.number === tagFields.key && isText) key = readText(reader, 'the key of a tag');
    else if (field.number === tagFields.value && isText) value = readText(reader, 'the value of a tag');
    else reader.skip(field);
  }
  if (key === undefined) throw new ProtobufError('a tag has no key');
  return { key, ...(value !== undefined && { value }) };
}

/** A byte order mark at the beginning is a part of the key: without it, the key would hash to another shard. */
const utf8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });

/** @throws ProtobufError */
export function readText(reader: ProtobufReader, what: string): string {
  const bytes = reader.readBytes();
  try {
    return utf8.decode(bytes);
  } catch (cause) {
    throw new ProtobufError(`${what} is not UTF-8`, { cause });
  }
}
