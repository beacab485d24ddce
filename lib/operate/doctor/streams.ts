import { DescribeStreamSummaryCommand, type StreamDescriptionSummary } from '@aws-sdk/client-kinesis';
import pMap from 'p-map';
import { byKeyCommand, type Distribution, distributionOf } from '../../../lambda/core/distribution.ts';
import { canaryStreamName } from '../../../lambda/core/names.ts';
import { CANARY_SHARDS, STANDBY_CANARY_SHARDS } from '../../../lambda/core/put-plan.ts';
import type { Role } from '../../../lambda/core/role.ts';
import { streamField } from '../../aws/stream-field.ts';
import { type Cell, streamReference } from '../../config/config.ts';
import { callFailure } from '../../credentials/failure.ts';
import { problemOf } from '../reading.ts';
import {
  type Check,
  type DoctorContext,
  type Finding,
  type Found,
  ill,
  type Unchecked,
  well,
} from './check.ts';
import { distributionFindings } from './stream-distribution.ts';
import { keyFindings, ownKeyId } from './stream-keys.ts';

const CHECK = 'streams';
/** DescribeStreamSummary may be called 20 times a second in an account. */
const PARALLEL = 4;
const DAY_HOURS = 24;
const KIB_DEFAULT = 1_024;

export interface StreamFacts {
  readonly status: string;
  readonly shards: number;
  readonly mode: 'ON_DEMAND' | 'PROVISIONED';
  readonly retentionHours: number;
  readonly recordKib: number;
  readonly distribution: Distribution;
  /** The key of the stream's owner that encrypts it; absent: none, or that of Kinesis. */
  readonly keyId?: string;
}

export const streams: Check = {
  check: CHECK,
  purpose:
    'every stream exists in both regions, and the standby takes and keeps what the primary takes and keeps',
  region: ({ regions }) => regions.standby,
  run: async (context) => {
    const { config } = context;
    const canaries = await Promise.all(
      (['primary', 'standby'] as const).map(async (role): Promise<readonly Found[]> => {
        const name = canaryStreamName(config.name);
        const facts = await describe(context, role, name);
        if (isUnchecked(facts)) return [{ ...facts, what: `canary ${facts.what}` }];
        if (typeof facts !== 'string')
          return canaryFindings({ role, region: config.regions[role], name, facts });
        return [
          ill(CHECK, `canary ${name} in ${config.regions[role]}: ${facts}`, 'Deploy: npx cdk deploy --all'),
        ];
      }),
    );
    const describeCell = async (cell: Cell): Promise<readonly Found[]> => {
      const [primary, standby] = await Promise.all([
        describe(context, 'primary', streamReference(cell.streams.primary)),
        describe(context, 'standby', streamReference(cell.streams.standby)),
      ]);
      const unchecked = [primary, standby].filter(isUnchecked);
      if (isUnchecked(primary) || isUnchecked(standby)) return unchecked;
      const facts = { primary, standby };
      return [
        ...cellFindings({ cell: cell.name, regions: config.regions, ...facts }),
        ...distributionFindings({ cell: cell.name, regions: config.regions, ...facts }),
        // LocalStack does not encrypt what it creates.
        ...(context.local ? [] : keysOf(cell, config.regions, facts)),
      ];
    };
    // A few at a time, so that no rate of the account is exhausted while checking.
    const cells = await pMap(config.cells, describeCell, { concurrency: PARALLEL });
    const problems = [...canaries.flat(), ...cells.flat()];
    return problems.length > 0
      ? problems
      : [well(CHECK, `the streams of ${config.cells.length} cells match in both regions`)];
  },
};

/** Pure. A canary that was deployed with one shard keeps it: an update of its mode creates no shards. */
export function canaryFindings({
  role,
  region,
  name,
  facts: { shards, distribution },
}: {
  readonly role: Role;
  readonly region: string;
  readonly name: string;
  readonly facts: Pick<StreamFacts, 'shards' | 'distribution'>;
}): readonly Finding[] {
  if (distribution === 'serviceManaged') {
    return [
      ill(
        CHECK,
        `canary ${name} in ${region} has service-managed distribution: a record no longer goes to the shard that its observer means to probe`,
        byKeyCommand(region),
      ),
    ];
  }
  const needed = role === 'primary' ? CANARY_SHARDS : STANDBY_CANARY_SHARDS;
  if (shards >= needed) return [];
  const effect =
    role === 'primary'
      ? 'so that one sick shard can look like a sick region'
      : 'so that one dead shard would forbid an evacuation';
  const scale = `aws kinesis update-shard-count --stream-name ${name} --region ${region} --scaling-type UNIFORM_SCALING --target-shard-count`;
  return [
    ill(
      CHECK,
      `canary ${name} in ${region} has ${shards} of ${needed} shards, ${effect}`,
      role === 'primary'
        ? `In a quiet hour: aws kinesis update-stream-mode to PROVISIONED, ${scale} 2 and then 4, and update-stream-mode back to ON_DEMAND`
        : `${scale} ${needed}`,
    ),
  ];
}

function keysOf(
  { name: cell, streams: of }: Cell,
  regions: Readonly<Record<Role, string>>,
  facts: Readonly<Record<Role, StreamFacts | string>>,
): readonly Finding[] {
  return (['primary', 'standby'] as const).flatMap((role) => {
    const known = facts[role];
    if (typeof known === 'string') return [];
    return keyFindings({ cell, region: regions[role], stream: of[role], keyId: known.keyId });
  });
}

/** Describes a stream: its facts, or why there is no such stream, or why that is not known. */
export async function describe(
  { clients, config }: Pick<DoctorContext, 'clients' | 'config'>,
  role: Role,
  /** Or its ARN. */
  name: string,
): Promise<StreamFacts | string | Unchecked> {
  try {
    const { StreamDescriptionSummary: summary } = await clients
      .kinesis(config.regions[role])
      .send(new DescribeStreamSummaryCommand(streamField(name)));
    return summary === undefined ? 'no description' : factsOf(summary);
  } catch (error) {
    if (callFailure(error).kind === 'missing') return problemOf(error);
    const region = config.regions[role];
    return { check: CHECK, region, what: `${name} in ${region}`, error };
  }
}

const isUnchecked = (read: StreamFacts | string | Unchecked): read is Unchecked =>
  typeof read === 'object' && 'error' in read;

function factsOf(summary: StreamDescriptionSummary): StreamFacts {
  const keyId = ownKeyId(summary.EncryptionType, summary.KeyId);
  return {
    status: summary.StreamStatus ?? 'unknown',
    shards: summary.OpenShardCount ?? 0,
    mode: summary.StreamModeDetails?.StreamMode === 'ON_DEMAND' ? 'ON_DEMAND' : 'PROVISIONED',
    retentionHours: summary.RetentionPeriodHours ?? DAY_HOURS,
    recordKib: summary.MaxRecordSizeInKiB ?? KIB_DEFAULT,
    distribution: distributionOf(summary.RecordDistributionStrategy),
    ...(keyId === undefined ? {} : { keyId }),
  };
}

/** Pure. */
export function cellFindings(options: {
  readonly cell: string;
  readonly regions: { readonly primary: string; readonly standby: string };
  readonly primary: StreamFacts | string;
  readonly standby: StreamFacts | string;
}): readonly Finding[] {
  const { cell, regions, primary, standby } = options;
  const missing = (['primary', 'standby'] as const).flatMap((role) => {
    const facts = options[role];
    if (typeof facts === 'string') {
      return [
        ill(
          CHECK,
          `${cell}: its stream in ${regions[role]}: ${facts}`,
          'Create the stream, or correct its name in the config.',
        ),
      ];
    }
    const usable = facts.status === 'ACTIVE' || facts.status === 'UPDATING';
    return usable
      ? []
      : [
          ill(
            CHECK,
            `${cell}: its stream in ${regions[role]} is ${facts.status}`,
            'Wait until it is ACTIVE.',
          ),
        ];
  });
  if (typeof primary === 'string' || typeof standby === 'string') return missing;
  const found = [...missing];
  if (standby.recordKib < primary.recordKib) {
    found.push(
      ill(
        CHECK,
        `${cell}: the primary takes records of ${primary.recordKib} KiB, the standby of ${standby.recordKib} KiB: larger records would be refused after a failover`,
        `aws kinesis update-max-record-size --region ${regions.standby} --max-record-size-in-ki-b ${primary.recordKib} --stream-arn ARN`,
      ),
    );
  }
  if (standby.retentionHours < primary.retentionHours) {
    found.push(
      ill(
        CHECK,
        `${cell}: the primary keeps records ${primary.retentionHours} h, the standby ${standby.retentionHours} h`,
        `aws kinesis increase-stream-retention-period --region ${regions.standby} --retention-period-hours ${primary.retentionHours} --stream-name STREAM`,
      ),
    );
  }
  if (primary.retentionHours <= DAY_HOURS) {
    found.push(
      ill(
        CHECK,
        `${cell}: the primary keeps records ${primary.retentionHours} h: an outage of 17 h leaves little time to read what is stranded`,
        `aws kinesis increase-stream-retention-period --region ${regions.primary} --retention-period-hours 168 --stream-name STREAM`,
      ),
    );
  }
  return found;
}
