import { CALL_LOG } from '../aws/call-log.ts';
import type { Config } from '../config/config.ts';
import { loadConfig } from '../config/load.ts';
import { workDirectory } from '../files/own-files.ts';
import type { Divert, PlannedCall } from './calls.ts';
import { AwsClients } from './clients.ts';
import { UsageError } from './errors.ts';
import { findWorld, readWorld, type World } from './world.ts';

/** The deployment that a command looks at: its config, and how to reach it. */
export interface Target {
  readonly config: Config;
  /** Absent: the system's. */
  readonly dnsServers?: readonly string[];
  readonly world?: World;
  readonly callLog?: string;
}

export interface TargetOptions {
  readonly directory: string;
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly config?: string;
  readonly world?: string;
  readonly local?: true;
  readonly dns?: string;
}

const DNS_SERVERS = 'SPILLWAY_DNS_SERVERS';
/** LocalStack does not check credentials, but the SDK does not sign without them. */
export const localCredentials = { accessKeyId: 'test', secretAccessKey: 'test' } as const;
const serverPattern = /^(?:\d{1,3}(?:\.\d{1,3}){3}(?::\d{1,5})?|\[[0-9a-fA-F:]+\](?::\d{1,5})?)$/;

/** @throws UsageError, ConfigError */
export async function resolveTarget(options: TargetOptions): Promise<Target> {
  const world = await worldOf(options);
  const file = options.config ?? world?.configFile;
  const config = await loadConfig({ directory: options.directory, ...(file === undefined ? {} : { file }) });
  const servers = serversOf(options, world);
  const callLog = options.env[CALL_LOG];
  return {
    config: world === undefined ? config : { ...config, zone: world.zone },
    ...(servers === undefined ? {} : { dnsServers: servers }),
    ...(world === undefined ? {} : { world }),
    ...(callLog === undefined || callLog === '' ? {} : { callLog }),
  };
}

async function worldOf({ world, local, directory }: TargetOptions): Promise<World | undefined> {
  if (world !== undefined) return readWorld(world, directory);
  return local ? findWorld(workDirectory()) : undefined;
}

function serversOf({ dns, env }: TargetOptions, world: World | undefined): readonly string[] | undefined {
  const text = dns ?? (env[DNS_SERVERS] || undefined) ?? world?.dnsServer;
  if (text === undefined) return undefined;
  const servers = text.split(',').map((server) => server.trim());
  const wrong = servers.find((server) => !serverPattern.test(server));
  if (wrong === undefined) return servers;
  throw new UsageError(`"${wrong}" is no DNS server: write an address, like 127.0.0.1:5353 or [::1]:5353.`);
}

export interface ClientsFor {
  readonly who: string;
  readonly timeoutMs: number;
  readonly divertTo?: Divert;
  readonly onCall?: (call: PlannedCall) => void;
  readonly say?: ((text: string) => void) | undefined;
}

export function clientsFor({ world, callLog }: Target, options: ClientsFor): AwsClients {
  return new AwsClients({
    ...options,
    ...(world === undefined ? {} : { endpoint: world.localStackUrl, credentials: localCredentials }),
    ...(callLog === undefined ? {} : { callLog }),
  });
}
