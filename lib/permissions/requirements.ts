import { metricNamespace } from '../../lambda/core/names.ts';
import { regionOfArn, viaKinesis } from '../config/stream-keys.ts';
import { arnsOf, keysOf } from './places.ts';
import { type RecordBounds, type Right, rightsIn } from './right.ts';
import type { Where } from './where.ts';

/** The keys of IAM's request context by which rights are bounded. */
export const boundKeys = {
  partition: 'dynamodb:LeadingKeys',
  namespace: 'cloudwatch:namespace',
  via: 'kms:ViaService',
  recordName: 'route53:ChangeResourceRecordSetsNormalizedRecordNames',
  recordType: 'route53:ChangeResourceRecordSetsRecordTypes',
  recordChange: 'route53:ChangeResourceRecordSetsActions',
} as const;
export type Bound = keyof typeof boundKeys;

/** Of these a request may have several values, of which each has to be allowed. */
const manyValued: readonly Bound[] = ['partition', 'recordName', 'recordType', 'recordChange'];
export const hasManyValues = (bound: Bound): boolean => manyValued.includes(bound);

/** What a policy has to allow: the actions on the resources, and no more than the bounds say. */
export interface Requirement {
  readonly actions: readonly string[];
  readonly resources: readonly string[];
  /** By what it is bounded: the values that are allowed. */
  readonly bounds: Readonly<Partial<Record<Bound, readonly string[]>>>;
}

/** Rights as requirements of one deployment, with those on the keys that encrypt the streams. */
export function requirementsOf(rights: readonly Right[], where: Where): readonly Requirement[] {
  const asked = rightsIn(rights, where).map((right) => ({ right, resources: arnsOf(right.on, where) }));
  const own = asked.map(({ right, resources }): Requirement => {
    const { actions, on, partitions, records } = right;
    const bounds = {
      ...(partitions === undefined ? {} : { partition: partitions }),
      ...(records === undefined ? {} : recordBounds(records, where)),
      ...(on === 'metrics of Spillway' ? { namespace: [metricNamespace(where.config.name)] } : {}),
      ...(on === 'metrics of the KCL' && where.kcl !== undefined ? { namespace: [where.kcl] } : {}),
    };
    return { actions, resources, bounds };
  });
  const needed = own.filter(({ resources }) => resources.length > 0);
  return [...needed, ...keyRequirements(rights, where), ...tableKeyRequirements(needed, where)];
}

/** IAM compares names in lower case and without a dot at the end ("Using IAM policy conditions", Route 53 guide). */
function recordBounds({ names, types, changes }: RecordBounds, where: Where): Requirement['bounds'] {
  const recordName = names(where).map((name) => name.toLowerCase().replace(/\.$/, ''));
  return { recordName, recordType: types, recordChange: changes };
}

/** What a caller of an encrypted table needs of its key ("DynamoDB encryption at rest usage notes"). */
export const tableKeyActions = [
  'kms:Encrypt',
  'kms:Decrypt',
  'kms:ReEncryptFrom',
  'kms:ReEncryptTo',
  'kms:GenerateDataKey',
  'kms:GenerateDataKeyWithoutPlaintext',
  'kms:DescribeKey',
] as const;

/** The keys of the tables that are used, through DynamoDB of their region. */
function tableKeyRequirements(
  needed: readonly Requirement[],
  { tableKeys = [], kcl = '' }: Where,
): readonly Requirement[] {
  const tables = needed
    .flatMap(({ resources }) => resources)
    .filter((arn) => arn.startsWith('arn:aws:dynamodb:') && (kcl === '' || !arn.includes(`:table/${kcl}`)));
  const regions = new Set(tables.map(regionOfArn));
  return tableKeys
    .filter((key) => regions.has(regionOfArn(key)))
    .map((key) => ({
      actions: tableKeyActions,
      resources: [key],
      bounds: { via: [`dynamodb.${regionOfArn(key)}.amazonaws.com`] },
    }));
}

/** Which action on the key an action on the stream needs ("Permissions to use user-generated KMS keys", Kinesis guide). */
const keyActions: readonly { readonly of: RegExp; readonly action: string }[] = [
  { of: /^kinesis:PutRecords?$/, action: 'kms:GenerateDataKey' },
  { of: /^kinesis:(GetRecords|SubscribeToShard)$/, action: 'kms:Decrypt' },
];

function keyRequirements(rights: readonly Right[], where: Where): readonly Requirement[] {
  const uses = rightsIn(rights, where).flatMap(({ actions, on }) => {
    const keyed = keyActions.filter(({ of }) => actions.some((action) => of.test(action)));
    return keysOf(on, where).flatMap((key) => keyed.map(({ action }) => ({ ...key, action })));
  });
  const byRegion = Map.groupBy(uses, ({ region, action }) => `${region} ${action}`);
  return [...byRegion.values()].map((same) => {
    const [{ region, action }] = same as [(typeof uses)[number]];
    return {
      actions: [action],
      resources: [...new Set(same.map(({ arn }) => arn))],
      bounds: { via: [viaKinesis(region)] },
    };
  });
}
