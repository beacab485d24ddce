import { readdirSync, readFileSync } from 'node:fs';

/** What one part of LocalStack used of the machine. */
export interface ProcessLoad {
  readonly name: string;
  /** CPU in percent of one core. */
  readonly cpuPercent: number;
  readonly rssMb: number;
}

/**
 * The part of the world that a command line in LocalStack's process group belongs to; the first match wins.
 */
const parts: readonly { readonly name: string; readonly pattern: RegExp }[] = [
  { name: 'LocalStack', pattern: /spillway_localstack/ },
  { name: 'kinesis-local', pattern: /kinesis-local/ },
  { name: 'functions', pattern: /lambda-bootstrap/ },
];

/** Linux: clock ticks of /proc are hundredths of a second for every program, whatever the kernel's own rate. */
const TICK_MS = 10;
const PAGE_MB = 4_096 / 2 ** 20;

interface Sample {
  readonly pid: string;
  readonly name: string;
  readonly cpuMs: number;
  readonly rssMb: number;
}

/**
 * Makes a function that reads the load of a process group since its last call, from /proc; without /proc, it
 * returns nothing.
 */
export function processLoad(leader: number | undefined): () => readonly ProcessLoad[] {
  let before = new Map<string, number>();
  let atMs = performance.now();
  return () => {
    if (leader === undefined) return [];
    const nowMs = performance.now();
    const samples = groupSamples(leader);
    const loads = parts.flatMap(({ name }) => {
      const own = samples.filter((sample) => sample.name === name);
      if (own.length === 0) return [];
      const cpuMs = own.reduce((sum, { pid, cpuMs }) => sum + cpuMs - (before.get(pid) ?? 0), 0);
      const rssMb = own.reduce((sum, sample) => sum + sample.rssMb, 0);
      return [{ name, cpuPercent: Math.round((100 * cpuMs) / (nowMs - atMs)), rssMb: Math.round(rssMb) }];
    });
    before = new Map(samples.map(({ pid, cpuMs }) => [pid, cpuMs]));
    atMs = nowMs;
    return loads;
  };
}

function groupSamples(leader: number): readonly Sample[] {
  return pids().flatMap((pid) => {
    try {
      // The name of the program is in brackets and may hold anything; what follows it are numbers (man 5 proc).
      const [, , group, ...rest] =
        readFileSync(`/proc/${pid}/stat`, 'utf8').split(') ').at(-1)?.split(' ') ?? [];
      if (Number(group) !== leader) return [];
      const command = readFileSync(`/proc/${pid}/cmdline`, 'utf8');
      const name = parts.find(({ pattern }) => pattern.test(command))?.name;
      if (name === undefined) return [];
      const [user = 0, system = 0] = [rest[8], rest[9]].map(Number);
      return [{ pid, name, cpuMs: (user + system) * TICK_MS, rssMb: Number(rest[18]) * PAGE_MB }];
    } catch {
      return []; // the process ended while it was read
    }
  });
}

function pids(): readonly string[] {
  try {
    return readdirSync('/proc').filter((name) => /^\d+$/.test(name));
  } catch {
    return [];
  }
}
