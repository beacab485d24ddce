import { Resolver } from 'node:dns/promises';
import { signalRecordName } from '../../../lambda/core/names.ts';
import type { Role } from '../../../lambda/core/role.ts';
import { parseSignal } from '../../../lambda/core/signal.ts';
import type { Config } from '../../config/config.ts';

/** A name that people ask for, and what it answers in each region, by one config. */
export interface WatchedName {
  readonly name: string;
  readonly type: 'TXT' | 'A' | 'AAAA' | 'CNAME';
}

export interface AnswerChange extends WatchedName {
  readonly atMs: number;
  readonly from: string;
  readonly to: string;
}

/** What a name answers when it has no record. */
export const NO_ANSWER = '(none)';
const POLL_MS = 200;
const TIMEOUT_MS = 1_000;

/** Every name of the configs that follows a switch. */
export function namesOf(configs: readonly Config[]): readonly WatchedName[] {
  const all = configs.flatMap(({ cells, zone }) =>
    cells.flatMap(({ name, services }): WatchedName[] => [
      { name: signalRecordName(name, zone.name), type: 'TXT' },
      ...services.map((service) => ({ name: `${service.name}.${zone.name}`, type: service.type })),
    ]),
  );
  return [...new Map(all.map((each) => [keyOf(each), each])).values()];
}

export const keyOf = ({ name, type }: WatchedName): string => `${name} ${type}`;

/** The region that an answer stands for, by one config: `undefined` for a name or an answer it does not know. */
export function roleOfAnswer(config: Config, { name, type }: WatchedName, answer: string): Role | undefined {
  const { primary, standby } = config.regions;
  for (const cell of config.cells) {
    if (type === 'TXT' && name === signalRecordName(cell.name, config.zone.name)) {
      const parsed = parseSignal(answer, [primary, standby]);
      if (!parsed.ok) return undefined;
      return parsed.signal.region === primary ? 'primary' : 'standby';
    }
    for (const service of cell.services) {
      if (name !== `${service.name}.${config.zone.name}` || type !== service.type) continue;
      return (['primary', 'standby'] as const).find((role) => valuesOf(service[role]) === answer);
    }
  }
  return undefined;
}

const valuesOf = (values: readonly string[]): string => values.toSorted().join(' ');

/** Asks all names again and again, as anybody may, and keeps every change of an answer. */
export class AnswerRecorder {
  readonly changes: AnswerChange[] = [];
  readonly current = new Map<string, string>();
  readonly #resolver = new Resolver({ timeout: TIMEOUT_MS, tries: 1 });
  readonly #names: readonly WatchedName[];
  readonly #stop = new AbortController();
  #running: Promise<void> | undefined;

  constructor({ dnsServer, names }: { readonly dnsServer: string; readonly names: readonly WatchedName[] }) {
    this.#resolver.setServers([dnsServer]);
    this.#names = names;
  }

  start(): void {
    this.#running ??= this.#run();
  }

  async stop(): Promise<void> {
    this.#stop.abort();
    await this.#running;
  }

  async #run(): Promise<void> {
    while (!this.#stop.signal.aborted) {
      await Promise.all(this.#names.map((name) => this.#ask(name)));
      await new Promise((resolve) => setTimeout(resolve, POLL_MS));
    }
  }

  async #ask(name: WatchedName): Promise<void> {
    const answer = await this.#answerOf(name);
    if (answer === undefined) return;
    const key = keyOf(name);
    const from = this.current.get(key);
    this.current.set(key, answer);
    if (from !== undefined && from !== answer) {
      this.changes.push({ ...name, from, to: answer, atMs: Date.now() });
    }
  }

  /** Undefined when the server did not answer in time, which says nothing about the name. */
  async #answerOf({ name, type }: WatchedName): Promise<string | undefined> {
    try {
      if (type === 'TXT') {
        const texts = await this.#resolver.resolveTxt(name);
        return texts.map((chunks) => chunks.join('')).join(' ');
      }
      return valuesOf((await this.#resolver.resolve(name, type)) as string[]);
    } catch (error) {
      const code = error instanceof Error && 'code' in error ? error.code : undefined;
      return code === 'ENOTFOUND' || code === 'ENODATA' ? NO_ANSWER : undefined;
    }
  }
}
