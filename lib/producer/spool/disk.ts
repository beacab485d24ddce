import { constants } from 'node:fs';
import { type FileHandle, open } from 'node:fs/promises';

/**
 * The edge at which bytes become durable: the only one, so that a test can fill the disk, or learn what a power loss
 * would leave.
 */
export interface Disk {
  /** Opens for `writeDurably`. */
  open(path: string, flags: number): Promise<FileHandle>;
  /** Resolves when all of `bytes` is on the medium, with whatever metadata reading it back needs. */
  writeDurably(file: FileHandle, bytes: Uint8Array, offset: number): Promise<void>;
  /** Resolves when the file ends at `size` and will after a power loss. */
  cutDurably(file: FileHandle, size: number): Promise<void>;
}

/**
 * On Linux, O_DSYNC makes every write also an fdatasync, in one system call and one turn of the thread pool. Elsewhere
 * it is weaker than what libuv does for fdatasync (F_FULLFSYNC on macOS), or missing (Windows).
 */
const writesAreDurable = process.platform === 'linux';

export const realDisk: Disk = {
  open: (path, flags) => open(path, flags | (writesAreDurable ? constants.O_DSYNC : 0), 0o644),
  writeDurably: async (file, bytes, offset) => {
    let done = 0;
    while (done < bytes.length) {
      // A short write is no error: the next one says what is wrong.
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

/** Makes creations, renames and deletions in the directory durable. Windows does that by itself and knows no such call. */
export async function syncDirectory(directory: string): Promise<void> {
  if (process.platform === 'win32') return;
  const handle = await open(directory, constants.O_RDONLY);
  try {
    await handle.sync();
  } finally {
    await handle.close();
  }
}
