import { type FileHandle, open } from 'node:fs/promises';
import { codeOf } from './errors.ts';

const BLOCK_BYTES = 4096;

/**
 * At most `length` bytes of an open file from `offset`; fewer at the end of the file. Blocks that the disk
 * cannot read are returned as zeros, which fail every CRC: a bad sector costs its own records, not the file.
 */
export async function readAt(
  file: FileHandle,
  { offset, length }: { offset: number; length: number },
): Promise<Buffer> {
  const buffer = Buffer.allocUnsafeSlow(length);
  let done = 0;
  while (done < length) {
    const { bytesRead } = await file
      .read(buffer, done, length - done, offset + done)
      .catch((error: unknown) => {
        if (codeOf(error) !== 'EIO') throw error;
        return readBlock(file, { buffer, at: done, offset: offset + done });
      });
    if (bytesRead === 0) break;
    done += bytesRead;
  }
  return buffer.subarray(0, done);
}

/** Reads to the end of the block; zeros if it cannot be read. */
async function readBlock(
  file: FileHandle,
  { buffer, at, offset }: { readonly buffer: Buffer; readonly at: number; readonly offset: number },
): Promise<{ bytesRead: number }> {
  const length = Math.min(BLOCK_BYTES - (offset % BLOCK_BYTES), buffer.length - at);
  try {
    return await file.read(buffer, at, length, offset);
  } catch (error) {
    if (codeOf(error) !== 'EIO') throw error;
    buffer.fill(0, at, at + length);
    return { bytesRead: length };
  }
}

/** The file's bytes, at most `length` of them. */
export async function readSegmentFile(path: string, length = Number.POSITIVE_INFINITY): Promise<Buffer> {
  const file = await open(path, 'r');
  try {
    const { size } = await file.stat();
    return await readAt(file, { offset: 0, length: Math.min(size, length) });
  } finally {
    await file.close();
  }
}
