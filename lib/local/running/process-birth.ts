import { execFile } from 'node:child_process';
import { readFile } from 'node:fs/promises';
import { promisify } from 'node:util';
import { isAlive } from '../process-group.ts';

const PS_TIMEOUT_MS = 2_000;
/**
 * Positions of two fields of /proc/PID/stat, counted from behind the command's name: the state, and the start
 * in ticks since boot.
 */
const STATE_FIELD = 0;
const START_FIELD = 19;

export interface ProcessId {
  readonly pid: number;
  /** What tells the process from a later one with the same id; '' when the system did not say. */
  readonly birth: string;
}

interface Seen {
  readonly birth: string;
  /** The process has ended, and its parent has not collected its status yet. */
  readonly zombie: boolean;
}

/**
 * Reads when a process began, as a text that can only be compared for equality; '' when the system does not
 * say.
 */
export async function birthOf(pid: number): Promise<string> {
  return (await look(pid))?.birth ?? '';
}

/** Whether this very process still runs, and not a later process with the same id. */
export async function isRunning({ pid, birth }: ProcessId): Promise<boolean> {
  if (!isAlive(pid)) return false;
  const seen = await look(pid);
  // A process of another user may be hidden: that it is alive is all that can be known.
  if (seen === undefined) return true;
  return !seen.zombie && (birth === '' || seen.birth === birth);
}

async function look(pid: number): Promise<Seen | undefined> {
  if (process.platform === 'linux') return lookInProc(pid);
  try {
    const args = ['-o', 'stat=,lstart=', '-p', String(pid)];
    const { stdout } = await promisify(execFile)('ps', args, { timeout: PS_TIMEOUT_MS });
    const [state = '', ...start] = stdout.trim().split(/\s+/);
    return { birth: start.join(' '), zombie: state.startsWith('Z') };
  } catch {
    return undefined;
  }
}

async function lookInProc(pid: number): Promise<Seen | undefined> {
  try {
    const [stat, boot] = await Promise.all([
      readFile(`/proc/${pid}/stat`, 'utf8'),
      readFile('/proc/sys/kernel/random/boot_id', 'utf8').catch(() => ''),
    ]);
    // The command's name is in brackets, and may itself hold brackets and spaces.
    const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
    const zombie = /^[ZX]/.test(fields[STATE_FIELD] ?? '');
    return { birth: `${boot.trim()} ${fields[START_FIELD] ?? ''}`, zombie };
  } catch {
    return undefined;
  }
}
