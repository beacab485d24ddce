import { build } from 'esbuild';
import { describe, expect, it } from 'vitest';
import { functions } from '../../lib/permissions/functions.ts';

// What the code of a function can call, as it is bundled: a right that nothing in it can use is one too many, and a call
// that no right is for would be refused. The state table's own calls are in each bundle that has the table, used or not.

/** The SDK's packages, and IAM's names of their services. */
const services: Readonly<Record<string, string>> = {
  '@aws-sdk/client-kinesis': 'kinesis',
  '@aws-sdk/lib-dynamodb': 'dynamodb',
  '@aws-sdk/client-dynamodb': 'dynamodb',
  '@aws-sdk/client-firehose': 'firehose',
  '@aws-sdk/client-cloudwatch': 'cloudwatch',
  '@aws-sdk/client-sfn': 'states',
  '@aws-sdk/client-sns': 'sns',
  '@aws-sdk/client-sqs': 'sqs',
  '@aws-sdk/client-sts': 'sts',
  '@aws-sdk/client-lambda': 'lambda',
  '@aws-sdk/client-cognito-identity-provider': 'cognito-idp',
  '@aws-sdk/client-route-53': 'route53',
  '@aws-sdk/client-cloudformation': 'cloudformation',
};
/** The document client leaves out "Item". */
const items = new Set(['Get', 'Put', 'Update', 'Delete']);
const bySdk = /import\s*\{([^}]*)\}\s*from\s*"(@aws-sdk\/[^"]+)"/g;
/** Calls that are written without the SDK. */
const byHand = /"(Kinesis|DynamoDB)_\d+\.(\w+)"/g;

async function callsIn(handler: string): Promise<ReadonlySet<string>> {
  const { outputFiles } = await build({
    entryPoints: [`lambda/${handler}/handler.ts`],
    bundle: true,
    write: false,
    format: 'esm',
    platform: 'node',
    packages: 'external',
    logLevel: 'silent',
  });
  const code = outputFiles[0]?.text ?? '';
  const calls = new Set<string>();
  for (const [, names = '', from = ''] of code.matchAll(bySdk)) {
    for (const [, command = ''] of names.matchAll(/\b(\w+)Command\b/g)) {
      if (!code.includes(`new ${command}Command(`)) continue;
      const service = services[from];
      if (service === undefined) throw new Error(`no service is known of ${from}`);
      calls.add(
        `${service}:${command}${from === '@aws-sdk/lib-dynamodb' && items.has(command) ? 'Item' : ''}`,
      );
    }
  }
  for (const [, service = '', operation = ''] of code.matchAll(byHand)) {
    calls.add(`${service.toLowerCase()}:${operation}`);
  }
  return calls;
}

/** Rights for AWS's own part of a function. */
const ofAws = /^logs:/;
/** Code that comes with what a function uses, and that it does not reach. */
const unreached: Readonly<Record<string, readonly string[]>> = {
  // It asks about consumers without `deep`, and so never looks into a stream.
  survey: ['kinesis:GetRecords', 'kinesis:GetShardIterator', 'kinesis:ListShards'],
};
/** What needs no permission. */
const free = /^sts:GetCallerIdentity$/;

describe.each(functions.map(({ who, rights }) => [who, rights] as const))('the %s', (who, rights) => {
  const rightful = new Set(rights.flatMap(({ actions }) => actions).filter((action) => !ofAws.test(action)));

  it('can use each of its rights', async () => {
    const calls = await callsIn(who);
    expect([...rightful].filter((action) => !calls.has(action))).toEqual([]);
  });

  it('has a right for each call that it can make, but for those of the state table that it does not use', async () => {
    const calls = [...(await callsIn(who))].filter(
      (action) => !free.test(action) && unreached[who]?.includes(action) !== true,
    );
    expect(calls.length).toBeGreaterThan(0);
    expect(calls.filter((action) => !action.startsWith('dynamodb:') && !rightful.has(action))).toEqual([]);
  });
});
