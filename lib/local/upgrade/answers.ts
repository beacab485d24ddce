import { Resolver } from 'node:dns/promises';
import { formerRegionRecordName, regionRecordName, signalRecordName } from '../../../lambda/core/names.ts';
import type { Role } from '../../../lambda/core/role.ts';
import { formatSignal } from '../../../lambda/core/signal.ts';
import type { Config } from '../../config/config.ts';
import { nameKey, type PublicName, roleOf } from '../../deployments/answers.ts';

/** A name that people ask for. */
export type WatchedName = Pick<PublicName, 'name' | 'type'>;

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
export const namesOf = (configs: readonly Config[]): readonly WatchedName[] => [
  ...new Map(
    publicNamesOf(configs).map(({ name, type }) => [keyOf({ name, type }), { name, type }]),
  ).values(),
];

export const keyOf: (name: WatchedName) => string = nameKey;

/** The region that an answer stands for, by these configs; undefined for a name or an answer that none knows. */
export function roleOfAnswer(
  configs: readonly Config[],
  name: WatchedName,
  answer: string,
): Role | undefined {
  const versions = publicNamesOf(configs).filter((each) => keyOf(each) === keyOf(name));
  return roleOf(name.type === 'TXT' ? [answer] : answer.split(' '), versions);
}

function publicNamesOf(configs: readonly Config[]): readonly PublicName[] {
  return configs.flatMap((config) => [...namesOfRegion(config), ...namesOfCells(config)]);
}

function namesOfRegion({ name, zone, regions }: Config): readonly PublicName[] {
  const names = [regionRecordName(name, zone.name)];
  if (zone.keepRegionRecord === true) names.push(formerRegionRecordName(zone.name));
  const [primary, standby] = [regions.primary, regions.standby].map((region) => [formatSignal({ region })]);
  return names.map((each) => ({ name: each, type: 'TXT', primary: primary ?? [], standby: standby ?? [] }));
}

function namesOfCells({ cells, zone, regions }: Config): readonly PublicName[] {
  return cells.flatMap(({ name, streams, services }): PublicName[] => {
    const signal = (role: Role): string[] => [
      formatSignal({ region: regions[role], stream: streams[role].name }),
    ];
    return [
      {
        ...{ name: signalRecordName(name, zone.name), type: 'TXT' },
        ...{ primary: signal('primary'), standby: signal('standby') },
      },
      ...services.map((service) => ({ ...service, name: `${service.name}.${zone.name}` })),
    ];
  });
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
