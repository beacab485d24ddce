import { randomUUID } from 'node:crypto';
import { constants } from 'node:fs';
import { chmod, link, lstat, mkdir, open, readdir, rename, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { RegisterError } from './errors.ts';
import { isRunning, type ProcessId } from './process-birth.ts';
import { entrySchema, type Registered, type RunEntry } from './run-entry.ts';

export const REGISTER_DIRECTORY = 'SPILLWAY_RUNNING_DIR';
const NAME = 'spillway-running';
/** Every user may add entries, and remove only their own. */
const SHARED_MODE = 0o1777;
const ENTRY_MODE = 0o644;
const MAX_ENTRY_BYTES = 16_384;
/** The most entries looked at; each is a process that runs, or that ended without removing its entry. */
const MAX_ENTRIES = 1_000;
const MAX_ATTEMPTS = 50;
const entryName = /^(\d{1,15})\.json$/;

/**
 * The directory in which the runs of this machine are registered: one for all users and all copies of the
 * project, so not the temporary directory of a user or a session, where the machine has one of its own.
 */
export function registerDirectory(env: Readonly<Record<string, string | undefined>>): string {
  const named = env[REGISTER_DIRECTORY];
  if (named) return named;
  return join(process.platform === 'win32' ? tmpdir() : '/tmp', NAME);
}

/** The entry of this process, while it has one. */
export interface OwnEntry {
  readonly ticket: number;
  update(changes: Partial<Pick<RunEntry, 'activity' | 'runDirectory' | 'what'>>): Promise<void>;
  leave(): Promise<void>;
}

/**
 * The register of runs on this machine: a file for each run, named by a number that grows. Entries of
 * processes that have ended, in whatever way, no longer count.
 */
export class RunRegister {
  readonly #directory: string;
  readonly #running: (id: ProcessId) => Promise<boolean>;

  constructor(directory: string, running: (id: ProcessId) => Promise<boolean> = isRunning) {
    this.#directory = directory;
    this.#running = running;
  }

  /**
   * Adds an entry behind all others. Of two entries at the same time, the one with the lower number may not
   * have been seen by the other: then it steps back and takes a later number, so that an entry that sees no
   * other before it is the first.
   *
   * @throws RegisterError when nothing can be written there.
   */
  async enter(entry: RunEntry): Promise<OwnEntry> {
    try {
      await this.#prepare();
      for (let attempt = 0; attempt < MAX_ATTEMPTS; attempt++) {
        // The time is the lowest possible number, so that a used number is not used again when all entries
        // have left.
        const ticket = Math.max((await this.#tickets()).at(-1) ?? 0, entry.sinceMs) + 1;
        const file = this.#file(ticket);
        if (!(await this.#write(entry, (fresh) => linkNew(fresh, file)))) continue;
        if ((await this.#tickets()).at(-1) === ticket) return this.#own(entry, ticket);
        await rm(file, { force: true });
      }
    } catch (cause) {
      throw new RegisterError(`Nothing can be written to ${this.#directory}: ${messageOf(cause)}`, { cause });
    }
    throw new RegisterError(`Other runs keep entering ${this.#directory}: try again.`);
  }

  /**
   * The entries of processes that run, in order. Files that are no entries are skipped; entries of ended
   * processes are removed.
   */
  async running(): Promise<readonly Registered[]> {
    const tickets = await this.#tickets().catch(() => []);
    const found = await Promise.all(tickets.slice(-MAX_ENTRIES).map((ticket) => this.#read(ticket)));
    return found.filter((one) => one !== undefined);
  }

  async #prepare(): Promise<void> {
    try {
      await mkdir(this.#directory);
      await chmod(this.#directory, SHARED_MODE); // mkdir's own mode is cut by the umask
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error;
    }
    // Where everybody can write, somebody may have put a link.
    if (!(await lstat(this.#directory)).isDirectory()) throw new Error('the path is not a directory');
  }

  async #tickets(): Promise<readonly number[]> {
    const names = await readdir(this.#directory);
    return names
      .flatMap((name) => entryName.exec(name)?.[1] ?? [])
      .map(Number)
      .toSorted((a, b) => a - b);
  }

  async #read(ticket: number): Promise<Registered | undefined> {
    const text = await readSmall(this.#file(ticket)).catch(() => '');
    const parsed = entrySchema.safeParse(jsonOf(text));
    if (!parsed.success) return undefined;
    if (await this.#running(parsed.data)) return { ...parsed.data, ticket };
    await rm(this.#file(ticket), { force: true }).catch(() => {}); // another user's stays
    return undefined;
  }

  #own(entry: RunEntry, ticket: number): OwnEntry {
    let current = entry;
    return {
      ticket,
      update: async (changes) => {
        current = { ...current, ...changes };
        await this.#write(current, (fresh) => rename(fresh, this.#file(ticket)));
      },
      leave: () => rm(this.#file(ticket), { force: true }).catch(() => {}),
    };
  }

  /** Writes an entry so that a reader sees all of it or nothing. */
  async #write<T>(entry: RunEntry, place: (fresh: string) => Promise<T>): Promise<T> {
    const fresh = join(this.#directory, `new-${randomUUID()}`);
    try {
      await writeFile(fresh, JSON.stringify(entry), { flag: 'wx' });
      await chmod(fresh, ENTRY_MODE);
      return await place(fresh);
    } finally {
      await rm(fresh, { force: true });
    }
  }

  #file(ticket: number): string {
    return join(this.#directory, `${ticket}.json`);
  }
}

/** Links the file under its final name. False when the name is taken. */
async function linkNew(fresh: string, file: string): Promise<boolean> {
  try {
    await link(fresh, file);
    return true;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'EEXIST') return false;
    throw error;
  }
}

/** Reads a small plain file only: somebody may have put a link there, or a pipe that never ends. */
async function readSmall(file: string): Promise<string> {
  const handle = await open(file, constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK);
  try {
    const { size } = await handle.stat();
    if (!(await handle.stat()).isFile() || size > MAX_ENTRY_BYTES) return '';
    return await handle.readFile('utf8');
  } finally {
    await handle.close();
  }
}

function jsonOf(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

const messageOf = (error: unknown): string => (error instanceof Error ? error.message : String(error));
