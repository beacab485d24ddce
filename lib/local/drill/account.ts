import { randomUUID } from 'node:crypto';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import {
  CreateStreamCommand,
  DescribeStreamSummaryCommand,
  ResourceInUseException,
  StartStreamEncryptionCommand,
  StreamStatus,
} from '@aws-sdk/client-kinesis';
import { CreateHostedZoneCommand, ListHostedZonesByNameCommand } from '@aws-sdk/client-route-53';
import type { Cell, Config, StreamSpec } from '../../config/config.ts';
import { writtenConsumer } from '../../config/consumers.ts';
import type { LocalClients } from './clients.ts';
import { DrillError } from './errors.ts';
import { until } from './until.ts';

const PATIENCE = { timeoutMs: 30_000, everyMs: 200 } as const;

/**
 * Creates what a user's account holds before the first deployment and Spillway never creates: the hosted zone
 * and the streams named as existing. Returns the config with the local zone's id.
 */
export async function prepareAccount(clients: LocalClients, config: Config): Promise<Config> {
  const zoneId = await hostedZone(clients, config.zone.name);
  await Promise.all(
    config.cells.flatMap(({ streams }) => [
      existingStream(clients, config.regions.primary, streams.primary),
      existingStream(clients, config.regions.standby, streams.standby),
    ]),
  );
  const cells = config.cells.map((cell) => ({ ...cell, streams: ofOneAccount(cell.streams) }));
  return { ...config, cells, zone: { ...config.zone, id: zoneId } };
}

/** A local world has one account: streams of others are played as its own. */
function ofOneAccount({ primary, standby }: Cell['streams']): Cell['streams'] {
  const own = ({ arn: _arn, ...spec }: StreamSpec): StreamSpec => spec;
  return { primary: own(primary), standby: own(standby) };
}

/** Writes a config file that the CDK app reads like any other. */
export async function writeConfigFile(config: Config, directory: string): Promise<string> {
  const file = join(directory, 'spillway.config.json');
  const stream = ({ name, create, shards, kmsKeyArn }: StreamSpec) => ({
    name,
    ...(create ? {} : { existing: true }),
    ...(shards === undefined ? {} : { shards }),
    ...(kmsKeyArn === undefined ? {} : { kmsKeyArn }),
  });
  const cells = config.cells.map(({ streams, consumers, ...cell }) => ({
    ...cell,
    ...(consumers === undefined ? {} : { consumers: consumers.map(writtenConsumer) }),
    streams: { primary: stream(streams.primary), standby: stream(streams.standby) },
  }));
  await writeFile(file, `${JSON.stringify({ ...config, cells }, null, 2)}\n`);
  return file;
}

async function hostedZone(clients: LocalClients, name: string): Promise<string> {
  const route53 = clients.route53();
  const listed = await route53.send(new ListHostedZonesByNameCommand({ DNSName: name, MaxItems: 1 }));
  const found = listed.HostedZones?.find((zone) => zone.Name === `${name}.`);
  const zone =
    found ??
    (await route53.send(new CreateHostedZoneCommand({ Name: name, CallerReference: randomUUID() })))
      .HostedZone;
  const id = zone?.Id?.replace('/hostedzone/', '');
  if (id === undefined) throw new DrillError(`LocalStack did not create the hosted zone ${name}.`);
  return id;
}

/** Creates a stream that is the user's own, encrypted with their key if it has one, unless it is there. */
export async function existingStream(
  clients: Pick<LocalClients, 'kinesis'>,
  region: string,
  { name, create, kmsKeyArn }: StreamSpec,
): Promise<void> {
  if (create) return;
  const kinesis = clients.kinesis(region);
  const isActive = async (): Promise<boolean> => {
    const summary = await kinesis.send(new DescribeStreamSummaryCommand({ StreamName: name }));
    return summary.StreamDescriptionSummary?.StreamStatus === StreamStatus.ACTIVE;
  };
  const active = { what: `stream ${name} in ${region} to become active`, ...PATIENCE, holds: isActive };
  try {
    await kinesis.send(new CreateStreamCommand({ StreamName: name, ShardCount: 1 }));
  } catch (error) {
    if (!(error instanceof ResourceInUseException)) throw error;
  }
  await until(active);
  if (kmsKeyArn === undefined) return;
  // Whoever may use a key is not checked here: that is judged from the policies.
  await kinesis.send(
    new StartStreamEncryptionCommand({ StreamName: name, EncryptionType: 'KMS', KeyId: kmsKeyArn }),
  );
  await until(active);
}
