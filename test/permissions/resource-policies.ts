import { anonymousPrincipal } from '@cloud-copilot/iam-simulate';
import {
  conductorFunctionName,
  drillFunctionName,
  monitorFunctionName,
  notificationTopicName,
  observerFunctionName,
  surveyFunctionName,
  switchFunctionName,
  voteFunctionName,
} from '../../lambda/core/names.ts';
import { observerRegions } from '../../lib/config/config.ts';
import type { Deployed, Policy } from './deployed.ts';
import type { Deployment } from './expected.ts';
import { isAllowed, type Judged } from './judge.ts';

interface Expected {
  readonly said: string;
  readonly asked: Omit<Judged, 'account' | 'policies'>;
  readonly allowed: boolean;
}

/** What AWS itself, and everybody, may do with functions and topics, by the policies of these. */
export async function resourceProblems(
  deployment: Deployment,
  deployed: Deployed,
): Promise<readonly string[]> {
  const { account } = deployment;
  const expected = expectations(deployment, deployed);
  const problems: string[] = [];
  for (const { said, asked, allowed } of expected) {
    const policy = policyOf(deployed, asked.resource);
    const answer = await isAllowed({ ...asked, account, resourcePolicy: policy });
    if (answer !== allowed) problems.push(`${said} ${allowed ? 'may not' : 'may'} ${asked.action}`);
  }
  const known = new Set(expected.map(({ asked }) => asked.resource));
  for (const { id, arn } of deployed.resourcePolicies) {
    if (!known.has(arn)) problems.push(`${id} is about ${arn}, which no table knows`);
  }
  return problems;
}

const policyOf = ({ resourcePolicies }: Deployed, resource: string): Policy => ({
  Version: '2012-10-17',
  Statement: resourcePolicies.flatMap(({ arn, policy }) => (arn === resource ? policy.Statement : [])),
});

function expectations({ config, account }: Deployment, deployed: Deployed): readonly Expected[] {
  const { name, regions } = config;
  const { standby } = regions;
  const all = observerRegions(regions);
  const functionArn = (region: string, functionName: string): string =>
    `arn:aws:lambda:${region}:${account}:function:${functionName}`;
  const scheduled = [
    ...all.map((region) => functionArn(region, observerFunctionName(name))),
    ...[monitorFunctionName(name), surveyFunctionName(name)].map((one) => functionArn(standby, one)),
    ...(config.drill === undefined ? [] : [functionArn(standby, drillFunctionName(name))]),
  ];
  const endpoints = [
    ...all.map((region) => functionArn(region, voteFunctionName(name))),
    functionArn(standby, switchFunctionName(name)),
  ];
  return [
    ...scheduled.flatMap((arn) => byRules(arn, deployed)),
    ...endpoints.flatMap(byCheckers),
    ...noBody(functionArn(standby, conductorFunctionName(name))),
    ...all.flatMap((region) =>
      byAlarms(`arn:aws:sns:${region}:${account}:${notificationTopicName(name)}`, name, account),
    ),
  ];
}

/** The rule that starts a function, and no other. */
function byRules(resource: string, { targets }: Deployed): readonly Expected[] {
  const action = 'lambda:InvokeFunction';
  const principal = 'events.amazonaws.com';
  const own = targets.filter(({ target }) => target === resource).map(({ rule }) => rule);
  const [region = '', account = ''] = resource.split(':').slice(3, 5);
  const other = `arn:aws:events:${region}:${account}:rule/another`;
  const ask = (rule: string, allowed: boolean): Expected => ({
    said: `the rule ${rule}`,
    asked: { action, principal, resource, context: { 'aws:SourceArn': rule } },
    allowed,
  });
  if (own.length === 0) return [{ ...ask('that starts it', true), said: `no rule starts ${resource}:` }];
  return [...own.map((rule) => ask(rule, true)), ask(other, false), ...noBody(resource)];
}

/** Nobody without credentials. */
const noBody = (resource: string): readonly Expected[] => [
  {
    said: 'everybody',
    asked: { action: 'lambda:InvokeFunction', principal: anonymousPrincipal, resource },
    allowed: false,
  },
];

/** Since October 2025 a public URL needs both permissions; and nobody calls the function but through its URL. */
const byCheckers = (resource: string): readonly Expected[] => [
  {
    said: 'Route 53’s checkers',
    asked: {
      action: 'lambda:InvokeFunctionUrl',
      principal: anonymousPrincipal,
      resource,
      context: { 'lambda:FunctionUrlAuthType': 'NONE' },
    },
    allowed: true,
  },
  {
    said: 'Route 53’s checkers, through the URL,',
    asked: {
      action: 'lambda:InvokeFunction',
      principal: anonymousPrincipal,
      resource,
      context: { 'lambda:InvokedViaFunctionUrl': 'true' },
    },
    allowed: true,
  },
  ...noBody(resource),
];

/** Alarms of this deployment, over TLS. */
function byAlarms(resource: string, name: string, account: string): readonly Expected[] {
  const region = resource.split(':')[3] ?? '';
  const ask = (said: string, alarm: string, allowed: boolean, secure = 'true'): Expected => ({
    said,
    asked: {
      action: 'sns:Publish',
      principal: 'cloudwatch.amazonaws.com',
      resource,
      context: {
        'aws:SourceArn': `arn:aws:cloudwatch:${region}:${account}:alarm:${alarm}`,
        'aws:SourceAccount': account,
        'aws:SecureTransport': secure,
      },
    },
    allowed,
  });
  return [
    ask('an alarm', `${name}-evacuated`, true),
    ask('an alarm of somebody else', 'another', false),
    ask('an alarm over plain HTTP', `${name}-evacuated`, false, 'false'),
  ];
}
