import { beforeAll, describe, expect, it } from 'vitest';
import { problemsOf } from '../permissions/check.ts';
import { deployedFrom, type StackTemplate } from '../permissions/deployed.ts';
import { deployments, synthesised } from '../permissions/deployments.ts';
import { isAllowed } from '../permissions/judge.ts';
import type { Mutant } from '../permissions/mutant.ts';
import { mutantKinds, mutantsOf } from '../permissions/mutants.ts';

/** Of every kind some in `npm test`; all of them in `npm run mutants:iam`. */
const EVERY = 12;

describe.each(Object.entries(deployments))('the deployment "%s"', (_name, deployment) => {
  it('has roles, and policies of functions and topics, that allow what the tables ask for and nothing else', async () => {
    const deployed = deployedFrom(synthesised(deployment), deployment.account);
    expect(await problemsOf({ deployment, deployed })).toEqual([]);
  });
});

describe('a right more or less', () => {
  const deployment = deployments.full;
  let stacks: readonly StackTemplate[];
  beforeAll(() => {
    stacks = synthesised(deployment);
  });
  const some = (mutants: readonly Mutant[]): readonly Mutant[] =>
    mutants.filter(({ kind }, n) => kind === 'named' || n % EVERY === 0);

  it('turns the check red', async () => {
    const survivors: string[] = [];
    for (const { name, firstRed } of some(mutantsOf({ deployment, stacks }))) {
      if ((await firstRed()) === undefined) survivors.push(name);
    }
    expect(survivors).toEqual([]);
  });

  it('is tried in every kind', () => {
    const kinds = new Set(mutantsOf({ deployment, stacks }).map(({ kind }) => kind));
    expect(mutantKinds.map(({ kind }) => kind).filter((kind) => !kinds.has(kind))).toEqual([]);
  });
});

describe('the judge', () => {
  const account = '123456789012';
  const stream = `arn:aws:kinesis:us-east-1:${account}:stream/orders`;

  it('refuses to judge what AWS does not know', async () => {
    const ask = (action: string, resource: string) => isAllowed({ account, action, resource });
    await expect(ask('kinesis:PutEverything', stream)).rejects.toThrow(/invalid.action/);
    await expect(ask('kinesis:PutRecords', `arn:aws:sqs:us-east-1:${account}:orders`)).rejects.toThrow();
  });

  it('allows the use of a key through the service that a policy names, and through no other', async () => {
    const key = `arn:aws:kms:us-east-1:${account}:key/00000000-0000-4000-8000-000000000001`;
    const policies = [
      {
        Version: '2012-10-17',
        Statement: [
          {
            Effect: 'Allow',
            Action: 'kms:GenerateDataKey',
            Resource: key,
            Condition: { StringEquals: { 'kms:ViaService': 'kinesis.us-east-1.amazonaws.com' } },
          },
        ],
      },
    ];
    const via = (service: string) =>
      isAllowed({
        account,
        policies,
        action: 'kms:GenerateDataKey',
        resource: key,
        context: { 'kms:ViaService': service },
      });
    expect(await via('kinesis.us-east-1.amazonaws.com')).toBe(true);
    expect(await via('s3.us-east-1.amazonaws.com')).toBe(false);
    expect(await isAllowed({ account, policies, action: 'kms:GenerateDataKey', resource: key })).toBe(false);
  });
});
