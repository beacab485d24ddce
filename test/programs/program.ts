import { type ChildProcessByStdio, spawn } from 'node:child_process';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Readable, Writable } from 'node:stream';
import { fileURLToPath } from 'node:url';
import { execa } from 'execa';
import { pythonWith } from '../../lib/local/clients/python.ts';

export const programs = fileURLToPath(new URL('../../docs/programs/', import.meta.url));

/** What begins a program of the documents; its arguments follow. */
export type Start = readonly [command: string, ...rest: string[]];

export async function pythonProgram(): Promise<Start> {
  const requirements = join(import.meta.dirname, 'requirements.lock');
  return [await pythonWith({ name: 'follow-signal', requirements }), join(programs, 'follow_signal.py')];
}

const RESOLVE_TIMEOUT_MS = 300_000;

/** Maven only resolves what the program needs; `java` runs its source. */
export async function javaProgram(): Promise<Start> {
  const directory = await mkdtemp(join(tmpdir(), 'follow-signal-'));
  try {
    const file = join(directory, 'classpath');
    const build = ['dependency:build-classpath', `-Dmdep.outputFile=${file}`];
    const pom = ['-f', join(programs, 'pom.xml')];
    await execa('mvn', ['-q', '-B', ...pom, ...build], { timeout: RESOLVE_TIMEOUT_MS });
    const classpath = await readFile(file, 'utf8');
    return ['java', '-XX:TieredStopAtLevel=1', '-cp', classpath.trim(), join(programs, 'FollowSignal.java')];
  } finally {
    await rm(directory, { recursive: true });
  }
}

/** A program of the documents that runs. */
export class Program {
  readonly #child: ChildProcessByStdio<Writable, Readable, Readable>;
  #out = '';
  #err = '';

  constructor(
    [command, ...rest]: Start,
    { args, env }: { readonly args: readonly string[]; readonly env: NodeJS.ProcessEnv },
  ) {
    this.#child = spawn(command, [...rest, ...args], {
      env: { PATH: process.env.PATH, PYTHONDONTWRITEBYTECODE: '1', ...env },
      stdio: ['pipe', 'pipe', 'pipe'],
    });
    this.#child.stdout.on('data', (chunk: Buffer) => {
      this.#out += chunk.toString();
    });
    this.#child.stderr.on('data', (chunk: Buffer) => {
      this.#err += chunk.toString();
    });
  }

  /** Whole lines that it has written. */
  get lines(): readonly string[] {
    return this.#out.split('\n').slice(0, -1);
  }

  get said(): string {
    return this.#err;
  }

  give(records: readonly (readonly [key: string, data: string])[]): void {
    this.#child.stdin.write(records.map(([key, data]) => `${key}\t${data}\n`).join(''));
  }

  kill(): void {
    this.#child.kill('SIGKILL');
  }
}
