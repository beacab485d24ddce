import { Resolver } from 'node:dns/promises';
import pMap from 'p-map';
import { regionRecordName, signalRecordName } from '../../lambda/core/names.ts';
import { parseSignal, type Signal } from '../../lambda/core/signal.ts';
import type { Config } from '../config/config.ts';
import { isNoSuchRecord } from '../observers/former-record.ts';
import { quorumWithoutRecord } from '../observers/quorum.ts';
import { type Reading, reading } from './reading.ts';

export interface DnsReadings {
  /** The answer of `region.<name>.<zone>`, which follows the quorum alone. */
  readonly region: Reading<string>;
  /** By cell: where its signal sends producers. */
  readonly signals: ReadonlyMap<string, Reading<Signal>>;
}

export interface DnsOptions {
  readonly servers?: readonly string[];
  /** Time-out for one question. */
  readonly timeoutMs?: number;
  /** Deadline for all questions together: a thousand cells must not take a thousand time-outs. */
  readonly deadlineMs?: number;
}

const QUERY_TIMEOUT_MS = 1_000;
const DEADLINE_MS = 3_000;
/**
 * A process that is busy for a second (it begins by loading clients) would take an answer that came in time
 * for a missing one.
 */
const TRIES = 2;
const PARALLEL = 200;

/** Asks DNS as any producer does. The health-check API would be a control plane in us-east-1. Never throws. */
export async function readDns(config: Config, options: DnsOptions = {}): Promise<DnsReadings> {
  const { timeoutMs = QUERY_TIMEOUT_MS, deadlineMs = DEADLINE_MS, servers } = options;
  const resolver = new Resolver({ timeout: timeoutMs, tries: TRIES, maxTimeout: timeoutMs });
  if (servers !== undefined) resolver.setServers(servers);
  const endsAtMs = performance.now() + deadlineMs;
  const leftMs = (): number => Math.round(endsAtMs - performance.now());
  const ask = (name: string): Promise<Reading<Signal>> =>
    reading(Math.max(1, leftMs()), async () => signalFrom(await resolver.resolveTxt(name), config));
  const region = ask(regionRecordName(config.name, config.zone.name));
  const askInTime = async ({
    name,
  }: {
    readonly name: string;
  }): Promise<readonly [string, Reading<Signal>]> =>
    leftMs() <= 0
      ? [name, { ok: false, problem: `not asked: ${deadlineMs / 1_000} s were over` }]
      : [name, await ask(signalRecordName(name, config.zone.name))];
  const [answered, signals] = await Promise.all([
    region,
    pMap(config.cells, askInTime, { concurrency: PARALLEL }),
  ]);
  const quorum = answered.ok
    ? ({ ok: true, value: answered.value.region } as const)
    : ((await formerly(config, { error: answered.error, servers, leftMs })) ?? answered);
  resolver.cancel();
  return { region: quorum, signals: new Map(signals) };
}

/** For a deployment that has no record of its name yet, because its upgrade is to come. */
async function formerly(
  { name, regions, zone, cells }: Config,
  { error, servers, leftMs }: Unnamed,
): Promise<Reading<string> | undefined> {
  if (!isNoSuchRecord((error as { readonly code?: unknown } | undefined)?.code)) return undefined;
  const question = { name, zoneName: zone.name, cells: cells.map((cell) => cell.name), servers };
  const { primary, standby } = regions;
  const quorum = await quorumWithoutRecord({ ...question, primary, standby }, Math.max(1, leftMs()));
  return quorum === 'unknown' ? undefined : { ok: true, value: regions[quorum] };
}

interface Unnamed {
  readonly error: unknown;
  readonly servers: readonly string[] | undefined;
  readonly leftMs: () => number;
}

function signalFrom(texts: readonly (readonly string[])[], { regions }: Config): Signal {
  const [only, ...others] = texts;
  if (only === undefined || others.length > 0) throw new Error(`${texts.length} TXT records instead of one`);
  const parsed = parseSignal(only.join(''), [regions.primary, regions.standby]);
  if (!parsed.ok) throw new Error(`the answer is ${parsed.rejection}`);
  return parsed.signal;
}
