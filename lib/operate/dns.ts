import { Resolver } from 'node:dns/promises';
import { regionRecordName, signalRecordName } from '../../lambda/core/names.ts';
import { parseSignal, type Signal } from '../../lambda/core/signal.ts';
import type { Config } from '../config/config.ts';
import { type Reading, reading } from './reading.ts';

export interface DnsReadings {
  /** What `region.<zone>` answers: it follows the quorum alone. */
  readonly region: Reading<string>;
  /** By cell: where its signal sends producers. */
  readonly signals: ReadonlyMap<string, Reading<Signal>>;
}

export interface DnsOptions {
  readonly servers?: readonly string[];
  /** For one question. */
  readonly timeoutMs?: number;
  /** For all of them together: a thousand cells must not take a thousand time-outs. */
  readonly deadlineMs?: number;
}

const QUERY_TIMEOUT_MS = 1_000;
const DEADLINE_MS = 3_000;
const PARALLEL = 200;

/** Asks DNS as any producer does. The health-check API would be a control plane in us-east-1. Never throws. */
export async function readDns(config: Config, options: DnsOptions = {}): Promise<DnsReadings> {
  const { timeoutMs = QUERY_TIMEOUT_MS, deadlineMs = DEADLINE_MS, servers } = options;
  const resolver = new Resolver({ timeout: timeoutMs, tries: 1, maxTimeout: timeoutMs });
  if (servers !== undefined) resolver.setServers(servers);
  const ask = (name: string): Promise<Reading<Signal>> =>
    reading(deadlineMs, async () => signalFrom(await resolver.resolveTxt(name), config));
  const endsAtMs = performance.now() + deadlineMs;
  const region = ask(regionRecordName(config.zone.name));
  const signals = new Map<string, Reading<Signal>>();
  const waiting = config.cells.map(({ name }) => name);
  const worker = async (): Promise<void> => {
    for (let cell = waiting.shift(); cell !== undefined; cell = waiting.shift()) {
      if (performance.now() >= endsAtMs) {
        signals.set(cell, { ok: false, problem: `not asked: ${deadlineMs / 1_000} s were over` });
      } else signals.set(cell, await ask(signalRecordName(cell, config.zone.name)));
    }
  };
  await Promise.all([region, ...Array.from({ length: Math.min(PARALLEL, waiting.length) }, worker)]);
  resolver.cancel();
  const answered = await region;
  return {
    region: answered.ok ? { ok: true, value: answered.value.region } : answered,
    // In the order of the config, whatever order the answers came in.
    signals: new Map(config.cells.flatMap(({ name }) => entry(name, signals.get(name)))),
  };
}

const entry = (name: string, value: Reading<Signal> | undefined) =>
  value === undefined ? [] : [[name, value] as const];

function signalFrom(texts: readonly (readonly string[])[], { regions }: Config): Signal {
  const [only, ...others] = texts;
  if (only === undefined || others.length > 0) throw new Error(`${texts.length} TXT records instead of one`);
  const parsed = parseSignal(only.join(''), [regions.primary, regions.standby]);
  if (!parsed.ok) throw new Error(`the answer is ${parsed.rejection}`);
  return parsed.signal;
}
