import { open, readFile, rename } from 'node:fs/promises';
import { dirname } from 'node:path';
import { type Checkpoint, parseCheckpoint } from './checkpoint.ts';
import { DrainError, DrainUsageError } from './errors.ts';

/** The checkpoint in the file, or undefined when there is no file. @throws DrainUsageError */
export async function readCheckpoint(file: string): Promise<Checkpoint | undefined> {
  try {
    return parseCheckpoint(await readFile(file, 'utf8'), file);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
    if (error instanceof DrainUsageError) throw error;
    throw new DrainUsageError(`${file} cannot be read: check the path and its permissions.`, {
      cause: error,
    });
  }
}

/**
 * Keeps a checkpoint on disk. `save` resolves when the checkpoint of the time of the call is durable; calls
 * made during a write share the next one. The file is always complete: each write goes to another file, is
 * synced, and renamed.
 */
export class CheckpointFile {
  readonly #file: string;
  readonly #checkpoint: Checkpoint;
  #writing: Promise<void> = Promise.resolve();
  #next: Promise<void> | undefined;

  constructor(file: string, checkpoint: Checkpoint) {
    this.#file = file;
    this.#checkpoint = checkpoint;
  }

  /** @throws DrainError */
  save(): Promise<void> {
    if (this.#next === undefined) {
      const next = this.#writing.then(() => {
        this.#next = undefined;
        return this.#write();
      });
      this.#next = next;
      // The caller that waits is told of a failure; the next write is tried all the same.
      this.#writing = next.catch(() => {});
    }
    return this.#next;
  }

  async #write(): Promise<void> {
    const beside = `${this.#file}.new`;
    const text = `${JSON.stringify(this.#checkpoint)}\n`;
    try {
      const handle = await open(beside, 'w', 0o600);
      try {
        await handle.writeFile(text);
        await handle.sync();
      } finally {
        await handle.close();
      }
      await rename(beside, this.#file);
      await syncDirectory(dirname(this.#file));
    } catch (cause) {
      throw new DrainError(
        `The checkpoint ${this.#file} could not be written, so nothing more was copied: make room on its disk, and start again.`,
        { cause },
      );
    }
  }
}

/** Makes the rename durable. */
async function syncDirectory(directory: string): Promise<void> {
  const handle = await open(directory, 'r');
  try {
    await handle.sync();
  } finally {
    await handle.close();
  }
}
