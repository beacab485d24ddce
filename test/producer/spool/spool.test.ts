import { mkdtemp, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { type Disk, realDisk } from '../../../lib/producer/spool/disk.ts';
import {
  SpoolClosedError,
  SpoolEntryError,
  SpoolFullError,
  SpoolOptionsError,
  SpoolPositionError,
} from '../../../lib/producer/spool/errors.ts';
import { Spool, type SpoolEntry, type SpoolOptions } from '../../../lib/producer/spool/spool.ts';
import { detached } from '../ill-typed.ts';
import { entry, readAll, readTexts } from './entries.ts';

let directory: string;
let opened: Spool[];

async function open(options: Partial<SpoolOptions> = {}): Promise<Spool> {
  const spool = await Spool.open({ directory, ...options });
  opened.push(spool);
  return spool;
}

async function segments(): Promise<readonly string[]> {
  return (await readdir(directory)).filter((name) => name.endsWith('.seg'));
}

beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'spillway-spool-'));
  opened = [];
});
afterEach(async () => {
  for (const spool of opened) await spool.close();
  await rm(directory, { recursive: true, force: true });
});

describe('a spool', () => {
  it('gives back what was appended, byte for byte and in order', async () => {
    const entries: SpoolEntry[] = [
      { partitionKey: 'é😀', data: Uint8Array.of(0, 255, 0xe5) },
      {
        partitionKey: 'k',
        explicitHashKey: '340282366920938463463374607431768211455',
        data: Buffer.alloc(0),
      },
      { partitionKey: 'x'.repeat(256), data: Buffer.alloc(300_000, 7) },
    ];
    const spool = await open();
    await spool.append(entries);
    const records = await readAll(spool);
    expect(
      records.map(({ position: _, bytesOnDisk: __, ...rest }) => ({ ...rest, data: [...rest.data] })),
    ).toEqual(entries.map((one) => ({ ...one, data: [...one.data] })));
  });

  it('gives them to the next process that opens it, from the cursor on', async () => {
    const first = await open();
    for (const text of ['a', 'b', 'c']) await first.append([entry(text)]);
    const [a] = await first.read({ records: 1, bytes: 1 });
    await first.acknowledge(a?.position as never);
    await first.close();
    const second = await open();
    expect(second.stats().records).toBe(2);
    expect(await readTexts(second)).toEqual(['b', 'c']);
  });

  it('reads each record once, and again after a rewind until it is acknowledged', async () => {
    const spool = await open();
    await spool.append(['a', 'b', 'c'].map((text) => entry(text)));
    const records = await readAll(spool);
    expect(await readTexts(spool)).toEqual([]);
    await spool.acknowledge(records[1]?.position as never);
    spool.rewind();
    expect(await readTexts(spool)).toEqual(['c']);
  });

  it('keeps to both limits of a read, but always gives one record', async () => {
    const spool = await open();
    await spool.append(['12345', '12345', '12345'].map((text) => entry(text, 'k')));
    expect(await spool.read({ records: 2, bytes: 1_000 })).toHaveLength(2);
    spool.rewind();
    expect(await spool.read({ records: 100, bytes: 12 })).toHaveLength(2);
    spool.rewind();
    expect(await spool.read({ records: 100, bytes: 1 })).toHaveLength(1);
  });

  it('keeps the order of calls that overlap, over many segments', async () => {
    const spool = await open({ segmentBytes: 4096, maxBytes: 1024 * 1024 });
    const texts = Array.from({ length: 2_000 }, (_, index) => `record ${index}`);
    for (let start = 0; start < texts.length; start += 100) {
      await Promise.all(texts.slice(start, start + 100).map((text) => spool.append([entry(text)])));
    }
    expect(spool.stats()).toMatchObject({ records: 2_000, waitingBytes: 0 });
    expect(spool.stats().segments).toBeGreaterThan(10);
    expect(await readTexts(spool)).toEqual(texts);
  });

  it('takes more at once than it gathers for one write', async () => {
    const spool = await open();
    const big = Array.from({ length: 12 }, (_, index) =>
      entry(String(index).padEnd(1_000_000), `key ${index}`),
    );
    await Promise.all([spool.append(big), spool.append([entry('after')])]);
    expect((await readAll(spool)).map(({ partitionKey }) => partitionKey)).toEqual([
      ...big.map(({ partitionKey }) => partitionKey),
      'key',
    ]);
  });

  it('deletes a segment only when everything in it is acknowledged', async () => {
    const spool = await open({ segmentBytes: 4096, maxBytes: 1024 * 1024 });
    for (let index = 0; index < 20; index++) await spool.append([entry('x'.repeat(1_000))]);
    const before = (await segments()).length;
    const records = await readAll(spool);
    const inThird = records.filter(({ position }) => position.segment === 3);
    await spool.acknowledge(inThird[0]?.position as never);
    expect((await segments()).length).toBe(before - 2);
    await spool.acknowledge(inThird.at(-1)?.position as never);
    expect((await segments()).length).toBe(before - 3);
  });

  it('leaves no segment behind when it is closed empty, and never uses a number twice', async () => {
    const first = await open();
    await first.append([entry('a')]);
    await first.acknowledge((await readAll(first))[0]?.position as never);
    await first.close();
    expect(await segments()).toEqual([]);
    const second = await open();
    await second.append([entry('b')]);
    expect(await segments()).toEqual(['0000000000000002.seg']);
    expect(await readTexts(second)).toEqual(['b']);
  });

  it('refuses what does not fit, keeps what it has, and takes records again when there is room', async () => {
    const spool = await open({ maxBytes: 64 * 1024, segmentBytes: 8 * 1024 });
    let taken = 0;
    const fill = async (): Promise<unknown> => {
      for (;;) {
        const error = await spool
          .append([entry(`${taken}`.padEnd(1_000))])
          .catch((reason: unknown) => reason);
        if (error !== undefined) return error;
        taken++;
      }
    };
    const error = await fill();
    expect(error).toBeInstanceOf(SpoolFullError);
    expect((error as Error).message).toMatch(/holds \d+ of at most 65536 bytes, and 1015 more do not fit/);
    expect(spool.stats().bytesOnDisk).toBeLessThanOrEqual(64 * 1024);
    const records = await readAll(spool);
    expect(records.map(({ data }) => Number(Buffer.from(data).toString()))).toEqual([...Array(taken).keys()]);
    await spool.acknowledge(records[20]?.position as never);
    await spool.append([entry('again')]);
    expect(await readTexts(spool)).toEqual(['again']);
  });

  it('finishes what was appended before it closes, and takes nothing after', async () => {
    const spool = await open();
    const appended = spool.append([entry('last')]);
    await spool.close();
    await appended;
    await expect(spool.append([entry('late')])).rejects.toThrow(SpoolClosedError);
    await expect(spool.read({ records: 1, bytes: 1 })).rejects.toThrow(SpoolClosedError);
    expect(await readTexts(await open())).toEqual(['last']);
  });

  it.each([
    [entry('x', ''), '1 to 1024 bytes'],
    [entry('x', 'ü'.repeat(600)), '1 to 1024 bytes'],
    [entry('x', '\ud800'), 'surrogate'],
    [{ ...entry('x'), explicitHashKey: '0x1' }, 'decimal'],
    [{ partitionKey: 'k', data: Buffer.alloc(10 * 1024 * 1024 + 1) }, '10485760 bytes of data'],
  ])('refuses an entry that the format cannot hold (%#)', async (bad, message) => {
    const spool = await open();
    const appended = spool.append([entry('good'), bad]);
    await expect(appended).rejects.toThrow(SpoolEntryError);
    await expect(appended).rejects.toThrow(message);
    expect(await readTexts(spool)).toEqual([]);
  });

  it('refuses to acknowledge what it did not give out', async () => {
    const spool = await open();
    await spool.append([entry('a')]);
    await expect(spool.acknowledge({ segment: 1, offset: 80, index: 1 })).rejects.toThrow(SpoolPositionError);
  });

  it.each([{ maxBytes: 1_000 }, { segmentBytes: 100 }, { maxBytes: 1024 * 1024, segmentBytes: 512 * 1024 }])(
    'refuses limits that cannot work: %o',
    async (options) => {
      await expect(open(options)).rejects.toThrow(SpoolOptionsError);
    },
  );

  it('holds what was appended as it was then, though it waits while its buffer is detached', async () => {
    const gate = Promise.withResolvers<void>();
    let isHeld = false;
    const disk: Disk = {
      ...realDisk,
      writeDurably: async (file, bytes, offset) => {
        if (isHeld) await gate.promise;
        return realDisk.writeDurably(file, bytes, offset);
      },
    };
    const spool = await Spool.open({ directory }, disk);
    opened.push(spool);
    isHeld = true;
    const large = () => ({ partitionKey: 'k', data: new Uint8Array(3 * 1024 * 1024).fill(1) });
    const first = spool.append([large()]);
    // The next ones find a write under way, and the last one the group full that waits for it.
    await new Promise(setImmediate);
    const second = spool.append([large()]);
    const last = large();
    const third = spool.append([last]);
    detached(last.data);
    gate.resolve();
    await Promise.all([first, second, third]);
    const sizes = (await readAll(spool)).map(({ data }) => data.byteLength);
    expect(sizes).toEqual(Array(3).fill(3 * 1024 * 1024));
  });

  it.each([
    ['a number for a key', { partitionKey: 5, data: Buffer.from('x') }],
    ['a number for a hash key', { partitionKey: 'k', explicitHashKey: 5, data: Buffer.from('x') }],
    ['a text for data', { partitionKey: 'k', data: 'x' }],
    ['a detached buffer', { partitionKey: 'k', data: detached(new Uint8Array(9)) }],
    ['null', null],
  ])('refuses %s with nothing of its append written, and goes on', async (_name, bad) => {
    const spool = await open();
    const before = spool.append([entry('a')]);
    const append = spool.append([entry('never'), bad as SpoolEntry, entry('never')]);
    const after = spool.append([entry('b')]);
    await expect(append).rejects.toBeInstanceOf(SpoolEntryError);
    await Promise.all([before, after]);
    expect(await readTexts(spool)).toEqual(['a', 'b']);
  });
});
