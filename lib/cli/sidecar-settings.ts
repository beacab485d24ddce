import { resolve } from 'node:path';
import { signalRecordName } from '../../lambda/core/names.ts';
import type { Cell, Config } from '../config/config.ts';
import { UsageError } from '../operate/errors.ts';
import { localCredentials, type Target } from '../operate/target.ts';
import type { SharedProducerOptions, SidecarCell, TcpAddress } from '../sidecar/options.ts';
import type { Io } from './io.ts';
import type { OutputFlags, TargetFlags } from './options.ts';
import type { Endpoints } from './sidecar-arguments.ts';

export interface SidecarFlags extends OutputFlags, TargetFlags {
  readonly signal?: string;
  readonly regions?: readonly string[];
  readonly stream?: string;
  readonly listen?: TcpAddress;
  readonly socket?: string;
  readonly admin?: TcpAddress;
  readonly tlsDir?: string;
  readonly cert?: string;
  readonly key?: string;
  readonly clientCa?: string;
  readonly allowRemote?: true;
  readonly spool?: string;
  readonly spoolMib?: number;
  readonly aggregate?: true | 'shard' | 'key';
  readonly order?: 'perKey' | 'none';
  readonly maxRecordBytes?: number;
  readonly endpoint?: Endpoints;
  readonly drain: number;
}

/** A client waits for each answer, so shorter than the producer's own 100 ms. */
const AGGREGATE_LINGER_MS = 20;
const MIB = 1024 * 1024;

/** The one cell of `--signal`. @throws UsageError */
export function signalCell({ signal, regions, stream, dns, config }: SidecarFlags): SidecarCell {
  if (signal === undefined || regions === undefined || config !== undefined) {
    throw new UsageError('Give either --config, or --signal with --regions.');
  }
  return {
    name: stream ?? 'default',
    signal: { name: signal, ...(dns === undefined ? {} : { servers: dns.split(',') }) },
    regions,
    ...(stream === undefined
      ? {}
      : { streams: Object.fromEntries(regions.map((region) => [region, { name: stream }])) }),
  };
}

/** The cells of a config. */
export function cellsOf({ config, dnsServers }: Target): readonly SidecarCell[] {
  return config.cells.map((cell) => ({
    name: cell.name,
    signal: {
      name: signalRecordName(cell.name, config.zone.name),
      ttlSeconds: config.delivery.dnsTtlSeconds,
      ...(dnsServers === undefined ? {} : { servers: dnsServers }),
    },
    regions: [config.regions.primary, config.regions.standby],
    streams: streamsOf(cell, config),
  }));
}

function streamsOf({ streams }: Cell, { regions }: Config): NonNullable<SidecarCell['streams']> {
  const { primary, standby } = streams;
  return {
    [regions.primary]: { name: primary.name, arn: primary.arn },
    [regions.standby]: { name: standby.name, arn: standby.arn },
  };
}

export function producerOptions(
  io: Io,
  flags: SidecarFlags,
  target: Target | undefined,
): SharedProducerOptions {
  const { endpoint, aggregate, order, spool, spoolMib, maxRecordBytes } = flags;
  const world = target?.world;
  return {
    ...(world === undefined ? {} : { endpoint: () => world.localStackUrl, credentials: localCredentials }),
    ...(endpoint === undefined
      ? {}
      : { endpoint: (region: string) => endpoint.get(region) ?? endpoint.get('') }),
    ...(spool === undefined ? {} : { spoolDirectory: resolve(io.directory, spool) }),
    ...(spoolMib === undefined ? {} : { maxSpoolBytes: spoolMib * MIB }),
    ...(maxRecordBytes === undefined ? {} : { maxRecordBytes }),
    ...(order === undefined ? {} : { order }),
    ...(aggregate === undefined
      ? {}
      : { aggregate: { lingerMs: AGGREGATE_LINGER_MS, ...(aggregate === true ? {} : { by: aggregate }) } }),
  };
}
