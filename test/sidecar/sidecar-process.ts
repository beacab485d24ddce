import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { ownFile } from '../../lib/files/own-files.ts';

export interface SidecarProcessOptions {
  /** Of Kinesis. */
  readonly endpoint: string;
  /** For the spool and the certificate. */
  readonly directory: string;
  readonly port?: number;
  readonly env?: Readonly<Record<string, string>>;
  readonly args?: readonly string[];
}

/** `spillway sidecar` in a process of its own, pinned to us-east-1. */
export interface SidecarProcess {
  readonly url: string;
  readonly port: number;
  readonly child: ChildProcess;
  /** The events so far. */
  readonly events: readonly Readonly<Record<string, unknown>>[];
  /** SIGTERM. @returns the exit status */
  stop(): Promise<number | null>;
  kill(): Promise<void>;
}

const START_TIMEOUT_MS = 30_000;

/** @throws when the process ends before it listens */
export async function startSidecarProcess(options: SidecarProcessOptions): Promise<SidecarProcess> {
  const child = launchSidecar(options);
  const events: Record<string, unknown>[] = [];
  const listening = Promise.withResolvers<number>();
  let errors = '';
  child.stderr?.on('data', (chunk: Buffer) => {
    errors += chunk;
  });
  createInterface({ input: child.stdout as NodeJS.ReadableStream }).on('line', (line) => {
    const event = JSON.parse(line) as Record<string, unknown>;
    events.push(event);
    if (event.event === 'listening') listening.resolve(event.port as number);
  });
  const exit = once(child, 'exit');
  exit.then(([code]) =>
    listening.reject(new Error(`The sidecar ended (${code}): ${JSON.stringify(events)} ${errors}`)),
  );
  const timer = setTimeout(
    () => listening.reject(new Error('The sidecar does not start.')),
    START_TIMEOUT_MS,
  );
  const port = await listening.promise.finally(() => clearTimeout(timer));
  const end = async (signal: NodeJS.Signals): Promise<number | null> => {
    child.kill(signal);
    const [code] = await exit;
    return code;
  };
  return {
    url: `http://127.0.0.1:${port}`,
    port,
    child,
    events,
    stop: () => end('SIGTERM'),
    kill: async () => void (await end('SIGKILL')),
  };
}

/** Starts the process alone. Events are JSON lines on its standard output. */
export function launchSidecar({
  endpoint,
  directory,
  port = 0,
  env,
  args = [],
}: SidecarProcessOptions): ChildProcess {
  const flags = [
    ...['--json', '--signal', 'pinned.invalid', '--regions', 'us-east-1', '--stream', 'orders'],
    ...['--endpoint', endpoint, '--listen', `127.0.0.1:${port}`],
    ...['--spool', join(directory, 'spool'), '--tls-dir', join(directory, 'tls')],
    ...args,
  ];
  return spawn(process.execPath, [ownFile('bin/spillway.ts'), 'sidecar', ...flags], {
    stdio: ['ignore', 'pipe', 'pipe'],
    env: {
      PATH: process.env.PATH,
      NODE_COMPILE_CACHE: process.env.NODE_COMPILE_CACHE,
      SPILLWAY_REGION: 'us-east-1',
      AWS_ACCESS_KEY_ID: 'test',
      AWS_SECRET_ACCESS_KEY: 'test',
      ...env,
    },
  });
}
