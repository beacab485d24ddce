import { createHash } from 'node:crypto';
import { existsSync } from 'node:fs';
import { mkdir, mkdtemp, readdir, readFile, rename, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { execa } from 'execa';
import { workDirectory } from '../../files/own-files.ts';
import { withLock } from '../localstack/directory-lock.ts';
import { ForeignClientError } from './errors.ts';

const DOWNLOAD_TIMEOUT_MS = 600_000;
const COMPILE_TIMEOUT_MS = 120_000;
const HASH_CHARACTERS = 16;
const ownSources = join(import.meta.dirname, 'java');
const pom = join(ownSources, 'pom.xml');

export interface JavaOptions {
  /** Folders with further programs, beside those of this folder. */
  readonly sources?: readonly string[];
  readonly onProgress?: ((line: string) => void) | undefined;
}

export interface JavaPrograms {
  readonly classPath: string;
  /** Where the KPL keeps its native daemon, which it unpacks once. */
  readonly tempDirectory: string;
}

/**
 * The clients of Maven Central, in the versions of `java/pom.xml`, and the programs that use them, compiled. Libraries are fetched once in a
 * clone for as long as the pom stays the same, and programs are compiled again when they have changed.
 *
 * @throws ForeignClientError
 */
export async function javaPrograms({ sources = [], onProgress }: JavaOptions = {}): Promise<JavaPrograms> {
  const parent = join(workDirectory(), '.spillway/java');
  const tempDirectory = join(parent, 'kpl');
  await mkdir(tempDirectory, { recursive: true });
  const pomText = await readFile(pom, 'utf8').catch((cause: unknown) => {
    throw new ForeignClientError('The clients in Java run in a clone of Spillway only: clone it.', { cause });
  });
  const files = await javaFiles([ownSources, ...sources]);
  const libraries = join(parent, `lib-${hashOf([pomText])}`);
  const classes = join(parent, `classes-${hashOf([pomText, ...(await textsOf(files))])}`);
  const lock = { file: join(parent, 'lock'), timeoutMs: DOWNLOAD_TIMEOUT_MS, onProgress };
  if (!existsSync(libraries) || !existsSync(classes)) {
    await withLock(lock, async () => {
      await makeOnce(libraries, (made) => download(made, onProgress));
      await makeOnce(classes, (made) => compile({ files, libraries, made, onProgress }));
    });
  }
  return { classPath: `${classes}:${libraries}/*`, tempDirectory };
}

async function javaFiles(folders: readonly string[]): Promise<readonly string[]> {
  const lists = await Promise.all(
    folders.map(async (folder) => {
      const names = (await readdir(folder)).filter((name) => name.endsWith('.java')).sort();
      return names.map((name) => join(folder, name));
    }),
  );
  return lists.flat();
}

const textsOf = (files: readonly string[]): Promise<readonly string[]> =>
  Promise.all(files.map((file) => readFile(file, 'utf8')));

function hashOf(texts: readonly string[]): string {
  const hash = createHash('sha256');
  for (const text of texts) hash.update(text).update('\0');
  return hash.digest('hex').slice(0, HASH_CHARACTERS);
}

/** Half of it is never seen: it is made beside, and renamed. */
async function makeOnce(directory: string, make: (made: string) => Promise<void>): Promise<void> {
  if (existsSync(directory)) return;
  const made = await mkdtemp(`${directory}-new-`);
  try {
    await make(made);
    await rename(made, directory);
  } finally {
    await rm(made, { recursive: true, force: true });
  }
}

async function download(into: string, onProgress: JavaOptions['onProgress']): Promise<void> {
  onProgress?.('Fetching the KPL, the KCL and the AWS SDK for Java with Maven: 130 MB, once in a clone');
  const copying = ['dependency:copy-dependencies', `-DoutputDirectory=${into}`];
  await run('mvn', ['-B', '-ntp', '-q', '-f', pom, ...copying], {
    timeoutMs: DOWNLOAD_TIMEOUT_MS,
    need: 'Install Maven and a JDK (17 or later), and see that Maven Central is reached.',
  });
}

async function compile({
  files,
  libraries,
  made,
  onProgress,
}: {
  readonly files: readonly string[];
  readonly libraries: string;
  readonly made: string;
  readonly onProgress: JavaOptions['onProgress'];
}): Promise<void> {
  onProgress?.('Compiling the programs in Java');
  const compiling = ['-Xlint:all', '-Xlint:-processing,-path,-classfile', '-proc:none', '--release', '17'];
  await run('javac', [...compiling, '-cp', `${libraries}/*`, '-d', made, ...files], {
    timeoutMs: COMPILE_TIMEOUT_MS,
    need: 'Install a JDK (17 or later).',
  });
}

async function run(
  command: string,
  args: readonly string[],
  { timeoutMs, need }: { readonly timeoutMs: number; readonly need: string },
): Promise<void> {
  const result = await execa(command, args, { reject: false, timeout: timeoutMs, stdin: 'ignore' });
  if (!result.failed) return;
  const said = `${result.stdout ?? ''}\n${result.stderr ?? ''}`.trim();
  throw new ForeignClientError(`${command} failed: ${said || result.originalMessage}\n${need}`, {
    cause: result,
  });
}
