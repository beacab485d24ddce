import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { PassThrough } from 'node:stream';

export interface GroupRun {
  readonly command: string;
  readonly args: readonly string[];
  readonly cwd?: string;
  readonly env: NodeJS.ProcessEnv;
  readonly signal?: AbortSignal | undefined;
  readonly onLine?: (line: string) => void;
}

export interface GroupEnd {
  /** Null when a signal ended the command. */
  readonly status: number | null;
  /** The last lines of standard output and error together. */
  readonly output: string;
}

/** Lines that are kept: enough for what an installer or the CDK reports about one failure. */
const tailLines = 40;

/**
 * The shell becomes the command, which leads a group of its own, and leaves behind a reader of our pipe. The pipe ends
 * when this process does, by whatever means, and then the reader ends the group.
 */
const GUARD = 'exec 3<&0; { read -r _ <&3; kill -KILL 0; } 3<&3 & exec "$@" 3<&- </dev/null';

/**
 * Runs a command to its end. No process that it started outlives it, the signal's abort, or this process.
 * Rejects with the signal's reason, or when the command cannot be started.
 */
export async function runInGroup(run: GroupRun): Promise<GroupEnd> {
  run.signal?.throwIfAborted();
  const child = spawn('/bin/sh', ['-c', GUARD, 'sh', run.command, ...run.args], {
    ...(run.cwd === undefined ? {} : { cwd: run.cwd }),
    env: run.env,
    detached: true,
    stdio: ['pipe', 'pipe', 'pipe'],
  });
  const kill = (): void => killGroup(child.pid);
  // The guard holds the output open, so its end must come before the output's.
  child.once('exit', kill);
  child.stdin?.on('error', () => {});
  run.signal?.addEventListener('abort', kill, { once: true });
  const tail = tailOf(child, run.onLine);
  try {
    const [status] = await once(child, 'close');
    run.signal?.throwIfAborted();
    return { status: status as number | null, output: tail.join('\n') };
  } finally {
    run.signal?.removeEventListener('abort', kill);
  }
}

/** SIGKILL to a process group, which may have gone already. */
export function killGroup(leader: number | undefined): void {
  if (leader === undefined) return;
  try {
    process.kill(-leader, 'SIGKILL');
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ESRCH') throw error;
  }
}

export function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EPERM';
  }
}

/** Reads both streams line by line; returns the array that holds the last ones. */
function tailOf(child: ChildProcess, onLine: GroupRun['onLine']): string[] {
  const merged = new PassThrough();
  for (const stream of [child.stdout, child.stderr]) stream?.pipe(merged, { end: false });
  child.once('close', () => merged.end());
  const tail: string[] = [];
  createInterface({ input: merged }).on('line', (line) => {
    if (line.trim() !== '') tail.push(line);
    if (tail.length > tailLines) tail.shift();
    onLine?.(line);
  });
  return tail;
}
