import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Call } from '../../lib/aws/call-log.ts';
import type { Config } from '../../lib/config/config.ts';
import { viaKinesis } from '../../lib/config/stream-keys.ts';
import { isCheckerRequest, isWho } from '../../lib/operate/audit-rules.ts';
import { functions } from '../../lib/permissions/functions.ts';
import type { OperatorVerb } from '../../lib/permissions/operator.ts';
import { policyOf, rightsFor } from '../../lib/permissions/policy.ts';
import { boundKeys, hasManyValues } from '../../lib/permissions/requirements.ts';
import type { Deployed, Policy, StackTemplate } from './deployed.ts';
import { isAllowed } from './judge.ts';
import { type AskedCall, askedOf, inWords } from './recorded.ts';

// Recorded calls, judged by the policies of the roles that made them: what LocalStack does not do.

export interface Evaluation {
  readonly config: Config;
  readonly account: string;
  readonly deployed: Deployed;
}

/** The templates of a drill, as the CDK wrote them into its folder. */
export function templatesIn(directory: string): readonly StackTemplate[] {
  const read = (file: string) => JSON.parse(readFileSync(join(directory, file), 'utf8'));
  const { artifacts } = read('manifest.json') as {
    readonly artifacts: Readonly<
      Record<
        string,
        {
          readonly type: string;
          readonly environment?: string;
          readonly properties?: { readonly templateFile?: string };
        }
      >
    >;
  };
  return Object.entries(artifacts).flatMap(([stack, { type, environment = '', properties }]) => {
    const file = properties?.templateFile;
    if (type !== 'aws:cloudformation:stack' || file === undefined) return [];
    return [{ stack, region: environment.split('/').at(-1) ?? '', template: read(file) }];
  });
}

/** The policies of whoever made a call; undefined for somebody that nobody knows. */
function policiesOf(who: string, { config, account, deployed }: Evaluation): readonly Policy[] | undefined {
  const where = { config, account, region: config.regions.standby };
  if (isWho({ who }, 'producer')) return [policyOf(rightsFor('producer'), where)];
  if (who.startsWith('cli ')) {
    return [policyOf(rightsFor('operator', [who.replace('cli ', '') as OperatorVerb]), where)];
  }
  const [name = '', region = config.regions.standby] = who.split(' ');
  const holder = functions.find((one) => one.who === name)?.functionName(config.name) ?? '';
  return deployed.roles.find((role) => role.region === region && role.holders.includes(holder))?.policies;
}

/** What is asked of the key of an encrypted stream, for a call with that stream. */
function keyQuestions(asked: AskedCall, { config, account }: Evaluation): readonly AskedCall[] {
  const stream = config.cells
    .flatMap(({ streams }) =>
      (['primary', 'standby'] as const).map((role) => ({ ...streams[role], region: config.regions[role] })),
    )
    .find(({ name, region }) => asked.resource === `arn:aws:kinesis:${region}:${account}:stream/${name}`);
  const action = {
    PutRecord: 'kms:GenerateDataKey',
    PutRecords: 'kms:GenerateDataKey',
    GetRecords: 'kms:Decrypt',
  }[asked.action.replace('kinesis:', '')];
  if (stream?.kmsKeyArn === undefined || action === undefined) return [];
  return [
    { action, region: stream.region, resource: stream.kmsKeyArn, bounds: { via: viaKinesis(stream.region) } },
  ];
}

export interface Evaluated {
  /** Different calls that were judged. */
  readonly judged: number;
  /** Uses of keys among them. */
  readonly keys: number;
  readonly denied: readonly string[];
}

const placeOf = ({ who, region }: Call): string => `${who} ${region}`;

/** An iterator of which the record does not know the stream is of one that the same caller asked iterators of. */
function withResource(call: Call, iterated: ReadonlyMap<string, readonly Call[]>): readonly Call[] {
  if (call.operation !== 'GetRecords' || call.resource !== undefined) return [call];
  const streams = (iterated.get(placeOf(call)) ?? []).map(({ resource }) => resource);
  return streams.length === 0 ? [call] : [...new Set(streams)].map((resource) => ({ ...call, resource }));
}

/** Judges each recorded call, once for all that are alike. */
export async function evaluate(calls: readonly Call[], evaluation: Evaluation): Promise<Evaluated> {
  const { account } = evaluation;
  const iterated = Map.groupBy(
    calls.filter(({ operation, resource }) => operation === 'GetShardIterator' && resource !== undefined),
    placeOf,
  );
  const distinct = new Map<string, { readonly who: string; readonly asked: AskedCall }>();
  for (const call of calls.filter((one) => !isCheckerRequest(one))) {
    for (const named of withResource(call, iterated)) {
      const asked = askedOf(named, account);
      if (asked === undefined) continue;
      for (const one of [asked, ...keyQuestions(asked, evaluation)]) {
        distinct.set(`${call.who} ${inWords(one)}`, { who: call.who, asked: one });
      }
    }
  }
  const denied: string[] = [];
  for (const [said, { who, asked }] of distinct) {
    const policies = policiesOf(who, evaluation);
    const allowed = policies !== undefined && (await isAllowedCall(asked, { account, policies }));
    if (!allowed) denied.push(said);
  }
  const keys = [...distinct.values()].filter(({ asked }) => asked.action.startsWith('kms:')).length;
  return { judged: distinct.size, keys, denied };
}

/** Calls that know no resources are about everything. */
const withoutResources =
  /^(cloudwatch:|sqs:|cognito-idp:|route53:GetAccountLimit|lambda:(GetAccountSettings|ListEventSourceMappings))/;

async function isAllowedCall(
  { action, resource, bounds }: AskedCall,
  { account, policies }: { readonly account: string; readonly policies: readonly Policy[] },
): Promise<boolean> {
  // Whatever a request does not name cannot be judged, and is no call that a role is for.
  const about = resource ?? (withoutResources.test(action) ? '*' : undefined);
  if (about === undefined) return false;
  const context = Object.fromEntries(
    (Object.entries(bounds) as [keyof typeof boundKeys, string][]).map(([bound, value]) => [
      boundKeys[bound],
      hasManyValues(bound) ? [value] : value,
    ]),
  );
  return isAllowed({ account, action, resource: about, context, policies });
}
