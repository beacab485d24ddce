import { conductorMachineName } from '../../lambda/core/names.ts';
import { type Config, observerRegions } from '../../lib/config/config.ts';
import { type FunctionRights, functions, machineRights } from '../../lib/permissions/functions.ts';
import { type Requirement, requirementsOf } from '../../lib/permissions/requirements.ts';
import type { Where } from '../../lib/permissions/where.ts';

/** A role as the tables ask for it. */
export interface ExpectedRole {
  /** As the record of calls names it: `observer us-west-2`. */
  readonly who: string;
  readonly region: string;
  /** Physical name of the function, or `machine` and that of the state machine. */
  readonly holder: string;
  readonly service: string;
  readonly requirements: readonly Requirement[];
}

export interface Deployment {
  readonly config: Config;
  readonly account: string;
  /** Keys of the tables, topics and logs, by region: a property of the stacks. */
  readonly encryptionKeyArns?: Readonly<Record<string, string>>;
}

/** Every role of a deployment. */
export function expectedRoles(deployment: Deployment): readonly ExpectedRole[] {
  const { config, account } = deployment;
  const { standby } = config.regions;
  const of = functions.flatMap((each) =>
    (each.in === 'standby' ? [standby] : observerRegions(config.regions)).flatMap((region) =>
      functionRole(
        each,
        { config, account, region, functionName: each.functionName(config.name) },
        deployment,
      ),
    ),
  );
  return [
    ...of,
    {
      who: 'state machine',
      region: standby,
      holder: `machine ${conductorMachineName(config.name)}`,
      service: 'states.amazonaws.com',
      requirements: requirementsOf(machineRights, { config, account, region: standby }),
    },
  ];
}

function functionRole(
  { who, functionName, in: place, when, rights }: FunctionRights,
  where: Where,
  { encryptionKeyArns }: Deployment,
): readonly ExpectedRole[] {
  if (when !== undefined && !when(where)) return [];
  return [
    {
      who: place === 'standby' ? who : `${who} ${where.region}`,
      region: where.region,
      holder: functionName(where.config.name),
      service: 'lambda.amazonaws.com',
      requirements: [...requirementsOf(rights, where), ...tableKeys(encryptionKeyArns ?? {})],
    },
  ];
}

/** "DynamoDB encryption at rest usage notes": what a caller of an encrypted table needs of its key, through DynamoDB. */
export function tableKeys(keys: Readonly<Record<string, string>>): readonly Requirement[] {
  const regions = Object.keys(keys);
  if (regions.length === 0) return [];
  // The text of the guide once more, apart from the product's own list.
  const actions = ['Encrypt', 'Decrypt', 'ReEncryptFrom', 'ReEncryptTo', 'GenerateDataKey'];
  return [
    {
      actions: [...actions, 'GenerateDataKeyWithoutPlaintext', 'DescribeKey'].map(
        (action) => `kms:${action}`,
      ),
      resources: Object.values(keys),
      bounds: {
        via: regions.flatMap((region) => [`dynamodb.${region}.amazonaws.com`, `sns.${region}.amazonaws.com`]),
      },
    },
  ];
}
