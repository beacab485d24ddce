import { readdirSync, readFileSync } from 'node:fs';

/** Linux counts CPU time in hundredths of a second for every program (`USER_HZ`, proc(5)). */
const MS_PER_TICK = 10;
const SAMPLE_EVERY_MS = 25;
const KIB = 1024;

/** A process and all below it, seen from outside. Needs the /proc of Linux. */
export class ProcessTree {
  readonly #root: number;
  #peakMiB = 0;
  readonly #timer: NodeJS.Timeout;

  constructor(root: number) {
    this.#root = root;
    this.#timer = setInterval(() => this.#sample(), SAMPLE_EVERY_MS);
  }

  /** CPU time so far, of those that live. */
  cpuMs(): number {
    let ticks = 0;
    for (const pid of this.#members()) {
      const stat = statOf(pid);
      ticks += stat === undefined ? 0 : stat.ticks;
    }
    return ticks * MS_PER_TICK;
  }

  /** The most memory that they had at the same moment. */
  get peakMiB(): number {
    return this.#peakMiB;
  }

  stop(): void {
    clearInterval(this.#timer);
  }

  #sample(): void {
    let kib = 0;
    for (const pid of this.#members())
      kib += Number(/^VmRSS:\s+(\d+)/m.exec(read(`/proc/${pid}/status`))?.[1] ?? 0);
    this.#peakMiB = Math.max(this.#peakMiB, kib / KIB);
  }

  #members(): readonly number[] {
    const children = new Map<number, number[]>();
    for (const name of readdirSync('/proc')) {
      const pid = Number(name);
      if (!Number.isInteger(pid)) continue;
      const parent = statOf(pid)?.parent;
      if (parent !== undefined) children.set(parent, [...(children.get(parent) ?? []), pid]);
    }
    const members = [this.#root];
    for (const pid of members) members.push(...(children.get(pid) ?? []));
    return members;
  }
}

function statOf(pid: number): { readonly parent: number; readonly ticks: number } | undefined {
  // The name of a program may have spaces and brackets: what counts begins after the last one.
  const fields = read(`/proc/${pid}/stat`).split(') ').at(-1)?.split(' ') ?? [];
  const [, parent, ...rest] = fields;
  if (parent === undefined) return undefined;
  return { parent: Number(parent), ticks: Number(rest[9]) + Number(rest[10]) };
}

/** Empty when the process has ended meanwhile. */
function read(file: string): string {
  try {
    return readFileSync(file, 'utf8');
  } catch {
    return '';
  }
}
