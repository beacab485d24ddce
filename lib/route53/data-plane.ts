import { setTimeout as sleep } from 'node:timers/promises';
import type { Route53Client } from '@aws-sdk/client-route-53';
import { type AnsweredRecord, answer as answerQuery, type DnsAnswer, type DnsQuery } from './answer.ts';
import { createCheckerFleet } from './checkers.ts';
import { startDnsServer } from './dns-server.ts';
import { HealthCheckError } from './errors.ts';
import { HealthBoard, type HealthChange } from './health-board.ts';
import type { EndpointCheck, HealthCheck } from './health-check.ts';
import type { CheckerTarget } from './probe-http.ts';
import { PublishedHealth } from './published-health.ts';
import { readZone, type ZoneReading } from './source.ts';
import { parseTxtValue } from './txt.ts';

export interface DataPlaneHooks {
  readonly onHealthChange?: (change: HealthChange & { readonly atMs: number }) => void;
  readonly onQuery?: (query: DnsQuery & { readonly answer: DnsAnswer; readonly atMs: number }) => void;
  /** A failed reading of the API (the last good one stays in force), or a checker that could not go on. */
  readonly onError?: (error: unknown) => void;
}

interface DataPlaneSettings extends DataPlaneHooks {
  readonly originFor: (check: EndpointCheck, checkerRegion: string) => CheckerTarget;
  /** Default 2: with 8 regions the 16 checkers of an endpoint, about as many as AWS runs. */
  readonly checkersPerRegion?: number;
  readonly dns?: { readonly host?: string; readonly port?: number };
  /**
   * From a change of status to the first answer that follows it. Route 53 documents no figure; the default of
   * 2 s is inferred.
   */
  readonly propagationMs?: number;
  /** Default 5 s: how often records and checks are read again. */
  readonly refreshMs?: number;
  /** Epoch milliseconds. */
  readonly now: () => number;
  readonly random: () => number;
}

export interface DataPlaneOptions extends DataPlaneSettings {
  readonly client: Route53Client;
  readonly zoneId: string;
  readonly zoneName: string;
}

export interface LoadedDataPlaneOptions extends DataPlaneSettings {
  readonly reading: ZoneReading;
  /** Reads the API again; absent: the first reading stays. */
  readonly reload?: (signal: AbortSignal) => Promise<ZoneReading>;
  /** Default: the check's own interval. */
  readonly intervalMs?: (check: EndpointCheck) => number;
}

export interface HealthCheckStatus {
  readonly id: string;
  readonly name?: string;
  readonly kind: HealthCheck['kind'];
  readonly healthy: boolean;
  readonly check: HealthCheck;
}

export interface DataPlane {
  /** `127.0.0.1:port`, as `dns.Resolver.setServers` takes it. */
  readonly dnsServer: string;
  /** DNS queries answered so far. */
  readonly queries: number;
  /** The status as aggregated now; answers follow `propagationMs` later. @throws HealthCheckError if unknown. */
  isHealthy(healthCheckId: string): boolean;
  healthChecks(): readonly HealthCheckStatus[];
  /** What a query would get now: TXT strings joined per record; empty for every other answer than records. */
  answer(name: string, type: 'TXT' | 'A' | 'AAAA' | 'CNAME'): readonly string[];
  close(): Promise<void>;
}

const DEFAULT_CHECKERS_PER_REGION = 2;
const DEFAULT_PROPAGATION_MS = 2_000;
const DEFAULT_REFRESH_MS = 5_000;
const REFRESH_TIMEOUT_MS = 10_000;

/**
 * Runs Route 53's data plane for one zone, in real time: checkers that request, a DNS server that answers.
 * Once started, it runs on without the API, like AWS's data planes. New checks start as in Route 53, so an
 * inverted check is unhealthy until its checkers have seen enough.
 * @throws SourceError, ZoneError, HealthCheckError, DnsServerError
 */
export async function startDataPlane(options: DataPlaneOptions): Promise<DataPlane> {
  const { client, zoneId, zoneName } = options;
  const reload = (signal: AbortSignal) => readZone({ client, zoneId, zoneName, signal });
  const reading = await reload(AbortSignal.timeout(REFRESH_TIMEOUT_MS));
  return createDataPlane({ ...options, reading, reload });
}

/** Creates the data plane from records and checks that are already read. */
export async function createDataPlane(options: LoadedDataPlaneOptions): Promise<DataPlane> {
  const { now, random } = options;
  const stop = new AbortController();
  let reading = options.reading;
  const board = new HealthBoard(reading.checks, options.checkersPerRegion ?? DEFAULT_CHECKERS_PER_REGION);
  assertChecksKnown(reading);
  const published = new PublishedHealth(options.propagationMs ?? DEFAULT_PROPAGATION_MS);
  const publish = (): void => published.reset(board.checks, (id) => board.isHealthy(id));
  publish();

  const announce = (changes: readonly HealthChange[]): void => {
    for (const change of changes) {
      published.follow(change, now());
      options.onHealthChange?.({ ...change, atMs: now() });
    }
  };
  const conditions = { isHealthy: (id: string) => published.isHealthy(id, now()), random };
  const answer = (query: DnsQuery): DnsAnswer => answerQuery(reading.zone, query, conditions);
  const fleet = createCheckerFleet({
    checkersOf: (check) => board.checkersOf(check),
    targetOf: options.originFor,
    intervalMs: options.intervalMs ?? ((check) => check.requestIntervalSeconds * 1_000),
    report: ({ healthCheckId, checker, verdict }) =>
      announce(board.report(healthCheckId, checker, verdict.passed)),
    onError: (error) => options.onError?.(error),
    random,
    now,
  });
  const adopt = (next: ZoneReading): void => {
    assertChecksKnown(next);
    const changes = board.replace(next.checks);
    reading = next;
    publish();
    announce(changes);
    fleet.update(endpointsOf(next.checks));
  };
  const server = await startDnsServer({
    ...options.dns,
    answerer: answer,
    soa: () => soaOf(answer({ name: reading.zone.name, type: 'SOA' })),
    onQuery: (query, given) => options.onQuery?.({ ...query, answer: given, atMs: now() }),
  });
  try {
    fleet.update(endpointsOf(reading.checks));
  } catch (error) {
    await server.close();
    throw error;
  }
  const refreshing = options.reload && refresh({ ...options, reload: options.reload }, adopt, stop.signal);

  return {
    dnsServer: server.address,
    get queries() {
      return server.queries;
    },
    isHealthy: (id) => board.isHealthy(id),
    healthChecks: () => board.checks.map((check) => toStatus(check, board, reading.checkNames)),
    answer: (name, type) =>
      answer({ name, type }).records.flatMap((record) => (record.type === type ? plain(record) : [])),
    close: async () => {
      stop.abort();
      await Promise.all([server.close(), fleet.close(), refreshing]);
    },
  };
}

async function refresh(
  options: LoadedDataPlaneOptions & { readonly reload: (signal: AbortSignal) => Promise<ZoneReading> },
  adopt: (reading: ZoneReading) => void,
  stop: AbortSignal,
): Promise<void> {
  while (!stop.aborted) {
    try {
      await sleep(options.refreshMs ?? DEFAULT_REFRESH_MS, undefined, { signal: stop });
      const next = await options.reload(AbortSignal.any([stop, AbortSignal.timeout(REFRESH_TIMEOUT_MS)]));
      if (!stop.aborted) adopt(next);
    } catch (error) {
      if (!stop.aborted) options.onError?.(error);
    }
  }
}

function assertChecksKnown({ zone, checks }: ZoneReading): void {
  const known = new Set(checks.map((check) => check.id));
  const missing = [...zone.healthCheckIds].filter((id) => !known.has(id));
  if (missing.length === 0) return;
  throw new HealthCheckError(
    `Records of zone ${zone.name} use health checks that are not given: ${missing.join(', ')}.`,
  );
}

const endpointsOf = (checks: readonly HealthCheck[]): readonly EndpointCheck[] =>
  checks.filter((check) => check.kind === 'endpoint');

function soaOf(answer: DnsAnswer): AnsweredRecord | undefined {
  return answer.records.find((record) => record.type === 'SOA');
}

function toStatus(
  check: HealthCheck,
  board: HealthBoard,
  names: ReadonlyMap<string, string>,
): HealthCheckStatus {
  const name = names.get(check.id);
  return {
    id: check.id,
    ...(name !== undefined && { name }),
    kind: check.kind,
    healthy: board.isHealthy(check.id),
    check,
  };
}

function plain(record: AnsweredRecord): readonly string[] {
  if (record.type !== 'TXT') return record.values;
  return record.values.map((value) => Buffer.concat([...(parseTxtValue(value) ?? [])]).toString('utf8'));
}
