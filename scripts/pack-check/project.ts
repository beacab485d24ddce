import { execFile } from 'node:child_process';
import { copyFile, lstat, mkdir, readdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';

const STEP_TIMEOUT_MS = 10 * 60_000;
const MAX_OUTPUT_BYTES = 20_000_000;
const MEGABYTE = 1e6;

/** A step ended with another status than 0; the message has what the step printed. */
export class StepError extends Error {
  override readonly name = 'StepError';
}

/** An empty folder into which the packed packages are installed. */
export class Project {
  readonly directory: string;
  readonly #env: NodeJS.ProcessEnv;

  private constructor(directory: string, env: NodeJS.ProcessEnv) {
    this.directory = directory;
    this.#env = env;
  }

  /** `npm init` and `npm install`, from the cache where it has everything. */
  static async install(directory: string, packages: readonly string[]): Promise<Project> {
    await mkdir(directory, { recursive: true });
    // The Node of the clone, without the clone's settings.
    const { NODE_COMPILE_CACHE: _cache, ...env } = process.env;
    for (const name of Object.keys(env))
      if (/^npm_(package|lifecycle|config_local)/.test(name)) delete env[name];
    const project = new Project(directory, env);
    await project.run('npm', ['init', '-y']);
    await project.run('npm', ['install', '--prefer-offline', '--no-audit', '--no-fund', ...packages]);
    return project;
  }

  async write(file: string, text: string): Promise<void> {
    await writeFile(join(this.directory, file), text);
  }

  async copy(from: string, to: string): Promise<void> {
    await copyFile(from, join(this.directory, to));
  }

  /** The size on disk, in megabytes of 10^6 bytes, and the number of packages. */
  async size(): Promise<{ readonly megabytes: number; readonly packages: number }> {
    const modules = join(this.directory, 'node_modules');
    const lock = JSON.parse(await readFile(join(modules, '.package-lock.json'), 'utf8'));
    return {
      megabytes: Math.round((await diskBytes(modules)) / (MEGABYTE / 10)) / 10,
      packages: Object.keys(lock.packages).length,
    };
  }

  /** Returns standard output. @throws StepError */
  run(command: string, args: readonly string[], env: Readonly<Record<string, string>> = {}): Promise<string> {
    return runIn(this.directory, { command, args, env: { ...this.#env, ...env } });
  }
}

export interface Step {
  readonly command: string;
  readonly args: readonly string[];
  readonly env?: NodeJS.ProcessEnv;
}

export function runIn(cwd: string, { command, args, env }: Step): Promise<string> {
  const options = { cwd, env, timeout: STEP_TIMEOUT_MS, maxBuffer: MAX_OUTPUT_BYTES };
  return new Promise((resolve, reject) => {
    execFile(command, args, options, (cause, stdout, stderr) => {
      if (cause === null) resolve(stdout);
      else reject(new StepError(`${command} ${args.join(' ')}\n${stdout}\n${stderr}`, { cause }));
    });
  });
}

/** As `du` counts: whole blocks. */
async function diskBytes(directory: string): Promise<number> {
  const BLOCK_BYTES = 512;
  const entries = await readdir(directory, { recursive: true, withFileTypes: true });
  const sizes = await Promise.all(
    entries.map(async (entry) => (await lstat(join(entry.parentPath, entry.name))).blocks * BLOCK_BYTES),
  );
  return sizes.reduce((sum, size) => sum + size, 0);
}
