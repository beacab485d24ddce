import { chmod, mkdir, writeFile } from 'node:fs/promises';
import path from 'node:path';

export interface FakePythonOptions {
  readonly directory: string;
  readonly name?: string;
  readonly version?: readonly [number, number, number];
  /** Shell commands for `-m venv DIRECTORY`, which is $3. Default: makes an environment whose python is this one again. */
  readonly venv?: string;
  /** Shell commands for every other call, such as `-m pip`. */
  readonly otherwise?: string;
}

/** A command that answers as Python does to what Spillway asks of it. Counts the environments made in `made`. */
export async function fakePython(options: FakePythonOptions): Promise<string> {
  const { directory, name = 'python3', version = [3, 11, 7] } = options;
  await mkdir(directory, { recursive: true });
  const file = path.join(directory, name);
  const venv = options.venv ?? `echo made >> "${directory}/made"; mkdir -p "$3/bin"; cp "$0" "$3/bin/python"`;
  const lines = [
    '#!/bin/sh',
    `if [ "$1" = -c ]; then echo '${JSON.stringify([file, ...version])}'`,
    `elif [ "$2" = venv ]; then ${venv}`,
    `else ${options.otherwise ?? ':'}`,
    'fi',
  ];
  await writeFile(file, `${lines.join('\n')}\n`);
  await chmod(file, 0o755);
  return file;
}
