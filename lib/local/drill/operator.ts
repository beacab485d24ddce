import { spawn } from 'node:child_process';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { CALL_LOG } from '../../aws/call-log.ts';
import { ownFile } from '../../files/own-files.ts';
import { OPERATOR } from './callers.ts';
import { producerEnvironment } from './fleet.ts';
import { unlessAborted } from './until.ts';
import { CALLS_FILE, type World } from './world.ts';

const cli = ownFile('bin/spillway.ts');
const MAX_OUTPUT = 100_000;

export interface OperatorEnd {
  readonly status: number | null;
  /** The document that `--json` prints; undefined when the command printed nothing. */
  readonly document: Readonly<Record<string, unknown>> | undefined;
  readonly said: string;
}

/** A person at a terminal in a witness region: the real command, in a process of its own, behind the fault proxy. */
export class Operator {
  readonly #world: World;
  readonly #directory: string;

  constructor(world: World, directory: string) {
    this.#world = world;
    this.#directory = directory;
  }

  async run(
    args: readonly string[],
    { timeoutMs, signal }: { readonly timeoutMs: number; readonly signal: AbortSignal },
  ): Promise<OperatorEnd> {
    const file = join(this.#directory, 'operator.json');
    await writeFile(file, JSON.stringify(this.#facts()));
    const child = spawn(process.execPath, [cli, ...args, '--world', file, '--yes', '--json'], {
      stdio: ['ignore', 'pipe', 'pipe'],
      env: {
        ...producerEnvironment(process.env, this.#world.config.regions.standby),
        [CALL_LOG]: join(this.#directory, CALLS_FILE),
      },
      timeout: timeoutMs,
      killSignal: 'SIGKILL',
    });
    let [out, said] = ['', ''];
    child.stdout.on('data', (chunk: Buffer) => {
      out = (out + chunk.toString()).slice(-MAX_OUTPUT);
    });
    child.stderr.on('data', (chunk: Buffer) => {
      said = (said + chunk.toString()).slice(-MAX_OUTPUT);
    });
    const ended = new Promise<number | null>((resolve, reject) => {
      child.once('error', reject);
      child.once('close', resolve);
    });
    try {
      const status = await unlessAborted(signal, ended);
      return { status, document: documentOf(out), said };
    } finally {
      child.kill('SIGKILL');
    }
  }

  #facts() {
    const { proxy, dataPlane, config } = this.#world;
    return {
      localStackUrl: proxy.endpointFor(OPERATOR),
      dnsServer: dataPlane.dnsServer,
      zone: config.zone,
    };
  }
}

function documentOf(out: string): OperatorEnd['document'] {
  try {
    const parsed: unknown = JSON.parse(out);
    return typeof parsed === 'object' && parsed !== null ? { ...parsed } : undefined;
  } catch {
    return undefined;
  }
}
