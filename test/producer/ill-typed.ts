/** Values as plain JavaScript can give them, with a name for the test's title. */
export type Case = readonly [name: string, value: unknown];

const thrower = {
  get() {
    throw new Error('from a getter');
  },
  enumerable: true,
};

function revoked(target: object): unknown {
  const { proxy, revoke } = Proxy.revocable(target, {});
  revoke();
  return proxy;
}

export function detached<Bytes extends Uint8Array>(bytes: Bytes): Bytes {
  structuredClone(bytes.buffer, { transfer: [bytes.buffer as ArrayBuffer] });
  return bytes;
}

/** A view of four bytes whose buffer has two by now. */
export function outOfBounds(): Uint8Array {
  const buffer = new ArrayBuffer(4, { maxByteLength: 8 });
  const bytes = new Uint8Array(buffer, 0, 4);
  buffer.resize(2);
  return bytes;
}

/** No text, whatever else. */
const noText: readonly Case[] = [
  ['a number', 5],
  ['NaN', Number.NaN],
  ['a BigInt', 5n],
  ['null', null],
  ['a boolean', true],
  ['a Symbol', Symbol('s')],
  ['a function', () => 'x'],
  ['an array', ['x']],
  ['an object', { toString: () => 'x' }],
  ['a String object', new String('x')],
  ['a revoked Proxy', revoked({})],
];

export const badKeys: readonly Case[] = [
  ...noText,
  ['undefined', undefined],
  ['an empty text', ''],
  ['a text that is too long', 'x'.repeat(257)],
  ['half a surrogate pair', 'half \ud800'],
];

export const badHashKeys: readonly Case[] = [
  ...noText,
  ['an empty text', ''],
  ['a text that is no number', 'seven'],
  ['a number of 2^128', `${2n ** 128n}`],
  ['a negative number', '-1'],
  ['half a surrogate pair', '\udc00'],
];

/** Made anew each time, as some are used up. */
export const badData = (): readonly Case[] => [
  ...noText,
  ['undefined', undefined],
  ['half a surrogate pair', 'half \udfff'],
  ['an ArrayBuffer', new ArrayBuffer(2)],
  ['a DataView', new DataView(new ArrayBuffer(2))],
  ['a Float64Array', new Float64Array(2)],
  ['a Uint8ClampedArray', new Uint8ClampedArray(2)],
  ['a detached Uint8Array', detached(new Uint8Array(100))],
  ['a detached Buffer', detached(Buffer.from(new ArrayBuffer(100)))],
  ['a view that is out of bounds', outOfBounds()],
  ['a Proxy of a Uint8Array', new Proxy(new Uint8Array(2), {})],
  ['what only looks like a Uint8Array', Object.create(Uint8Array.prototype)],
  ['a Buffer in JSON', Buffer.from('x').toJSON()],
  ['a promise', Promise.resolve('x')],
  ['a Uint8Array with a getter that throws', Object.defineProperty(new Uint8Array(2), 'byteLength', thrower)],
];

const good = { partitionKey: 'bad', data: 'x' };

/** Records that no stream could take. */
export const badRecords = (): readonly Case[] => [
  ['undefined', undefined],
  ['no record but a text', 'x'],
  ...noText.map(([name, value]): Case => [`no record but ${name}`, value]),
  ['a record without fields', {}],
  ...badKeys.map(([name, partitionKey]): Case => [`a key that is ${name}`, { ...good, partitionKey }]),
  ...badData().map(([name, data]): Case => [`data that are ${name}`, { ...good, data }]),
  ...badHashKeys.map(
    ([name, explicitHashKey]): Case => [`a hash key that is ${name}`, { ...good, explicitHashKey }],
  ),
  ...['partitionKey', 'data', 'explicitHashKey'].map(
    (field): Case => [`a getter of ${field} that throws`, Object.defineProperty({ ...good }, field, thrower)],
  ),
  [
    'a getter that throws what cannot be looked at',
    {
      ...good,
      get data() {
        throw revoked({});
      },
    },
  ],
  [
    'a Proxy that throws',
    new Proxy(good, {
      get: () => {
        throw new Error('from a Proxy');
      },
    }),
  ],
];

/** What a list of records is not. */
export const badLists: readonly Case[] = [
  ...noText.filter(([name]) => name !== 'an array'),
  ['undefined', undefined],
  ['a text', 'text'],
  ['a Set', new Set([good])],
  ['an array-like object', { length: 1, 0: good }],
  [
    'an iterable that throws',
    {
      [Symbol.iterator]: () => {
        throw new Error('from an iterator');
      },
    },
  ],
  [
    'a Proxy of an array that throws',
    new Proxy([good], {
      get: () => {
        throw new Error('from a Proxy');
      },
    }),
  ],
];
