import { beaconWriterPolicyName } from '../../lambda/core/names.ts';
import { beaconRights, USER_ID } from '../../lib/permissions/producer.ts';
import { type Requirement, requirementsOf } from '../../lib/permissions/requirements.ts';
import type { Deployed, DeployedRole, Policy } from './deployed.ts';
import { type Deployment, type ExpectedRole, expectedRoles, tableKeys } from './expected.ts';
import { isAllowed } from './judge.ts';
import { isAsked, type Question, questionsOf } from './questions.ts';
import { resourceProblems } from './resource-policies.ts';

export interface Check {
  readonly deployment: Deployment;
  readonly deployed: Deployed;
  /** What may have changed: the rest is not asked again. Default: everything may have. */
  readonly scope?: Scope;
}

/** A part of the check. What is a problem in a part is one in the whole. */
export interface Scope {
  /** Policies of roles, who may use roles, the policy of writers of beacons, or policies of functions and topics. */
  readonly part: 'roles' | 'trust' | 'writers' | 'resources';
  readonly roles?: (role: DeployedRole) => boolean;
  readonly actions?: readonly string[];
}

/** Whether the deployed roles allow exactly what the tables ask for: nothing is missing, and nothing is unused. */
export async function problemsOf(check: Check): Promise<readonly string[]> {
  const { deployment, deployed, scope } = check;
  const expected = expectedRoles(deployment);
  const questions = questionsOf(expected.flatMap(({ requirements }) => requirements)).filter(
    ({ action }) => scope?.actions?.includes(action) ?? true,
  );
  const has = (part: Scope['part']): boolean => scope === undefined || scope.part === part;
  const problems: string[] = [];
  for (const role of expected) {
    const found = deployed.roles.filter(
      ({ holders, region }) => region === role.region && holders.includes(role.holder),
    );
    if (found.length !== 1) problems.push(`${role.who} has ${found.length} roles`);
    for (const one of found) {
      if (scope?.roles?.(one) === false) continue;
      if (has('trust')) problems.push(...(await trustProblems(role, one, deployment)));
      if (has('roles')) problems.push(...(await roleProblems(role, one, { questions, deployment })));
    }
  }
  return [
    ...problems,
    ...unknownRoles(deployed, expected),
    ...(has('writers') ? await writerProblems(check, questions) : []),
    ...(has('resources') ? await resourceProblems(deployment, deployed) : []),
  ];
}

function unknownRoles({ roles }: Deployed, expected: readonly ExpectedRole[]): readonly string[] {
  return roles.flatMap(({ id, region, holders }) => {
    const isKnown = expected.some((role) => role.region === region && holders.includes(role.holder));
    return [
      ...(isKnown ? [] : [`${id} is a role that no table knows`]),
      ...(holders.length > 1 ? [`${id} is shared by ${holders.join(' and ')}`] : []),
    ];
  });
}

/** Whose beacons the managed policy lets a caller write: its own name is a variable of the policy. */
const CALLER = 'AROAEXAMPLE:task-1';
const asCaller = (one: Requirement): Requirement => ({
  ...one,
  bounds: {
    ...one.bounds,
    partition: (one.bounds.partition ?? []).map((key) => (key === USER_ID ? CALLER : key)),
  },
});

/** The managed policy that producers attach. */
async function writerProblems(
  { deployment, deployed }: Check,
  questions: readonly Question[],
): Promise<readonly string[]> {
  const { config, account, encryptionKeyArns = {} } = deployment;
  const writers = [...deployed.managedPolicies.keys()].toString();
  const expected = config.beacons === undefined ? '' : beaconWriterPolicyName(config.name);
  if (writers !== expected) return [`managed policies are [${writers}], and should be [${expected}]`];
  const policy = deployed.managedPolicies.get(expected);
  if (policy === undefined) return [];
  const { standby } = config.regions;
  const keys = Object.entries(encryptionKeyArns).filter(([region]) => region === standby);
  const requirements = [
    ...requirementsOf(beaconRights, { config, account, region: standby }).map(asCaller),
    ...tableKeys(Object.fromEntries(keys)),
  ];
  const problems: string[] = [];
  const maybe = actionsOf(requirements, [policy]);
  for (const question of [...questions, ...questionsOf(requirements)]) {
    if (!maybe(question.action)) continue;
    const asked = isAsked(requirements, question);
    const context = { ...question.context, 'aws:userid': CALLER };
    const allowed = await isAllowed({ ...question, context, account, policies: [policy] });
    if (asked !== allowed) {
      problems.push(`writers of beacons ${asked ? 'may not' : 'may, and need not,'} ${inWords(question)}`);
    }
  }
  return problems;
}

async function roleProblems(
  role: ExpectedRole,
  { policies }: DeployedRole,
  {
    questions,
    deployment: { account },
  }: { readonly questions: readonly Question[]; readonly deployment: Deployment },
): Promise<readonly string[]> {
  const problems: string[] = [];
  const maybe = actionsOf(role.requirements, policies);
  for (const question of questions) {
    if (!maybe(question.action)) continue;
    const asked = isAsked(role.requirements, question);
    const allowed = await isAllowed({ ...question, account, policies });
    if (asked === allowed) continue;
    problems.push(`${role.who} ${asked ? 'may not' : 'may, and need not,'} ${inWords(question)}`);
  }
  return problems;
}

/** Whether somebody asks for an action, or some policy names it: of all others the answer is no. */
function actionsOf(
  requirements: readonly Requirement[],
  policies: readonly Policy[],
): (action: string) => boolean {
  const statements = policies.flatMap(({ Statement }) => Statement);
  const named = statements.flatMap(({ Action }) => Action);
  if (named.some((action) => action.includes('*'))) return () => true;
  const all = new Set([...named, ...requirements.flatMap(({ actions }) => actions)]);
  return (action) => all.has(action);
}

/** Whether the service, and no other, may use the role. */
async function trustProblems(
  { who, service }: ExpectedRole,
  found: DeployedRole,
  { account }: Deployment,
): Promise<readonly string[]> {
  const resource = `arn:aws:iam::${account}:role/${found.id.replace('/', '-')}`;
  const context = {
    'aws:SourceAccount': account,
    'aws:SourceArn': `arn:aws:states:${found.region}:${account}:stateMachine:any`,
  };
  const ask = (principal: string): Promise<boolean> =>
    isAllowed({
      account,
      action: 'sts:AssumeRole',
      resource,
      context,
      principal,
      resourcePolicy: found.trust,
    });
  const problems: string[] = [];
  if (!(await ask(service))) problems.push(`${who} may not be used by ${service}`);
  if (await ask('ec2.amazonaws.com')) problems.push(`${who} may be used by ec2.amazonaws.com`);
  if (await ask(`arn:aws:iam::${account}:role/somebody`)) problems.push(`${who} may be used by roles`);
  return problems;
}

const inWords = ({ action, resource, bounds }: Question): string =>
  [action, 'on', resource, ...Object.entries(bounds).flat()].join(' ');
