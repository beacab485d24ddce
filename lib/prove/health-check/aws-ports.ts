import { setTimeout as sleep } from 'node:timers/promises';
import {
  ChangeResourceRecordSetsCommand,
  ChangeTagsForResourceCommand,
  CreateHealthCheckCommand,
  GetHealthCheckStatusCommand,
  type ResourceRecordSet,
  UpdateHealthCheckCommand,
} from '@aws-sdk/client-route-53';
import { proveRecordName, proveTargetName } from '../../../lambda/core/names.ts';
import { nameServers } from '../../observers/zone-servers.ts';
import { problemOf } from '../../operate/reading.ts';
import { askServer, txtOf } from '../../resolver/ask-server.ts';
import { type ProveContext, pause, within } from '../context.ts';
import { ProveError } from '../errors.ts';
import { findLeftovers, type Place, removeLeftovers } from './leftovers.ts';
import { callerReference, PROVE_PRIMARY, PROVE_STANDBY, proveCheckName } from './names.ts';
import type { Report, Sample } from './sample.ts';
import { type HealthCheckPorts, RecordsRefusedError } from './watch.ts';

const TIMEOUT_MS = 10_000;
const STATUS_TIMEOUT_MS = 3_000;
const DNS_TIMEOUT_MS = 1_000;
const REMOVE_ATTEMPTS = 4;
const REMOVE_AGAIN_MS = 5_000;

export interface AwsPortsOptions {
  readonly context: ProveContext;
  readonly place: Place;
  /** The check of the drill cell's switch, which the alias has as its own. */
  readonly switchCheckId: string;
  readonly ttlSeconds: number;
}

/** The ports to Route 53 and to the zone's name servers. */
export async function awsPorts(options: AwsPortsOptions): Promise<HealthCheckPorts> {
  const { context, place } = options;
  const { client, name } = place;
  const servers = await zoneServers(context, place);
  const records: ResourceRecordSet[] = [];
  return {
    createCheck: async ({ host, path, text }) => {
      const { HealthCheck } = await client.send(
        new CreateHealthCheckCommand({
          CallerReference: callerReference(name, { id: context.id, atMs: context.nowMs() }),
          HealthCheckConfig: {
            Type: 'HTTPS_STR_MATCH',
            FullyQualifiedDomainName: host,
            Port: 443,
            ResourcePath: path,
            SearchString: text,
            Inverted: true,
            EnableSNI: true,
            RequestInterval: 10,
            FailureThreshold: 1,
          },
        }),
        within(TIMEOUT_MS),
      );
      const id = HealthCheck?.Id ?? '<id of the check>';
      const Tags = [{ Key: 'Name', Value: proveCheckName(name) }];
      // For people; the check is found again by its reference.
      await client
        .send(
          new ChangeTagsForResourceCommand({ ResourceType: 'healthcheck', ResourceId: id, AddTags: Tags }),
          within(TIMEOUT_MS),
        )
        .catch((error: unknown) => context.say(`the check could not be tagged: ${problemOf(error)}`));
      return id;
    },
    createRecords: async (checkId) => {
      records.push(...recordsOf(options, checkId));
      await createRecords(options, records);
    },
    changeCheck: async (HealthCheckId, { host, path, text }) => {
      await client.send(
        new UpdateHealthCheckCommand({
          HealthCheckId,
          FullyQualifiedDomainName: host,
          ResourcePath: path,
          SearchString: text,
        }),
        within(TIMEOUT_MS),
      );
    },
    reports: (checkId) => reportsOf(options, checkId),
    askZone: () => (context.rehearsing ? Promise.resolve(nothing) : askZone(place, servers)),
    remove: (checkId) => remove(options, { records, checkId }),
    nowMs: context.nowMs,
    sleep: (ms) => pause(context, ms),
    say: context.say,
    rehearsing: context.rehearsing,
  };
}

const nothing = { primary: 0, standby: 0, none: 0 } as const;

async function zoneServers(
  { rehearsing, dnsServers, world }: ProveContext,
  { zone }: Place,
): Promise<readonly string[]> {
  if (rehearsing) return [];
  // The server of a local world is the zone's own.
  if (world !== undefined) return dnsServers ?? [];
  const found = await nameServers(zone.name, dnsServers).catch(() => []);
  if (found.length > 0) return found;
  throw new ProveError(`the name servers of ${zone.name} were not found`);
}

/** The tree of a signal, with the new check in the place of a switch's. */
function recordsOf(
  { place: { name, zone }, switchCheckId, ttlSeconds }: AwsPortsOptions,
  checkId: string,
): readonly ResourceRecordSet[] {
  const common = { Name: `${proveRecordName(name, zone.name)}.`, Type: 'TXT' as const };
  const target = `${proveTargetName(name, zone.name)}.`;
  const value = (text: string) => ({ TTL: ttlSeconds, ResourceRecords: [{ Value: `"${text}"` }] });
  return [
    {
      ...common,
      Name: target,
      SetIdentifier: 'only',
      Weight: 1,
      HealthCheckId: checkId,
      ...value(PROVE_PRIMARY),
    },
    {
      ...common,
      SetIdentifier: 'primary',
      Failover: 'PRIMARY',
      HealthCheckId: switchCheckId,
      AliasTarget: { HostedZoneId: zone.id, DNSName: target, EvaluateTargetHealth: true },
    },
    { ...common, SetIdentifier: 'standby', Failover: 'SECONDARY', ...value(PROVE_STANDBY) },
  ];
}

async function createRecords(
  { place: { client, zone } }: AwsPortsOptions,
  records: readonly ResourceRecordSet[],
): Promise<void> {
  const Changes = records.map((ResourceRecordSet) => ({ Action: 'CREATE' as const, ResourceRecordSet }));
  try {
    await client.send(
      new ChangeResourceRecordSetsCommand({ HostedZoneId: zone.id, ChangeBatch: { Changes } }),
      within(TIMEOUT_MS),
    );
  } catch (error) {
    if (!(error instanceof Error) || !['InvalidChangeBatch', 'InvalidInput'].includes(error.name))
      throw error;
    throw new RecordsRefusedError(problemOf(error), { cause: error });
  }
}

async function reportsOf(
  { place: { client } }: AwsPortsOptions,
  HealthCheckId: string,
): Promise<readonly Report[] | undefined> {
  try {
    const { HealthCheckObservations = [] } = await client.send(
      new GetHealthCheckStatusCommand({ HealthCheckId }),
      within(STATUS_TIMEOUT_MS),
    );
    return HealthCheckObservations.map(({ Region = '', IPAddress = '', StatusReport }) => ({
      checker: `${Region} ${IPAddress}`,
      region: Region,
      status: StatusReport?.Status,
      checkedAtMs: StatusReport?.CheckedTime?.getTime(),
    }));
  } catch {
    // A look that is missed; the next one follows.
    return undefined;
  }
}

async function askZone(
  { name, zone }: Place,
  servers: readonly string[],
): Promise<Omit<Sample, 'atMs' | 'reports'>> {
  const question = {
    name: proveRecordName(name, zone.name),
    type: 'TXT',
    timeoutMs: DNS_TIMEOUT_MS,
  } as const;
  const answers = await Promise.all(
    servers.map((server) =>
      askServer({ ...question, server, recursive: false })
        .then((packet) => txtOf(packet) ?? 'none')
        .catch(() => undefined),
    ),
  );
  const texts = answers.flatMap((answer) => (typeof answer === 'object' ? [answer] : []));
  const count = (text: string): number => texts.filter((answer) => answer.text === text).length;
  return {
    primary: count(PROVE_PRIMARY),
    standby: count(PROVE_STANDBY),
    none: answers.filter((answer) => answer === 'none').length,
    ...(texts.length === 0 ? {} : { ttlSeconds: Math.max(...texts.map(({ ttlSeconds }) => ttlSeconds)) }),
  };
}

/** Also after Ctrl-C: then this is all that is still done. Looks for what there is, since an answer may have been lost. */
async function remove(
  { context, place }: AwsPortsOptions,
  known: { readonly records: readonly ResourceRecordSet[]; readonly checkId: string | undefined },
): Promise<void> {
  if (context.rehearsing) {
    const checks = [{ id: known.checkId ?? '', madeAtMs: 0 }];
    return removeLeftovers(place, { records: known.records, checks });
  }
  let problem: unknown;
  for (let attempt = 1; attempt <= REMOVE_ATTEMPTS; attempt++) {
    if (attempt > 1) await sleep(REMOVE_AGAIN_MS);
    try {
      return await removeLeftovers(place, await findLeftovers(place));
    } catch (error) {
      problem = error;
    }
  }
  context.say(
    `the temporary health check or its records are left: ${problemOf(problem)}. Delete them: spillway prove --clean --reason "after a crash"`,
  );
}
