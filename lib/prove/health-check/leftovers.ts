import {
  type Change,
  ChangeResourceRecordSetsCommand,
  DeleteHealthCheckCommand,
  type HealthCheck,
  ListHealthChecksCommand,
  ListResourceRecordSetsCommand,
  type ResourceRecordSet,
  type Route53Client,
} from '@aws-sdk/client-route-53';
import { proveRecordName, proveTargetName } from '../../../lambda/core/names.ts';
import { readPages } from '../../aws/pages.ts';
import { type ProveContext, within } from '../context.ts';
import { ProveError } from '../errors.ts';
import { madeAtMs, PROVE_PRIMARY, PROVE_STANDBY } from './names.ts';

export interface Place {
  readonly client: Route53Client;
  /** Name of the deployment. */
  readonly name: string;
  readonly zone: { readonly id: string; readonly name: string };
}

export const placeOf = ({ clients, config }: Pick<ProveContext, 'clients' | 'config'>): Place => ({
  client: clients.route53(),
  name: config.name,
  zone: config.zone,
});

/** What earlier runs have left. */
export interface Leftovers {
  readonly records: readonly ResourceRecordSet[];
  readonly checks: readonly { readonly id: string; readonly madeAtMs: number }[];
}

const TIMEOUT_MS = 10_000;
/** Pages of a hundred checks. */
const MAX_PAGES = 50;
const MAX_ITEMS = 10;

/** Finds the records and checks of this experiment. @throws ProveError when the names are somebody else's */
export async function findLeftovers(place: Place): Promise<Leftovers> {
  const [records, checks] = [await ownRecords(place), await ownChecks(place)];
  return { records, checks };
}

/** Deletes them, the records first: a check cannot go while a record refers to it. */
export async function removeLeftovers(place: Place, { records, checks }: Leftovers): Promise<void> {
  const { client, zone } = place;
  if (records.length > 0) {
    const Changes = records.map((ResourceRecordSet): Change => ({ Action: 'DELETE', ResourceRecordSet }));
    await client.send(
      new ChangeResourceRecordSetsCommand({ HostedZoneId: zone.id, ChangeBatch: { Changes } }),
      within(TIMEOUT_MS),
    );
  }
  for (const { id } of checks) {
    await client.send(new DeleteHealthCheckCommand({ HealthCheckId: id }), within(TIMEOUT_MS));
  }
}

async function ownRecords({ client, name, zone }: Place): Promise<readonly ResourceRecordSet[]> {
  const found: ResourceRecordSet[] = [];
  for (const own of [proveRecordName(name, zone.name), proveTargetName(name, zone.name)]) {
    const { ResourceRecordSets = [] } = await client.send(
      new ListResourceRecordSetsCommand({
        HostedZoneId: zone.id,
        StartRecordName: own,
        StartRecordType: 'TXT',
        MaxItems: MAX_ITEMS,
      }),
      within(TIMEOUT_MS),
    );
    const named = ResourceRecordSets.filter(({ Name }) => Name === `${own}.`);
    const strange = named.find((record) => !isOurs(record));
    if (strange !== undefined) {
      throw new ProveError(
        `${own} has a ${strange.Type} record that is not of this command: take it away first.`,
      );
    }
    found.push(...named);
  }
  return found;
}

function isOurs({ Type, ResourceRecords = [], AliasTarget }: ResourceRecordSet): boolean {
  if (Type !== 'TXT') return false;
  if (AliasTarget !== undefined) return AliasTarget.DNSName?.startsWith('primary.prove-') ?? false;
  return ResourceRecords.every(
    ({ Value }) => Value === `"${PROVE_PRIMARY}"` || Value === `"${PROVE_STANDBY}"`,
  );
}

async function ownChecks({ client, name }: Place): Promise<Leftovers['checks']> {
  const { items, complete } = await readPages<HealthCheck, string>({
    maxPages: MAX_PAGES,
    ask: async (Marker) => {
      const { HealthChecks = [], NextMarker } = await client.send(
        new ListHealthChecksCommand({ Marker }),
        within(TIMEOUT_MS),
      );
      return { items: HealthChecks, next: NextMarker };
    },
  });
  if (!complete) throw new ProveError('the account has more health checks than can be looked through');
  return items.flatMap(({ Id, CallerReference }) => {
    const atMs = madeAtMs(name, CallerReference);
    return Id === undefined || atMs === undefined ? [] : [{ id: Id, madeAtMs: atMs }];
  });
}
