import { describe, expect, it } from 'vitest';
import { decodeAggregate } from '../../lib/aggregate/decode.ts';
import { DamagedAggregateError } from '../../lib/aggregate/errors.ts';
import { frame, hex } from './fixtures/frame.ts';

const k = '0a016b';
const record = '1a05 0800 1a0161';
const read = (message: string) =>
  decodeAggregate(frame(hex(message)))?.map(({ data, ...one }) => ({ ...one, data: `${Buffer.from(data)}` }));
const a = { partitionKey: 'k', data: 'a' };

describe('read as protobuf says', () => {
  it.each([
    ['tables after the records', `${record} ${k}`, [a]],
    ['a number with needless bytes', `${k} 1a07 088080 00 1a0161`, [a]],
    ['the last of a field that is there twice', `0a0178 ${k} 1a0a 0800 1a0178 0801 1a0161`, [a]],
    ['no data in a record', `${k} 1a04 0800 1a00`, [{ ...a, data: '' }]],
    ['a key twice in the table', `${k} ${k} 1a05 0801 1a0161`, [a]],
    ['an empty key', `0a00 ${record}`, [{ ...a, partitionKey: '' }]],
    [
      'unknown fields of every wire type',
      `20ffffffffffffffffff01 29${'00'.repeat(8)} 3202abcd 3d00000000 ${k} ${record}`,
      [a],
    ],
    ['an unknown group', `43 4801 4b 4c 44 ${k} ${record}`, [a]],
    ['unknown fields in a record', `${k} 1a0b 0800 1a0161 2801 320200ff`, [a]],
    ['a known field with another wire type', `0801 ${k} ${record}`, [a]],
    [
      'tags',
      `${k} 1a12 0800 1a0161 2206 0a0174 120176 2203 0a0175`,
      [{ ...a, tags: [{ key: 't', value: 'v' }, { key: 'u' }] }],
    ],
  ])('%s', (_, message, expected) => {
    expect(read(message)).toEqual(expected);
  });
});

describe('refused, with the reason', () => {
  it.each([
    ['it has no records', k],
    ['a record has no partition key', `${k} 1a03 1a0161`],
    ['a record has no data', `${k} 1a02 0800`],
    ['a record has key 1 of 1', `${k} 1a05 0801 1a0161`],
    ['a record has key 0 of 0', `${k} 1a07 0800 1000 1a0161`],
    ['a number is above 2^53 - 1', `${k} 1a0c 08ffffffffffffff10 1a0161`],
    ['a number has more than ten bytes', `${k} ${record} 20${'80'.repeat(10)}00`],
    ['a number has more than ten bytes', `${k} 1a0f 08${'80'.repeat(10)}00 1a0161`],
    ['a number is cut short', `${k} ${record} 1a80`],
    ['a number is cut short', `${k} 1a02 0880`],
    ['a field has 5 bytes, and 2 are left', `${k} 1a05 0800`],
    ['a field has 9 bytes, and 1 are left', `${k} 1a05 0800 1a0961`],
    ['a field has 8 bytes, and 3 are left', `${k} ${record} 29000000`],
    ['a field has 4 bytes, and 0 are left', `${k} ${record} 2d`],
    ['a field has 1 bytes, and 0 are left', `${k} ${record} 20`],
    ['no field has the tag 2', `${k} ${record} 02 00`],
    ['no field has the tag 4294967297', `${k} ${record} 8180808010 00`],
    ['field 4 has the wire type 6', `${k} ${record} 26`],
    ['field 4 has the wire type 4', `${k} ${record} 24`],
    ['group 4 has no end', `${k} ${record} 23`],
    ['group 4 ends as group 5', `${k} ${record} 23 2c`],
    ['groups are more than 100 deep', `${k} ${record} ${'23'.repeat(50_000)}`],
    ['a partition key is not UTF-8', `0a01ff ${record}`],
    ['an explicit hash key is not UTF-8', `${k} 1201ff ${record}`],
    ['an explicit hash key is not a number of 128 bits', `${k} 120178 ${record}`],
    ['an explicit hash key is not a number of 128 bits', `${k} 1200 ${record}`],
    ['the key of a tag is not UTF-8', `${k} 1a0a 0800 1a0161 2203 0a01ff`],
    ['the value of a tag is not UTF-8', `${k} 1a0d 0800 1a0161 2206 0a0174 1201ff`],
    ['a tag has no key', `${k} 1a0a 0800 1a0161 2203 120176`],
  ])('%s', (found, message) => {
    expect(() => read(message)).toThrow(
      expect.objectContaining({
        constructor: DamagedAggregateError,
        rejection: 'aggregate-content',
        message: expect.stringContaining(`(${found})`),
        cause: expect.any(Error),
      }),
    );
  });
});
