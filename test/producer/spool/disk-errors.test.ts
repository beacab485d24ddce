import { execFile } from 'node:child_process';
import { chmod, mkdir, mkdtemp, rm, statfs, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { type Disk, realDisk } from '../../../lib/producer/spool/disk.ts';
import { SpoolDirectoryError, SpoolWriteError } from '../../../lib/producer/spool/errors.ts';
import { Spool } from '../../../lib/producer/spool/spool.ts';
import { entry, readAll, readTexts } from './entries.ts';

const run = promisify(execFile);

let directory: string;
let mounted: boolean;

/** A small file system of its own, where the tests may mount one. */
async function mount(options: string): Promise<boolean> {
  mounted = await run('mount', ['-t', 'tmpfs', '-o', options, 'spillway-test', directory]).then(
    () => true,
    () => false,
  );
  return mounted;
}

async function readOnlyDirectory(): Promise<string> {
  if (await mount('ro')) return directory;
  // Permissions do not bind root; what the kernel makes up does.
  if (process.getuid?.() === 0) return '/proc';
  await chmod(directory, 0o555);
  return directory;
}

function failure(code: string): Error {
  return Object.assign(new Error(code), { code });
}

/** The real disk, on which some writes fail half-way. */
function failingDisk(codeFor: (bytes: number, end: number) => string | undefined): Disk {
  return {
    ...realDisk,
    writeDurably: async (file, bytes, offset) => {
      const code = codeFor(bytes.length, offset + bytes.length);
      if (code === undefined) return realDisk.writeDurably(file, bytes, offset);
      await realDisk.writeDurably(file, bytes.subarray(0, bytes.length / 2), offset);
      throw failure(code);
    },
  };
}

beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'spillway-disk-'));
  mounted = false;
});
afterEach(async () => {
  if (mounted) await run('umount', [directory]);
  await rm(directory, { recursive: true, force: true });
});

/** Appends until one is refused; the texts that were acknowledged, and the refusal. */
async function fill(spool: Spool): Promise<{ taken: string[]; error: unknown }> {
  const taken: string[] = [];
  for (;;) {
    const text = String(taken.length).padEnd(10_000);
    const error = await spool.append([entry(text)]).catch((reason: unknown) => reason);
    if (error !== undefined) return { taken, error };
    taken.push(text);
  }
}

describe('a full disk', () => {
  it('refuses clearly, loses nothing, and takes records again when there is space', async () => {
    const spoolDirectory = join(directory, 'spool');
    let spaceBytes = Number.POSITIVE_INFINITY;
    let disk = realDisk;
    if (await mount('size=1m')) {
      const { bavail, bsize } = await statfs(directory);
      await writeFile(join(directory, 'ballast'), Buffer.alloc(bavail * bsize - 400 * 1024));
    } else {
      spaceBytes = 400 * 1024;
      disk = failingDisk((_, end) => (end > spaceBytes ? 'ENOSPC' : undefined));
    }
    const spool = await Spool.open({ directory: spoolDirectory, maxBytes: 16 * 1024 * 1024 }, disk);
    const { taken, error } = await fill(spool);
    expect(error).toBeInstanceOf(SpoolWriteError);
    expect((error as Error).message).toMatch(/ENOSPC.*Free space/);
    // To the last record that fits, though no more room could be made in advance.
    expect(taken.length).toBeGreaterThan(35);
    const records = await readAll(spool);
    expect(records.map(({ data }) => Buffer.from(data).toString())).toEqual(taken);
    // A full disk can still be drained.
    if (mounted) await spool.acknowledge(records[4]?.position as never);

    await rm(join(directory, 'ballast'), { force: true });
    spaceBytes = Number.POSITIVE_INFINITY;
    await spool.append([entry('again')]);
    await spool.close();
    const reopened = await Spool.open({ directory: spoolDirectory });
    const rest = mounted ? taken.slice(5) : taken;
    expect(await readTexts(reopened)).toEqual([...rest, 'again']);
    expect(reopened.stats()).toMatchObject({ tornBytes: 0, quarantinedRanges: 0 });
    await reopened.close();
  });
});

describe('a disk that fails', () => {
  it('rejects the write and all that waited for it, and goes on in another file', async () => {
    let broken = false;
    const spool = await Spool.open(
      { directory },
      failingDisk(() => (broken ? 'EIO' : undefined)),
    );
    await spool.append([entry('before')]);
    broken = true;
    const first = spool.append([entry('first')]);
    const results = first.catch(() => spool.append([entry('after the refusal')]));
    await new Promise(setImmediate);
    const second = spool.append([entry('second')]);
    await expect(first).rejects.toThrow(/EIO.*Check the disk/);
    broken = false;
    await expect(second).rejects.toThrow(SpoolWriteError);
    await results;
    const texts = ['before', 'after the refusal'];
    expect(await readTexts(spool)).toEqual(texts);
    expect(spool.stats()).toMatchObject({ records: 2, segments: 2, waitingBytes: 0 });
    await spool.close();
    const reopened = await Spool.open({ directory });
    expect(await readTexts(reopened)).toEqual(texts);
    await reopened.close();
  });

  it('leaves no empty files behind while it fails', async () => {
    let broken = false;
    const spool = await Spool.open(
      { directory },
      failingDisk((bytes) => (broken && bytes !== 64 ? 'EIO' : undefined)),
    );
    broken = true;
    for (let attempt = 0; attempt < 5; attempt++) {
      await expect(spool.append([entry(`attempt ${attempt}`)])).rejects.toThrow(SpoolWriteError);
    }
    expect(spool.stats()).toMatchObject({ segments: 0, bytesOnDisk: 0, records: 0 });
    await spool.close();
  });

  it('does not read again what was acknowledged, though the cursor could not be written', async () => {
    let broken = false;
    const spool = await Spool.open(
      { directory },
      failingDisk((bytes) => (broken && bytes === 64 ? 'EIO' : undefined)),
    );
    await spool.append(['a', 'b', 'c'].map((text) => entry(text)));
    const records = await readAll(spool);
    broken = true;
    await expect(spool.acknowledge(records[0]?.position as never)).rejects.toThrow(SpoolWriteError);
    broken = false;
    spool.rewind();
    expect(await readTexts(spool)).toEqual(['b', 'c']);
    await spool.acknowledge(records[1]?.position as never);
    spool.rewind();
    expect(await readTexts(spool)).toEqual(['c']);
    await spool.close();
    const reopened = await Spool.open({ directory });
    expect(await readTexts(reopened)).toEqual(['c']);
    await reopened.close();
  });
});

describe('a directory that cannot be used', () => {
  it('is refused when it is read-only', async () => {
    const opening = Spool.open({ directory: await readOnlyDirectory() });
    await expect(opening).rejects.toThrow(SpoolDirectoryError);
    await expect(opening).rejects.toThrow(/must be writable/);
  });

  it('is refused when it is a file', async () => {
    const file = join(directory, 'file');
    await writeFile(file, '');
    await expect(Spool.open({ directory: file })).rejects.toThrow(/is not a directory/);
  });

  it('is refused when its parent is missing', async () => {
    const opening = Spool.open({ directory: join(directory, 'missing', 'spool') });
    await expect(opening).rejects.toThrow(SpoolDirectoryError);
    await expect(opening).rejects.toThrow(/ENOENT.*Create its parent/);
  });

  it('is refused when something else has the name of its lock', async () => {
    await mkdir(join(directory, 'lock'));
    await expect(Spool.open({ directory })).rejects.toThrow(SpoolDirectoryError);
  });
});
