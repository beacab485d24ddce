import { type Config, observerRegions } from '../config/config.ts';
import type { AwsClients } from './clients.ts';
import { judgeCredentials } from './credentials.ts';
import { readDns } from './dns.ts';
import { lookAtEndpoints, positionsOf } from './endpoints.ts';
import { readObservers } from './observers.ts';
import { readState } from './state.ts';
import { statusOf } from './status.ts';
import type { Status } from './status-document.ts';
import type { Readings, StoredReadings } from './stored-readings.ts';
import { clientsFor, type Target } from './target.ts';

/**
 * All questions are asked at the same time, so this is about how long the whole screen takes with a region
 * down.
 */
export const READ_TIMEOUT_MS = 2_500;

/** Beyond the reads, that is within five seconds in all. */
const ENDPOINT_LIMITS = { parallel: 32, timeoutMs: 2_000, beginWithinMs: 200 };
/** Whoever wants to know all of them asks `doctor`. */
const MOST_SWITCHES = 24;

export interface ReadOptions {
  readonly who: string;
  readonly nowMs: () => number;
  /** Called with a sentence when the readings take long. */
  readonly say?: (text: string) => void;
  /** Whether the endpoints that Route 53 asks are asked as well. */
  readonly endpoints?: true;
}

/**
 * Asks DNS, the observers' regions and the standby, all at the same time. Never the primary, never a control
 * plane, never for long.
 */
export async function readAll(target: Target, options: ReadOptions): Promise<Readings> {
  const { who, nowMs, say } = options;
  const clients = clientsFor(target, { who, timeoutMs: READ_TIMEOUT_MS, say });
  const { config, dnsServers } = target;
  try {
    const reads = readStored(config, { clients, nowMs });
    const [dns, stored, endpoints] = await Promise.all([
      readDns(config, dnsServers === undefined ? {} : { servers: dnsServers }),
      reads,
      options.endpoints === undefined ? undefined : askEndpoints(target, { clients, nowMs, reads }),
    ]);
    return { ...stored, atMs: nowMs(), dns, ...(endpoints === undefined ? {} : { endpoints }) };
  } finally {
    clients.destroy();
  }
}

function askEndpoints(
  { config, world }: Target,
  {
    clients,
    nowMs,
    reads,
  }: {
    readonly clients: AwsClients;
    readonly nowMs: () => number;
    readonly reads: Promise<StoredReadings>;
  },
) {
  return lookAtEndpoints(config, {
    clients,
    timeoutMs: READ_TIMEOUT_MS,
    limits: ENDPOINT_LIMITS,
    mostSwitches: MOST_SWITCHES,
    nowMs,
    origin: world === undefined ? undefined : new URL(world.localStackUrl),
    stored: async () => {
      const { observers, state } = await reads;
      return positionsOf({ observers, switches: state.switches });
    },
  });
}

/** Reads what observers and operators have left in the tables, without DNS. */
export async function readStored(
  config: Config,
  { clients, nowMs }: { readonly clients: AwsClients; readonly nowMs: () => number },
): Promise<StoredReadings> {
  await clients.prepare(observerRegions(config.regions));
  const [observers, state] = await Promise.all([
    readObservers(config, { clients, timeoutMs: READ_TIMEOUT_MS, nowMs }),
    readState(config, { clients, timeoutMs: READ_TIMEOUT_MS }),
  ]);
  const credentials = await judgeCredentials([...observers.values(), ...Object.values(state)], {
    clients,
    region: config.regions.standby,
  });
  return { atMs: nowMs(), observers, state, credentials };
}

export async function readStatus(target: Target, options: ReadOptions): Promise<Status> {
  return statusOf(target.config, await readAll(target, { ...options, endpoints: true }));
}
