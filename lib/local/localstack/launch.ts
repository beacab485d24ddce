import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { closeSync, openSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { setTimeout as sleep } from 'node:timers/promises';
import { killGroup } from '../process-group.ts';
import { LocalStackStartError, PortInUseError } from './errors.ts';

/** Exit status of python/spillway_localstack/processes.py when the port is taken. */
const EXIT_PORT_IN_USE = 98;
/** Printed by LocalStack once its gateway listens and all start hooks have run. */
const READY_LINE = /^Ready\.$/m;
const pollIntervalMs = 100;
const healthTimeoutMs = 2_000;
const logLinesShown = 12;

export interface LaunchOptions {
  readonly python: string;
  readonly environment: NodeJS.ProcessEnv;
  readonly directory: string;
  readonly port: number;
  readonly logFile: string;
  readonly startTimeoutMs: number;
  readonly onExit?: ((reason: string) => void) | undefined;
  readonly signal?: AbortSignal | undefined;
}

/** A running LocalStack process group. */
export interface Launched {
  /** Leads the group. */
  readonly pid: number;
  stop(): Promise<void>;
}

async function lastLogLines(logFile: string): Promise<string> {
  const text = await readFile(logFile, 'utf8').catch(() => '');
  return text.trimEnd().split('\n').slice(-logLinesShown).join('\n');
}

/** True when LocalStack at `url` answers its health endpoint within two seconds. */
export async function isHealthy(url: string): Promise<boolean> {
  try {
    const response = await fetch(`${url}/_localstack/health`, {
      signal: AbortSignal.timeout(healthTimeoutMs),
    });
    await response.arrayBuffer();
    return response.ok;
  } catch {
    return false;
  }
}

/**
 * Starts LocalStack as the leader of a process group and waits until it is ready. It ends with everything it started when
 * `stop` is called, and also when this process dies in any way, because its standard input closes then.
 */
export async function launch(options: LaunchOptions): Promise<Launched> {
  options.signal?.throwIfAborted();
  const log = openSync(options.logFile, 'a');
  const child = spawn(options.python, ['-m', 'spillway_localstack'], {
    cwd: options.directory,
    env: options.environment,
    detached: true,
    stdio: ['pipe', log, log],
  });
  closeSync(log);
  const exited = once(child, 'exit').then(
    ([code, signal]) => ({
      code: code as number | null,
      text: signal ? `by ${signal}` : `with status ${code}`,
    }),
    (error: Error) => ({ code: null, text: `: ${error.message}` }),
  );
  const leader = child.pid;
  if (leader === undefined)
    throw new LocalStackStartError(`LocalStack could not be started ${(await exited).text}`);

  let ended = false;
  const stop = async (): Promise<void> => {
    ended = true;
    // At once: nothing of a LocalStack is worth saving, and an orderly end takes seconds.
    killGroup(leader);
    await exited;
  };
  try {
    await waitUntilReady(options, exited);
  } catch (error) {
    await stop();
    throw error;
  }
  void exited.then(async ({ text }) => {
    if (ended) return;
    ended = true;
    killGroup(leader);
    options.onExit?.(
      `LocalStack ended ${text}. ${options.logFile} ends with:\n${await lastLogLines(options.logFile)}`,
    );
  });
  return { pid: leader, stop };
}

async function waitUntilReady(
  options: LaunchOptions,
  exited: Promise<{ code: number | null; text: string }>,
) {
  const deadline = performance.now() + options.startTimeoutMs;
  const url = `http://127.0.0.1:${options.port}`;
  while (performance.now() < deadline) {
    const end = await Promise.race([exited, sleep(pollIntervalMs)]);
    options.signal?.throwIfAborted();
    if (end?.code === EXIT_PORT_IN_USE) throw new PortInUseError(options.port);
    const tail = () => lastLogLines(options.logFile);
    if (end)
      throw new LocalStackStartError(
        `LocalStack ended ${end.text}; ${options.logFile} ends with:\n${await tail()}`,
      );
    // The log first: only it tells that the answer comes from this LocalStack and not from another one on the port.
    if (READY_LINE.test(await readFile(options.logFile, 'utf8')) && (await isHealthy(url))) return;
  }
  throw new LocalStackStartError(
    `LocalStack was not ready within ${options.startTimeoutMs / 1000} s; see ${options.logFile}.`,
  );
}
