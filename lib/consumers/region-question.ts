import type { CloudWatchClient } from '@aws-sdk/client-cloudwatch';
import type { DynamoDBClient } from '@aws-sdk/client-dynamodb';
import type { FirehoseClient } from '@aws-sdk/client-firehose';
import type { KinesisClient } from '@aws-sdk/client-kinesis';
import type { LambdaClient } from '@aws-sdk/client-lambda';
import pMap from 'p-map';
import type { ConsumerFacts, StreamOfCell } from '../../lambda/core/consumer-facts.ts';
import type { ConsumerKind } from '../../lambda/core/consumers.ts';
import type { Role } from '../../lambda/core/role.ts';
import type { Cell } from '../config/config.ts';
import type { Asker } from './asker.ts';

export interface ConsumerClients {
  readonly kinesis: KinesisClient;
  readonly lambda: LambdaClient;
  readonly cloudWatch: CloudWatchClient;
  readonly dynamo: Pick<DynamoDBClient, 'send'>;
  /** Few deployments have one, and its package takes a while to load. */
  readonly firehose: () => Promise<Pick<FirehoseClient, 'send'>>;
}

/** What is asked of one region: the consumers of these cells there. */
export interface RegionQuestion {
  readonly role: Role;
  readonly region: string;
  readonly cells: readonly Cell[];
  /** Those of the config, of which `cells` may be a part. */
  readonly allCells: readonly Cell[];
  readonly clients: ConsumerClients;
  readonly asker: Asker;
  readonly nowMs: () => number;
  /** Of the streams; absent: not known. */
  readonly account?: string;
  /** False: only what few calls show, without positions in streams and without lag. */
  readonly deep: boolean;
  /** Waits between the looks at leases. Without `deep`, there is one look unless they are given. */
  readonly looksMs?: readonly number[];
}

/** A consumer that was found, and is not in the config. */
export interface FoundConsumer {
  readonly kind: Extract<ConsumerKind, 'lambda' | 'enhancedFanOut'>;
  readonly name: string;
  readonly facts: ConsumerFacts;
}

export interface CellInRegion {
  readonly stream: StreamOfCell;
  /** Facts of the consumers of the config, in its order. */
  readonly declared: readonly (ConsumerFacts | undefined)[];
  readonly found: readonly FoundConsumer[];
  /** Whether everything that can be found was looked for. */
  readonly searched: boolean;
  readonly carriesAggregates?: boolean;
}

/** Enough to keep each action at its rate. */
const PARALLEL = 8;
/** Lease tables are watched for seconds each. */
export const MANY = 64;

export const each = <Item, Result>(
  items: readonly Item[],
  task: (item: Item, index: number) => Promise<Result>,
  concurrency = PARALLEL,
): Promise<readonly Result[]> => pMap(items, task, { concurrency });

/** The cell's stream in this region, as far as the config and the account tell. */
export function streamOf({ role, region, account }: RegionQuestion, { streams }: Cell): StreamOfCell {
  const { name, arn } = streams[role];
  const own = arn ?? (account && `arn:aws:kinesis:${region}:${account}:stream/${name}`);
  return { name, region, ...(own !== undefined && { arn: own }) };
}

/** Functions that the config names. */
export function declaredFunctions({ cells, role }: RegionQuestion): readonly string[] {
  const named = cells.flatMap(({ consumers = [] }) =>
    consumers.flatMap(({ kind, name }) => (kind === 'lambda' ? name[role] : [])),
  );
  return [...new Set(named)];
}
