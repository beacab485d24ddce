import {
  type AttributeValue,
  DescribeTableCommand,
  type DynamoDBClient,
  ScanCommand,
  type TableDescription,
} from '@aws-sdk/client-dynamodb';
import { classifyError } from '../../lambda/core/probe.ts';
import { readPages } from '../aws/pages.ts';
import { type Lease, type LeaseItem, leaseAttributes, parseLeaseItem } from './lease-item.ts';

/** What is known of a lease table. Nothing is thrown: each state is one that people meet. */
export type LeaseTableReading =
  | LeaseTable
  /** No table of this name, or one that is being deleted. */
  | { readonly state: 'missing' }
  /** A table, but not one of the KCL. */
  | { readonly state: 'foreign'; readonly why: string }
  /** The caller may not read it. */
  | { readonly state: 'refused'; readonly why: string }
  | { readonly state: 'unanswered'; readonly why: string };

export interface LeaseTable {
  readonly state: 'leases';
  readonly leases: readonly Lease[];
  /** False: there are more leases than were read. */
  readonly complete: boolean;
  /** Items that name themselves a lease, and cannot be read as one. */
  readonly damaged: number;
  /** When the table was created; absent where DescribeTable is refused. */
  readonly createdAtMs?: number;
}

export interface LeaseTableQuestion {
  readonly client: Pick<DynamoDBClient, 'send'>;
  readonly table: string;
  /** Longest wait for one call. Default 3,000. */
  readonly timeoutMs?: number;
  /** Most pages of 1 MB, about 2,000 leases each. Default 50: more than the shards that an account has. */
  readonly maxPages?: number;
  readonly signal?: AbortSignal;
}

const DEFAULT_TIMEOUT_MS = 3_000;
const DEFAULT_MAX_PAGES = 50;
/** The one key of a lease table, of all KCLs. */
const LEASE_KEY = 'leaseKey';

/** Reads the leases of an application. A caller without the right of DescribeTable needs Scan alone. Never throws. */
export async function readLeaseTable(question: LeaseTableQuestion): Promise<LeaseTableReading> {
  const { client, table } = question;
  let described: TableDescription | undefined;
  try {
    const command = new DescribeTableCommand({ TableName: table });
    described = (await client.send(command, boundOf(question))).Table;
  } catch (error) {
    const failed = failureOf(error, `DescribeTable on ${table}`);
    if (failed.state !== 'refused') return failed;
  }
  if (described?.TableStatus === 'DELETING') return { state: 'missing' };
  const foreign = described === undefined ? undefined : whyForeign(described);
  if (foreign !== undefined) return { state: 'foreign', why: foreign };
  try {
    const createdAtMs = described?.CreationDateTime?.getTime();
    return judged(await scan(question), createdAtMs);
  } catch (error) {
    return failureOf(error, `Scan on ${table}`);
  }
}

function whyForeign({ KeySchema = [], AttributeDefinitions = [] }: TableDescription): string | undefined {
  const keys = KeySchema.map(({ AttributeName = '' }) => AttributeName);
  const type = AttributeDefinitions.find(({ AttributeName }) => AttributeName === LEASE_KEY)?.AttributeType;
  if (keys.length === 1 && keys[0] === LEASE_KEY && type === 'S') return undefined;
  return `its key is ${keys.join(' and ')}, and that of a lease table is ${LEASE_KEY}, a string`;
}

interface Scanned {
  readonly items: readonly LeaseItem[];
  readonly complete: boolean;
}

/** Consistent reads: a checkpoint that is a second old would call records unread that are not. */
async function scan(question: LeaseTableQuestion): Promise<Scanned> {
  const { client, table, maxPages = DEFAULT_MAX_PAGES } = question;
  const names = Object.fromEntries(leaseAttributes.map((name, n) => [`#a${n}`, name]));
  return readPages<LeaseItem, Record<string, AttributeValue>>({
    maxPages,
    ask: async (from) => {
      const command = new ScanCommand({
        TableName: table,
        ConsistentRead: true,
        ProjectionExpression: Object.keys(names).join(', '),
        ExpressionAttributeNames: names,
        ...(from === undefined ? {} : { ExclusiveStartKey: from }),
      });
      const answer = await client.send(command, boundOf(question));
      return { items: answer.Items ?? [], next: answer.LastEvaluatedKey };
    },
  });
}

function judged({ items, complete }: Scanned, createdAtMs: number | undefined): LeaseTableReading {
  const leases: Lease[] = [];
  let damaged = 0;
  for (const item of items) {
    const parsed = parseLeaseItem(item);
    if (parsed === 'damaged') damaged++;
    else if (parsed !== 'other') leases.push(parsed);
  }
  if (leases.length === 0 && damaged > 0) {
    const why = `none of its ${damaged} items has a checkpoint and a counter, as leases have`;
    return { state: 'foreign', why };
  }
  return { state: 'leases', leases, complete, damaged, ...(createdAtMs !== undefined && { createdAtMs }) };
}

function failureOf(error: unknown, what: string): Exclude<LeaseTableReading, LeaseTable> {
  const { name = 'Error', message = String(error) } = error as Partial<Error>;
  const { code, $metadata } = error as { code?: string; $metadata?: { httpStatusCode?: number } };
  const errorClass = classifyError({ name, code, status: $metadata?.httpStatusCode });
  if (errorClass === 'missing') return { state: 'missing' };
  const why = `${what}: ${name}: ${message}`;
  return { state: errorClass === 'access' ? 'refused' : 'unanswered', why };
}

const boundOf = ({ timeoutMs = DEFAULT_TIMEOUT_MS, signal }: LeaseTableQuestion) => {
  const timeout = AbortSignal.timeout(timeoutMs);
  return { abortSignal: signal === undefined ? timeout : AbortSignal.any([timeout, signal]) };
};

/** The leases of this stream. Those of an application of one stream name none, and are taken for its own. */
export const leasesOf = (leases: readonly Lease[], stream: string): readonly Lease[] =>
  leases.filter((lease) => lease.stream === undefined || lease.stream.name === stream);
