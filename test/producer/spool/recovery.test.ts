import {
  appendFile,
  mkdtemp,
  open as openFile,
  readdir,
  readFile,
  rm,
  stat,
  truncate,
  writeFile,
} from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { crc32 } from 'node:zlib';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { SpoolVersionError } from '../../../lib/producer/spool/errors.ts';
import { Spool, type SpoolOptions, type SpoolProblem } from '../../../lib/producer/spool/spool.ts';
import { entry, readAll, readTexts } from './entries.ts';

const FIRST = '0000000000000001.seg';
const SECOND = '0000000000000002.seg';
/** Of `entry('a')`…: header, key and one byte. */
const RECORD_BYTES = 12 + 3 + 1;

let directory: string;
let opened: Spool[];
let problems: SpoolProblem[];

async function open(options: Partial<SpoolOptions> = {}): Promise<Spool> {
  const spool = await Spool.open({
    directory,
    onProblem: (problem) => void problems.push(problem),
    ...options,
  });
  opened.push(spool);
  return spool;
}

/** A closed spool with these records in one segment. */
async function spoolOf(...texts: readonly string[]): Promise<void> {
  const spool = await open();
  await spool.append(texts.map((text) => entry(text)));
  await spool.close();
}

/** Writes these bytes there; by default, other bits than the byte that is there has. */
async function damage(file: string, offset: number, bytes?: Buffer): Promise<void> {
  const handle = await openFile(join(directory, file), 'r+');
  const { buffer: before } = await handle.read(Buffer.alloc(1), 0, 1, offset);
  const after = bytes ?? Buffer.of((before[0] ?? 0) ^ 0xff);
  await handle.write(after, 0, after.length, offset);
  await handle.close();
}

async function quarantined(): Promise<readonly string[]> {
  return readdir(join(directory, 'quarantine')).catch(() => []);
}

beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'spillway-spool-'));
  opened = [];
  problems = [];
});
afterEach(async () => {
  for (const spool of opened) await spool.close();
  await rm(directory, { recursive: true, force: true });
});

describe('opening a spool after an accident', () => {
  it('cuts a torn tail at the last good record, counts it, and goes on in the same file', async () => {
    await spoolOf('a', 'b');
    await appendFile(join(directory, FIRST), Buffer.alloc(700, 0x5a));
    const spool = await open();
    expect(spool.stats()).toMatchObject({ records: 2, tornBytes: 700, quarantinedRanges: 0 });
    await spool.append([entry('c')]);
    expect(await readTexts(spool)).toEqual(['a', 'b', 'c']);
    await spool.close();
    expect((await stat(join(directory, FIRST))).size).toBe(64 + 3 * RECORD_BYTES);
    expect(problems.map(({ kind }) => kind)).toEqual(['tornTail']);
  });

  it('finds where the records end in the room that a killed process left after them', async () => {
    const killed = await open();
    await killed.append([entry('a')]);
    const { bytesOnDisk } = killed.stats();
    expect(bytesOnDisk).toBe(256 * 1024);
    expect((await stat(join(directory, FIRST))).size).toBe(bytesOnDisk);
    const left = await readFile(join(directory, FIRST));
    await killed.close();
    await writeFile(join(directory, FIRST), left);
    const spool = await open();
    expect(spool.stats()).toMatchObject({ records: 1, tornBytes: 0, bytes: RECORD_BYTES });
    await spool.append([entry('b')]);
    expect(await readTexts(spool)).toEqual(['a', 'b']);
    await spool.close();
    await writeFile(
      join(directory, FIRST),
      Buffer.concat([left.subarray(0, 80), Buffer.of(1, 2, 3), left.subarray(83)]),
    );
    expect((await open()).stats()).toMatchObject({ records: 1, tornBytes: 3 });
  });

  it('skips a damaged record in the middle, keeps a copy and a report, and keeps them once', async () => {
    await spoolOf('a', 'b', 'c');
    await damage(FIRST, 64 + RECORD_BYTES + 14);
    const spool = await open();
    expect(spool.stats()).toMatchObject({ records: 2, quarantinedRanges: 1, quarantinedBytes: RECORD_BYTES });
    expect(await readTexts(spool)).toEqual(['a', 'c']);
    await spool.append([entry('d')]);
    await spool.close();
    expect(await readTexts(await open())).toEqual(['a', 'c', 'd']);
    const files = await quarantined();
    expect(files).toHaveLength(2);
    const copy = await readFile(
      join(directory, 'quarantine', files.find((name) => name.endsWith('.bin')) ?? ''),
    );
    expect(copy).toHaveLength(RECORD_BYTES);
    const report = await readFile(
      join(directory, 'quarantine', files.find((name) => name.endsWith('.json')) ?? ''),
    );
    expect(JSON.parse(report.toString())).toMatchObject({ segment: 1, start: 80, end: 96 });
  });

  it('quarantines the damaged end of a segment that is not the last', async () => {
    const first = await open({ segmentBytes: 4096 });
    for (const text of ['a', 'b', 'c']) await first.append([entry(text.padEnd(3_000))]);
    await first.close();
    await damage(FIRST, 2_000);
    const spool = await open();
    expect(spool.stats()).toMatchObject({ records: 2, tornBytes: 0, quarantinedRanges: 1 });
    expect((await readTexts(spool)).map((text) => text.trim())).toEqual(['b', 'c']);
  });

  it.each([0, 8, 14, 32, 63])('reads a segment with a wrong byte at %i of its header', async (offset) => {
    await spoolOf('a', 'b');
    await damage(FIRST, offset);
    expect(await readTexts(await open())).toEqual(['a', 'b']);
    expect(problems).toEqual([]);
  });

  it('moves a segment away when both of its headers are damaged', async () => {
    await spoolOf('a');
    await damage(FIRST, 5);
    await damage(FIRST, 40);
    const spool = await open();
    expect(await readTexts(spool)).toEqual([]);
    await spool.append([entry('b')]);
    expect(await readTexts(spool)).toEqual(['b']);
    expect((await quarantined()).some((name) => name.startsWith(FIRST) && name.endsWith('.bin'))).toBe(true);
    expect(await readdir(directory)).toContain(SECOND);
  });

  it('removes a file whose creation was cut off', async () => {
    await spoolOf('a');
    await writeFile(join(directory, SECOND), Buffer.alloc(30));
    const spool = await open();
    expect(spool.stats()).toMatchObject({ records: 1, segments: 1, tornBytes: 30 });
    await spool.append([entry('b')]);
    expect(await readTexts(spool)).toEqual(['a', 'b']);
  });

  it('ignores files that are not its own', async () => {
    await spoolOf('a');
    await writeFile(join(directory, 'notes.txt'), 'mine');
    await writeFile(join(directory, '12.seg'), 'not a name of ours');
    expect(await readTexts(await open())).toEqual(['a']);
  });

  it('notices a record that was damaged after it was opened', async () => {
    const spool = await open();
    await spool.append(['a', 'b', 'c'].map((text) => entry(text)));
    await damage(FIRST, 64 + RECORD_BYTES + 3);
    expect(await readTexts(spool)).toEqual(['a', 'c']);
    await spool.append([entry('d')]);
    expect(spool.stats()).toMatchObject({ records: 3, quarantinedRanges: 1 });
    spool.rewind();
    const records = await readAll(spool);
    expect(records.map(({ data }) => Buffer.from(data).toString())).toEqual(['a', 'c', 'd']);
    await spool.acknowledge(records[2]?.position as never);
    expect(spool.stats()).toMatchObject({ records: 0, bytes: 0 });
  });

  it('goes on after the end of a file that somebody shortened while it was open', async () => {
    const spool = await open({ segmentBytes: 4096 });
    for (const text of ['a', 'b', 'c']) await spool.append([entry(text.padEnd(3_000))]);
    await truncate(join(directory, FIRST), 1_000);
    expect((await readTexts(spool)).map((text) => text.trim())).toEqual(['b', 'c']);
    expect(spool.stats().records).toBe(2);
  });
});

describe('the cursor', () => {
  const slotOf = (sequence: number): number => (sequence % 2) * 4096;

  /** Three records, of which two were acknowledged, each by itself: sequences 1 and 2. */
  async function acknowledgedTwo(): Promise<void> {
    const spool = await open();
    await spool.append(['a', 'b', 'c'].map((text) => entry(text)));
    for (const record of await spool.read({ records: 2, bytes: 1_000 }))
      await spool.acknowledge(record.position);
    await spool.close();
  }

  it('falls back to the one before when its last write was cut off', async () => {
    await acknowledgedTwo();
    await damage('cursor', slotOf(2) + 20);
    expect(await readTexts(await open())).toEqual(['b', 'c']);
    expect(problems).toEqual([]);
  });

  it.each([
    ['is missing', () => rm(join(directory, 'cursor'))],
    ['is empty', () => truncate(join(directory, 'cursor'), 0)],
  ])('starts at the oldest record when it %s', async (_, harm) => {
    await acknowledgedTwo();
    await harm();
    expect(await readTexts(await open())).toEqual(['a', 'b', 'c']);
  });

  it('starts at the oldest record when it is corrupt, and says so', async () => {
    await acknowledgedTwo();
    await damage('cursor', slotOf(1) + 20);
    await damage('cursor', slotOf(2) + 20);
    expect(await readTexts(await open())).toEqual(['a', 'b', 'c']);
    expect(problems.map(({ kind }) => kind)).toEqual(['cursorLost']);
  });

  it('says nothing about another file of the same number', async () => {
    await acknowledgedTwo();
    await rm(join(directory, FIRST));
    const cursor = await readFile(join(directory, 'cursor'));
    await rm(join(directory, 'cursor'));
    await spoolOf('x', 'y', 'z');
    await writeFile(join(directory, 'cursor'), cursor);
    expect(await readTexts(await open())).toEqual(['x', 'y', 'z']);
    expect(problems.map(({ kind }) => kind)).toEqual(['cursorLost']);
  });

  it('never covers a record that is appended later, even when its segment lost its end', async () => {
    await acknowledgedTwo();
    await truncate(join(directory, FIRST), 64 + RECORD_BYTES);
    const spool = await open();
    await spool.append([entry('d')]);
    await spool.close();
    expect(await readTexts(await open())).toEqual(['d']);
  });

  it.each([
    [FIRST, [0, 32], 28],
    ['cursor', [0, 4096], 60],
  ])(
    'and segments: %s of a newer format are refused, and nothing is changed',
    async (file, starts, crcAt) => {
      await acknowledgedTwo();
      const content = await readFile(join(directory, file));
      for (const start of starts) {
        content[start + 8] = 2;
        content.writeUInt32LE(crc32(content.subarray(start, start + crcAt)), start + crcAt);
      }
      await writeFile(join(directory, file), content);
      await expect(open()).rejects.toThrow(SpoolVersionError);
      await expect(open()).rejects.toThrow(/version 2, and this Spillway knows up to 1/);
      expect(await readFile(join(directory, file))).toEqual(content);
    },
  );
});
