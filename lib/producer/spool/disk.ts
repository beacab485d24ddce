import { constants } from 'node:fs';
import { type FileHandle, open } from 'node:fs/promises';

/**
 * All durable writes go through this interface, so that a test can fill the disk, or find out what a power
 * loss would leave.
 */
export interface Disk {
  /** Opens a file for `writeDurably`. */
  open(path: string, flags: number): Promise<FileHandle>;
  /** Resolves when all of `bytes` is on the medium, with the metadata that is needed to read it back. */
  writeDurably(file: FileHandle, bytes: Uint8Array, offset: number): Promise<void>;
  /** Resolves when the file ends at `size`, and would do so after a power loss. */
  cutDurably(file: FileHandle, size: number): Promise<void>;
}

/**
 * On Linux, O_DSYNC turns every write into write and fdatasync, in one system call and one turn of the thread
 * pool. Elsewhere O_DSYNC is weaker than libuv's fdatasync (F_FULLFSYNC on macOS), or missing (Windows).
 */
const writesAreDurable = process.platform === 'linux';

export const realDisk: Disk = {
  open: (path, flags) => open(path, flags | (writesAreDurable ? constants.O_DSYNC : 0), 0o644),
  writeDurably: async (file, bytes, offset) => {
    let done = 0;
    while (done < bytes.length) {
      // A short write is not an error: the next write reports the cause.
      const { bytesWritten } = await file.write(bytes, done, bytes.length - done, offset + done);
      if (bytesWritten === 0) throw new Error('the file system took no byte and gave no reason');
      done += bytesWritten;
    }
    if (!writesAreDurable) await file.datasync();
  },
  cutDurably: async (file, size) => {
    await file.truncate(size);
    await file.datasync();
  },
};

/**
 * Makes creations, renames and deletions in the directory durable. Windows does so without a call, and has
 * none for it.
 */
export async function syncDirectory(directory: string): Promise<void> {
  if (process.platform === 'win32') return;
  const handle = await open(directory, constants.O_RDONLY);
  try {
    await handle.sync();
  } finally {
    await handle.close();
  }
}
