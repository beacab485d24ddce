import { readFileSync, statSync } from 'node:fs';

/** How often it is looked whether the file has changed. */
const LOOK_MS = 5_000;

/** Where the system has the file. */
export const systemHostsFile = (): string =>
  process.platform === 'win32'
    ? `${process.env.SystemRoot ?? 'C:\\Windows'}\\System32\\drivers\\etc\\hosts`
    : '/etc/hosts';

/**
 * The system's own table of hosts. It is small and local, and is read without a thread of the pool: what is asked here must
 * not wait for one.
 */
export class HostsFile {
  readonly #path: string;
  readonly #now: () => number;
  #addresses: ReadonlyMap<string, readonly string[]> = new Map();
  #version = '';
  #lookAtMs = Number.NEGATIVE_INFINITY;

  /** `now`: monotonic milliseconds. */
  constructor({ path = systemHostsFile(), now }: { readonly path?: string; readonly now: () => number }) {
    this.#path = path;
    this.#now = now;
  }

  addressesOf(host: string): readonly string[] {
    const nowMs = this.#now();
    if (nowMs >= this.#lookAtMs) {
      this.#lookAtMs = nowMs + LOOK_MS;
      this.#read();
    }
    return this.#addresses.get(host) ?? [];
  }

  /** A file that is missing or cannot be read is empty. */
  #read(): void {
    try {
      const { mtimeMs, size } = statSync(this.#path);
      const version = `${mtimeMs} ${size}`;
      if (version === this.#version) return;
      this.#addresses = parsed(readFileSync(this.#path, 'utf8'));
      this.#version = version;
    } catch {
      this.#addresses = new Map();
      this.#version = '';
    }
  }
}

function parsed(text: string): ReadonlyMap<string, readonly string[]> {
  const addresses = new Map<string, string[]>();
  for (const line of text.split('\n')) {
    const [address, ...names] = (line.split('#')[0] ?? '').trim().split(/\s+/);
    if (address === undefined || address === '') continue;
    for (const name of names.map((each) => each.toLowerCase())) {
      const known = addresses.get(name);
      if (known === undefined) addresses.set(name, [address]);
      else if (!known.includes(address)) known.push(address);
    }
  }
  return addresses;
}
