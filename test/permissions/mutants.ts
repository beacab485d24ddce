import { problemsOf, type Scope } from './check.ts';
import { deployedFrom, type Resource, type StackTemplate, type Template } from './deployed.ts';
import { endpointMutants } from './endpoint-mutants.ts';
import type { Deployment } from './expected.ts';
import type { Mutant } from './mutant.ts';

/** A kind of mutants. Those of other things than templates join the list with a `firstRed` of their own. */
export interface MutantKind {
  readonly kind: string;
  readonly breaks: string;
  readonly mutants: (world: World) => readonly Mutant[];
}

export interface World {
  readonly deployment: Deployment;
  readonly stacks: readonly StackTemplate[];
}

interface RawStatement {
  readonly Action: string | readonly string[];
  readonly Resource?: unknown;
  readonly Condition?: unknown;
}
interface Found {
  readonly stack: StackTemplate;
  readonly id: string;
  readonly resource: Resource;
}
interface FoundStatement extends Found {
  readonly n: number;
  readonly statement: RawStatement;
}

const actionsOf = ({ Action }: RawStatement): readonly string[] =>
  typeof Action === 'string' ? [Action] : Action;
const statementsIn = ({ Properties = {} }: Resource): readonly RawStatement[] =>
  (Properties.PolicyDocument as { readonly Statement: readonly RawStatement[] }).Statement;

const found = ({ stacks }: World, types: readonly string[]): readonly Found[] =>
  stacks.flatMap((stack) =>
    Object.entries(stack.template.Resources).flatMap(([id, resource]) =>
      types.includes(resource.Type) ? [{ stack, id, resource }] : [],
    ),
  );
const IDENTITY = ['AWS::IAM::Policy', 'AWS::IAM::ManagedPolicy'];
const statements = (world: World, types = IDENTITY): readonly FoundStatement[] =>
  found(world, types).flatMap((one) =>
    statementsIn(one.resource).map((statement, n) => ({ ...one, n, statement })),
  );

type Change = (template: Template) => Template;
const withResource = (id: string, change: (resource: Resource) => Resource | undefined): Change => {
  return (template) => {
    const { [id]: old, ...rest } = template.Resources;
    const changed = old === undefined ? undefined : change(old);
    return { Resources: changed === undefined ? rest : { ...rest, [id]: changed } };
  };
};
const withProperties =
  (change: (properties: Readonly<Record<string, unknown>>) => Readonly<Record<string, unknown>>) =>
  (resource: Resource): Resource => ({ ...resource, Properties: change(resource.Properties ?? {}) });
const withStatements = (
  key: string,
  change: (statement: RawStatement, n: number) => RawStatement | undefined,
): ((resource: Resource) => Resource) =>
  withProperties((properties) => {
    const document = properties[key] as { readonly Statement: readonly RawStatement[] };
    const Statement = document.Statement.flatMap((statement, n) => change(statement, n) ?? []);
    return { ...properties, [key]: { ...document, Statement } };
  });
const withStatement = (
  { id, n }: FoundStatement,
  change: (statement: RawStatement) => RawStatement | undefined,
): Change =>
  withResource(
    id,
    withStatements('PolicyDocument', (statement, at) => (at === n ? change(statement) : statement)),
  );
const without = (statement: RawStatement, action: string): RawStatement | undefined => {
  const Action = actionsOf(statement).filter((one) => one !== action);
  return Action.length === 0 ? undefined : { ...statement, Action };
};

interface Broken {
  readonly kind: string;
  readonly name: string;
  readonly change: Change;
  /** Absent: every stack. */
  readonly stack?: StackTemplate;
  readonly scope?: Scope;
}

function mutant({ deployment, stacks }: World, { kind, name, change, stack, scope }: Broken): Mutant {
  return {
    kind,
    name,
    firstRed: async () => {
      const changed = stacks.map((one) =>
        stack === undefined || one === stack ? { ...one, template: change(one.template) } : one,
      );
      const deployed = deployedFrom(changed, deployment.account);
      const [first] = await problemsOf({ deployment, deployed, ...(scope === undefined ? {} : { scope }) });
      return first;
    },
  };
}

/** What a changed statement may change: the answers about these actions, to the roles that have the policy. */
function scopeOf({ stack, resource, statement }: FoundStatement, actions = actionsOf(statement)): Scope {
  if (resource.Type === 'AWS::IAM::ManagedPolicy') return { part: 'writers', actions };
  const ids = ((resource.Properties?.Roles ?? []) as readonly { readonly Ref: string }[]).map(
    ({ Ref }) => `${stack.stack}/${Ref}`,
  );
  return { part: 'roles', roles: ({ id }) => ids.includes(id), actions };
}
const trustOf = (one: Found): Scope => ({ part: 'trust', roles: ({ id }) => id === where(one) });

const where = ({ stack, id }: Found): string => `${stack.stack}/${id}`;
const inWords = (value: unknown): string => JSON.stringify(value).replaceAll(/^"|"$/g, '');
const listOf = (value: unknown): readonly unknown[] => (Array.isArray(value) ? value : [value]);

/** Rights that are in no template of this deployment without the one named. */
const everywhere = (
  world: World,
  name: string,
  { gone, scope }: { readonly gone: (action: string, one: Found) => boolean; readonly scope: Scope },
): Mutant =>
  mutant(world, {
    kind: 'named',
    name,
    scope,
    change: (template) => ({
      Resources: Object.fromEntries(
        Object.entries(template.Resources).map(([id, resource]) => {
          const of = world.stacks.find((stack) => stack.template === template);
          if (of === undefined || !IDENTITY.includes(resource.Type)) return [id, resource];
          const one = { stack: of, id, resource };
          const kept = withStatements('PolicyDocument', (statement) => {
            const Action = actionsOf(statement).filter((action) => !gone(action, one));
            return Action.length === 0 ? undefined : { ...statement, Action };
          });
          return [id, kept(resource)];
        }),
      ),
    }),
  });

export const mutantKinds: readonly MutantKind[] = [
  {
    kind: 'named',
    breaks: 'what once went unnoticed',
    mutants: (world) => [
      everywhere(world, 'the role of the vote function is empty', {
        gone: (_action, { resource }) =>
          JSON.stringify(resource.Properties?.Roles ?? '').includes('VoteRole'),
        scope: { part: 'roles', roles: ({ id }) => id.includes('VoteRole') },
      }),
      ...['kinesis:GetRecords', 'dynamodb:Query', 'states:StartExecution'].map((right) =>
        everywhere(world, `no role has ${right}`, {
          gone: (action) => action === right,
          scope: { part: 'roles', actions: [right] },
        }),
      ),
    ],
  },
  {
    kind: 'action',
    breaks: 'one action of one statement is gone',
    mutants: (world) =>
      statements(world).flatMap((one) =>
        actionsOf(one.statement).map((action) =>
          mutant(world, {
            kind: 'action',
            name: `${where(one)} statement ${one.n} without ${action}`,
            stack: one.stack,
            change: withStatement(one, (statement) => without(statement, action)),
            scope: scopeOf(one, [action]),
          }),
        ),
      ),
  },
  {
    kind: 'resource',
    breaks: 'one of the resources of a statement is gone',
    mutants: (world) =>
      statements(world).flatMap((one) => {
        const resources = listOf(one.statement.Resource);
        if (resources.length < 2) return [];
        return resources.flatMap((resource) =>
          isVersions(one.statement, resource)
            ? []
            : mutant(world, {
                kind: 'resource',
                name: `${where(one)} statement ${one.n} without ${inWords(resource)}`,
                stack: one.stack,
                scope: scopeOf(one),
                change: withStatement(one, (statement) => ({
                  ...statement,
                  Resource: resources.filter((other) => other !== resource),
                })),
              }),
        );
      }),
  },
  {
    kind: 'condition',
    breaks: 'the condition of a statement is gone',
    mutants: (world) =>
      statements(world).flatMap((one) =>
        one.statement.Condition === undefined
          ? []
          : mutant(world, {
              kind: 'condition',
              name: `${where(one)} statement ${one.n} without its condition`,
              stack: one.stack,
              scope: scopeOf(one),
              change: withStatement(one, ({ Condition: _condition, ...statement }) => statement),
            }),
      ),
  },
  {
    kind: 'everything',
    breaks: 'a statement is about everything',
    mutants: (world) =>
      statements(world).flatMap((one) =>
        isAboutAll(one.statement.Resource)
          ? []
          : mutant(world, {
              kind: 'everything',
              name: `${where(one)} statement ${one.n} about *`,
              stack: one.stack,
              scope: scopeOf(one),
              change: withStatement(one, (statement) => ({ ...statement, Resource: '*' })),
            }),
      ),
  },
  {
    kind: 'permission',
    breaks: 'what AWS may call: a permission is gone, or is for every rule',
    mutants: (world) =>
      found(world, ['AWS::Lambda::Permission']).flatMap((one) => [
        mutant(world, {
          kind: 'permission',
          name: `${where(one)} is gone`,
          stack: one.stack,
          scope: { part: 'resources' },
          change: withResource(one.id, () => undefined),
        }),
        ...['SourceArn', 'InvokedViaFunctionUrl'].flatMap((key) =>
          one.resource.Properties?.[key] === undefined
            ? []
            : mutant(world, {
                kind: 'permission',
                name: `${where(one)} without ${key}`,
                stack: one.stack,
                scope: { part: 'resources' },
                change: withResource(
                  one.id,
                  withProperties(({ [key]: _gone, ...properties }) => properties),
                ),
              }),
        ),
      ]),
  },
  {
    kind: 'topic',
    breaks: 'a statement of a topic’s policy, or its condition, is gone',
    mutants: (world) =>
      statements(world, ['AWS::SNS::TopicPolicy']).flatMap((one) => [
        mutant(world, {
          kind: 'topic',
          name: `${where(one)} without statement ${one.n}`,
          stack: one.stack,
          scope: { part: 'resources' },
          change: withStatement(one, () => undefined),
        }),
        mutant(world, {
          kind: 'topic',
          name: `${where(one)} statement ${one.n} without its condition`,
          stack: one.stack,
          scope: { part: 'resources' },
          change: withStatement(one, ({ Condition: _condition, ...statement }) => statement),
        }),
      ]),
  },
  {
    kind: 'trust',
    breaks: 'nobody, or everybody of the account, may use a role',
    mutants: (world) =>
      found(world, ['AWS::IAM::Role']).flatMap((one) => [
        mutant(world, {
          kind: 'trust',
          name: `${where(one)} is for nobody`,
          stack: one.stack,
          scope: trustOf(one),
          change: withResource(
            one.id,
            withStatements('AssumeRolePolicyDocument', (statement) => ({
              ...statement,
              Principal: { Service: 'nobody.amazonaws.com' },
            })),
          ),
        }),
        mutant(world, {
          kind: 'trust',
          name: `${where(one)} is for the account`,
          stack: one.stack,
          scope: trustOf(one),
          change: withResource(
            one.id,
            withStatements('AssumeRolePolicyDocument', (statement) => ({
              ...statement,
              Principal: { AWS: `arn:aws:iam::${world.deployment.account}:root` },
            })),
          ),
        }),
      ]),
  },
  {
    kind: 'endpoint',
    breaks: 'a health check asks a dead URL, or a function may not read its table',
    mutants: ({ deployment }) => endpointMutants(deployment.config),
  },
];

/** `FUNCTION:*`: the CDK names the versions of a function beside the function. There are none. */
const isVersions = (statement: RawStatement, resource: unknown): boolean =>
  actionsOf(statement).includes('lambda:InvokeFunction') && inWords(resource).includes('":*"');

/** Every mutant of a deployment. */
export const mutantsOf = (world: World): readonly Mutant[] =>
  mutantKinds.flatMap(({ mutants }) => mutants(world));

/** Every resource of a kind without account and region: for an action that knows no other kind, `*` is the same. */
const isAboutAll = (resource: unknown): boolean =>
  resource === '*' || (typeof resource === 'string' && /^arn:aws:[a-z0-9]+:::[a-z]+\/\*$/.test(resource));
