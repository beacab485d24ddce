import { join } from 'node:path';
import { beaconTableName, signalRecordName } from '../../../lambda/core/names.ts';
import { producersOf } from './callers.ts';
import { type LaunchClient, startClientFleet } from './client-fleet.ts';
import { localCredentials } from './clients.ts';
import type { DrillError } from './errors.ts';
import { idPrefix } from './measure.ts';
import { cellOfProducer } from './moving.ts';
import type { ProducerProcessOptions } from './producer-process.ts';
import { type ProducerFleet, startProducers } from './producers.ts';
import type { World } from './world.ts';

const PUT_EVERY_MS = 100;
export const KEYS_PER_PRODUCER = 20;

export interface FleetOptions {
  /** Prefix that distinguishes the records of this drill from all others. */
  readonly run: string;
  /** Directory in which the producers' spools are kept. */
  readonly directory: string;
  /** Interval between two puts of each producer; default 100 ms. */
  readonly putEveryMs?: number;
  readonly onDeath: (error: DrillError) => void;
}

/** Starts the producers, spread over the first cells. */
export function startFleet(world: World, options: FleetOptions): ProducerFleet {
  return startProducers(membersOf(world, options), {
    environment: producerEnvironment(process.env, world.config.regions.primary),
    onDeath: options.onDeath,
  });
}

/** Starts a client that is not ours, with a sidecar, in place of each producer. */
export function startClients(
  world: World,
  { launch, ...options }: FleetOptions & { readonly launch: LaunchClient },
): Promise<ProducerFleet> {
  return startClientFleet(membersOf(world, options), {
    environment: producerEnvironment(process.env, world.config.regions.primary),
    onDeath: options.onDeath,
    launch,
  });
}

type Member = ProducerProcessOptions & { readonly streamName: string };

function membersOf({ config, proxy, dataPlane }: World, options: FleetOptions): readonly Member[] {
  const { primary, standby } = config.regions;
  const list = producersOf(config).map(({ name, who }, n): Member | undefined => {
    const cell = cellOfProducer(config, n);
    if (cell === undefined) return undefined;
    return {
      producer: name,
      streamName: cell.streams.primary.name,
      idPrefix: `${idPrefix(options.run)}${name}`,
      signalName: signalRecordName(cell.name, config.zone.name),
      dnsServer: dataPlane.dnsServer,
      regions: [primary, standby],
      spoolDirectory: join(options.directory, `spool-${name}`),
      endpoint: proxy.endpointFor(who),
      pollMs: config.delivery.producerPollMs,
      putEveryMs: options.putEveryMs ?? PUT_EVERY_MS,
      keys: KEYS_PER_PRODUCER,
      ...(config.beacons === undefined
        ? {}
        : { beacons: { table: beaconTableName(config.name), region: standby } }),
    };
  });
  return list.filter((one) => one !== undefined);
}

/**
 * The environment of a producer: neither the user's AWS account nor a region pinned for the user's own
 * producers gets into a drill.
 */
export function producerEnvironment(ambient: NodeJS.ProcessEnv, region: string): NodeJS.ProcessEnv {
  const kept = Object.entries(ambient).filter(([name]) => !/^(AWS|SPILLWAY)_/.test(name));
  return {
    ...Object.fromEntries(kept),
    AWS_ACCESS_KEY_ID: localCredentials.accessKeyId,
    AWS_SECRET_ACCESS_KEY: localCredentials.secretAccessKey,
    AWS_REGION: region,
    AWS_CONFIG_FILE: '/dev/null',
    AWS_SHARED_CREDENTIALS_FILE: '/dev/null',
  };
}
