import { type FileHandle, open } from 'node:fs/promises';
import { SmallFileError } from './errors.ts';

export interface SmallFileLimits {
  readonly maxBytes: number;
  /** What to name instead of a directory, as a sentence. */
  readonly nameInstead: string;
  /** What to do about a file that is too large, as a sentence. */
  readonly tooLarge: string;
}

/** Reads a text file of a few kilobytes that a person has written. @throws SmallFileError */
export async function readSmallFile(file: string, limits: SmallFileLimits): Promise<string> {
  let handle: FileHandle | undefined;
  try {
    handle = await open(file, 'r');
    const stat = await handle.stat();
    if (!stat.isFile()) throw new SmallFileError({ problem: 'is not a file', fix: limits.nameInstead });
    if (stat.size > limits.maxBytes) {
      throw new SmallFileError({
        problem: `is larger than ${limits.maxBytes / 1024} KiB`,
        fix: limits.tooLarge,
      });
    }
    return await handle.readFile('utf8');
  } catch (cause) {
    if (cause instanceof SmallFileError) throw cause;
    const isAbsent = cause instanceof Error && 'code' in cause && cause.code === 'ENOENT';
    const facts = isAbsent
      ? { problem: 'does not exist', fix: 'Check the path.' }
      : { problem: `cannot be read: ${String(cause)}`, fix: 'Make it readable for this user.' };
    throw new SmallFileError(facts, { cause });
  } finally {
    await handle?.close();
  }
}
