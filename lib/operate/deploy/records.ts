import { ListResourceRecordSetsCommand, type ResourceRecordSet, type RRType } from '@aws-sdk/client-route-53';
import pMap from 'p-map';
import { bare, regionIn } from '../../deployments/answers.ts';
import type { TakenName } from '../../deployments/refusals.ts';
import type { AwsClients } from '../clients.ts';

export interface NewName {
  readonly name: string;
  readonly type: string;
  readonly zoneId: string;
}

/** Names that are asked for: enough to see that a zone is another deployment’s. */
const MOST_ASKED = 25;
/** Route 53 takes five calls a second in an account ("Quotas", Route 53 guide). */
const PARALLEL = 2;
/** A name of Spillway has two records; of anybody else’s, the first few say enough. */
const RECORDS = 10;

/**
 * Which of these names have records in the zone already. A control plane in us-east-1: deployments are for
 * quiet times. The first names are asked for, and no more than a few.
 */
export async function takenNames(
  clients: AwsClients,
  names: readonly NewName[],
): Promise<readonly TakenName[]> {
  const route53 = clients.route53();
  const found = await pMap(
    names.slice(0, MOST_ASKED),
    async ({ name, type, zoneId }) => {
      const { ResourceRecordSets = [] } = await route53.send(
        new ListResourceRecordSetsCommand({
          HostedZoneId: zoneId,
          StartRecordName: name,
          StartRecordType: type as RRType,
          MaxItems: RECORDS,
        }),
      );
      const own = ResourceRecordSets.filter((set) => bare(set.Name ?? '') === name && set.Type === type);
      return own.length === 0 ? [] : [takenBy(name, type, own)];
    },
    { concurrency: PARALLEL },
  );
  return found.flat();
}

function takenBy(name: string, type: string, sets: readonly ResourceRecordSet[]): TakenName {
  const regionOf = (fits: (set: ResourceRecordSet) => boolean): string | undefined =>
    sets
      .filter(fits)
      .flatMap(({ ResourceRecords = [] }) => ResourceRecords)
      .flatMap(({ Value = '' }) => regionIn(Value.replace(/^"(.*)"$/, '$1')))[0];
  // Below a signal’s alias is a weighted record with the primary’s answer.
  const primary = regionOf(({ Failover, Weight }) => Failover === 'PRIMARY' || Weight !== undefined);
  const standby = regionOf(({ Failover }) => Failover === 'SECONDARY');
  return {
    name,
    type,
    ...(primary === undefined ? {} : { primary }),
    ...(standby === undefined ? {} : { standby }),
  };
}
