import { type anonymousPrincipal, runSimulation } from '@cloud-copilot/iam-simulate';
import type { Policy } from './deployed.ts';

/** A call, as IAM is asked about it. */
export interface Asked {
  readonly action: string;
  readonly resource: string;
  readonly context?: Readonly<Record<string, string | readonly string[]>>;
}

export interface Judged extends Asked {
  readonly account: string;
  readonly policies?: readonly Policy[];
  /** Policy of the resource. Default: none, and of keys one that leaves it to the policies of roles. */
  readonly resourcePolicy?: Policy;
  /** Default: a session of some role of the account. */
  readonly principal?: string | typeof anonymousPrincipal;
}

/** What AWS's console writes for a key: policies of the account decide. */
const keyPolicy = (account: string): Policy => ({
  Version: '2012-10-17',
  Statement: [
    {
      Effect: 'Allow',
      Principal: { AWS: `arn:aws:iam::${account}:root` },
      Action: 'kms:*',
      Resource: '*',
    },
  ],
});

/**
 * Whether IAM would allow a call, as `@cloud-copilot/iam-simulate` judges it. Every action, resource and context key has to
 * be one that AWS knows. @throws Error for those that are not, and for policies that are malformed
 */
export async function isAllowed({
  account,
  action,
  resource,
  context = {},
  policies = [],
  resourcePolicy = resource.startsWith('arn:aws:kms:') ? keyPolicy(account) : undefined,
  principal = `arn:aws:sts::${account}:assumed-role/somebody/session`,
}: Judged): Promise<boolean> {
  const answer = await runSimulation(
    {
      request: {
        principal,
        action,
        resource: { resource, accountId: account },
        contextVariables: Object.fromEntries(
          Object.entries(context).map(([key, value]) => [
            key,
            typeof value === 'string' ? value : [...value],
          ]),
        ),
      },
      identityPolicies: policies.map((policy, n) => ({ name: `policy-${n}`, policy })),
      serviceControlPolicies: [],
      resourceControlPolicies: [],
      ...(resourcePolicy === undefined ? {} : { resourcePolicy }),
    },
    {},
  );
  if (answer.resultType === 'error') {
    throw new Error(`${action} on ${resource} cannot be judged: ${JSON.stringify(answer.errors)}`);
  }
  return answer.overallResult === 'Allowed';
}
