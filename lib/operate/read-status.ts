import { type Config, observerRegions } from '../config/config.ts';
import type { AwsClients } from './clients.ts';
import { judgeCredentials } from './credentials.ts';
import { readDns } from './dns.ts';
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

export interface ReadOptions {
  readonly who: string;
  readonly nowMs: () => number;
  /** Called with a sentence when the readings take long. */
  readonly say?: (text: string) => void;
}

/**
 * Asks DNS, the observers' regions and the standby, all at the same time. Never the primary, never a control
 * plane, never for long.
 */
export async function readAll(target: Target, { who, nowMs, say }: ReadOptions): Promise<Readings> {
  const clients = clientsFor(target, { who, timeoutMs: READ_TIMEOUT_MS, say });
  const { config, dnsServers } = target;
  try {
    const [dns, stored] = await Promise.all([
      readDns(config, dnsServers === undefined ? {} : { servers: dnsServers }),
      readStored(config, { clients, nowMs }),
    ]);
    return { ...stored, atMs: nowMs(), dns };
  } finally {
    clients.destroy();
  }
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
  return statusOf(target.config, await readAll(target, options));
}
