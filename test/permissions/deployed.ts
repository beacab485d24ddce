// Templates as CloudFormation would deploy them: references become ARNs, and roles are found by what has them.

export interface Template {
  readonly Resources: Readonly<Record<string, Resource>>;
}
export interface Resource {
  readonly Type: string;
  readonly Properties?: Readonly<Record<string, unknown>>;
}
/** A template with the region in which it is deployed. */
export interface StackTemplate {
  readonly stack: string;
  readonly region: string;
  readonly template: Template;
}

export interface Statement {
  readonly Effect: string;
  readonly Action: string | readonly string[];
  readonly Resource?: string | readonly string[];
  readonly Principal?: unknown;
  readonly Condition?: Readonly<Record<string, Readonly<Record<string, unknown>>>>;
}
export interface Policy {
  readonly Version: string;
  readonly Statement: readonly Statement[];
}

/** A role with its policies, and who has it. */
export interface DeployedRole {
  /** Stack and logical id. */
  readonly id: string;
  readonly region: string;
  /** Physical names of the functions and state machines that have the role. */
  readonly holders: readonly string[];
  readonly policies: readonly Policy[];
  readonly trust: Policy;
}

/** A policy of a resource: who may do something with it. */
export interface ResourcePolicy {
  readonly id: string;
  readonly arn: string;
  readonly policy: Policy;
}

export interface Deployed {
  readonly roles: readonly DeployedRole[];
  readonly resourcePolicies: readonly ResourcePolicy[];
  /** Policies that roles of others attach. */
  readonly managedPolicies: ReadonlyMap<string, Policy>;
  /** What rules of Events start. */
  readonly targets: readonly { readonly rule: string; readonly target: string }[];
}

interface Place {
  readonly account: string;
  readonly region: string;
  readonly template: Template;
}

/** Where a physical name is, and the ARN that it makes. */
const arnForms: Readonly<Record<string, { readonly name: string; readonly arn: (name: string) => string }>> =
  {
    'AWS::DynamoDB::Table': { name: 'TableName', arn: (name) => `dynamodb:REGION:ACCOUNT:table/${name}` },
    'AWS::Lambda::Function': {
      name: 'FunctionName',
      arn: (name) => `lambda:REGION:ACCOUNT:function:${name}`,
    },
    'AWS::Events::Rule': { name: 'Name', arn: (name) => `events:REGION:ACCOUNT:rule/${name}` },
    'AWS::SNS::Topic': { name: 'TopicName', arn: (name) => `sns:REGION:ACCOUNT:${name}` },
    'AWS::StepFunctions::StateMachine': {
      name: 'StateMachineName',
      arn: (name) => `states:REGION:ACCOUNT:stateMachine:${name}`,
    },
    'AWS::Logs::LogGroup': {
      name: 'LogGroupName',
      arn: (name) => `logs:REGION:ACCOUNT:log-group:${name}:*`,
    },
    'AWS::Kinesis::Stream': { name: 'Name', arn: (name) => `kinesis:REGION:ACCOUNT:stream/${name}` },
    'AWS::IAM::Role': { name: 'RoleName', arn: (name) => `iam::ACCOUNT:role/${name}` },
  };

function arnOf(logicalId: string, { account, region, template }: Place): string {
  const resource = template.Resources[logicalId];
  const form = arnForms[resource?.Type ?? ''];
  if (resource === undefined || form === undefined) throw new Error(`no ARN is known of ${logicalId}`);
  const name = resource.Properties?.[form.name];
  return `arn:aws:${form.arn(typeof name === 'string' ? name : logicalId)}`
    .replace('REGION', region)
    .replace('ACCOUNT', account);
}

type Intrinsic = (argument: unknown, place: Place) => unknown;
const pseudo: Readonly<Record<string, (place: Place) => string>> = {
  'AWS::AccountId': ({ account }) => account,
  'AWS::Region': ({ region }) => region,
  'AWS::Partition': () => 'aws',
};
const intrinsics: Readonly<Record<string, Intrinsic>> = {
  Ref: (name, place) => pseudo[String(name)]?.(place) ?? arnOf(String(name), place),
  'Fn::GetAtt': (argument, place) => {
    const [id, attribute] = argument as readonly [string, string];
    if (attribute !== 'Arn') throw new Error(`no value is known of ${id}.${attribute}`);
    return arnOf(id, place);
  },
  'Fn::Join': (argument, place) => {
    const [separator, parts] = argument as readonly [string, readonly unknown[]];
    return parts.map((part) => String(resolved(part, place))).join(separator);
  },
  'Fn::Split': (argument, place) => {
    const [separator, text] = argument as readonly [string, unknown];
    return String(resolved(text, place)).split(separator);
  },
  'Fn::Select': (argument, place) => {
    const [index, list] = argument as readonly [number, unknown];
    return (resolved(list, place) as readonly unknown[])[Number(index)];
  },
};

/** Fills in what CloudFormation fills in. @throws Error for what it does not know */
function resolved(value: unknown, place: Place): unknown {
  if (Array.isArray(value)) return value.map((one) => resolved(one, place));
  if (typeof value !== 'object' || value === null) return value;
  const entries = Object.entries(value);
  const [name = '', argument] = entries[0] ?? [];
  const intrinsic = entries.length === 1 ? intrinsics[name] : undefined;
  if (intrinsic !== undefined) return intrinsic(argument, place);
  return Object.fromEntries(entries.map(([key, one]) => [key, resolved(one, place)]));
}

const idIn = (reference: unknown): string | undefined => {
  if (typeof reference !== 'object' || reference === null) return undefined;
  if ('Ref' in reference) return String(reference.Ref);
  return 'Fn::GetAtt' in reference ? String((reference['Fn::GetAtt'] as readonly string[])[0]) : undefined;
};

export function deployedFrom(stacks: readonly StackTemplate[], account: string): Deployed {
  const roles: DeployedRole[] = [];
  const resourcePolicies: ResourcePolicy[] = [];
  const managedPolicies = new Map<string, Policy>();
  const targets: { readonly rule: string; readonly target: string }[] = [];
  for (const { stack, region, template } of stacks) {
    const place = { account, region, template };
    const resources = Object.entries(template.Resources);
    const policyOf = (document: unknown): Policy => resolved(document, place) as Policy;
    for (const [id, { Type, Properties = {} }] of resources) {
      if (Type === 'AWS::Events::Rule') {
        const started = resolved(Properties.Targets, place) as readonly { readonly Arn: string }[];
        targets.push(...started.map(({ Arn }) => ({ rule: arnOf(id, place), target: Arn })));
      }
      if (Type === 'AWS::IAM::Role') {
        roles.push({
          id: `${stack}/${id}`,
          region,
          holders: resources.flatMap(([, holder]) => holdersOf(holder, id)),
          policies: resources.flatMap(([, policy]) =>
            isPolicyOf(policy, id) ? [policyOf(policy.Properties?.PolicyDocument)] : [],
          ),
          trust: policyOf(Properties.AssumeRolePolicyDocument),
        });
        if ('Policies' in Properties || 'ManagedPolicyArns' in Properties) {
          throw new Error(`${stack}/${id} has policies that nobody here reads`);
        }
      }
      if (Type === 'AWS::IAM::ManagedPolicy') {
        managedPolicies.set(String(Properties.ManagedPolicyName), policyOf(Properties.PolicyDocument));
      }
      if (Type === 'AWS::Lambda::Permission') {
        resourcePolicies.push(permission(`${stack}/${id}`, Properties, place));
      }
      if (Type === 'AWS::SNS::TopicPolicy') {
        const [topic] = resolved(Properties.Topics, place) as readonly [string];
        resourcePolicies.push({
          id: `${stack}/${id}`,
          arn: topic,
          policy: policyOf(Properties.PolicyDocument),
        });
      }
    }
  }
  return { roles, resourcePolicies, managedPolicies, targets };
}

function holdersOf({ Type, Properties = {} }: Resource, roleId: string): readonly string[] {
  if (Type === 'AWS::Lambda::Function' && idIn(Properties.Role) === roleId)
    return [String(Properties.FunctionName)];
  if (Type === 'AWS::StepFunctions::StateMachine' && idIn(Properties.RoleArn) === roleId)
    return [`machine ${String(Properties.StateMachineName)}`];
  return [];
}

const isPolicyOf = ({ Type, Properties = {} }: Resource, roleId: string): boolean =>
  Type === 'AWS::IAM::Policy' &&
  (Properties.Roles as readonly unknown[]).some((role) => idIn(role) === roleId);

/** A permission of Lambda as the statement of a resource policy that it becomes. */
function permission(
  id: string,
  {
    FunctionName,
    Action,
    Principal,
    SourceArn,
    FunctionUrlAuthType,
    InvokedViaFunctionUrl,
  }: Readonly<Record<string, unknown>>,
  place: Place,
): ResourcePolicy {
  const arn = String(resolved(FunctionName, place));
  const conditions = {
    ...(SourceArn === undefined ? {} : { ArnLike: { 'aws:SourceArn': resolved(SourceArn, place) } }),
    ...(FunctionUrlAuthType === undefined
      ? {}
      : { StringEquals: { 'lambda:FunctionUrlAuthType': FunctionUrlAuthType } }),
    ...(InvokedViaFunctionUrl === undefined
      ? {}
      : { Bool: { 'lambda:InvokedViaFunctionUrl': String(InvokedViaFunctionUrl) } }),
  };
  const statement = {
    Effect: 'Allow',
    Principal: Principal === '*' ? '*' : { Service: Principal },
    Action: String(Action),
    Resource: arn,
    ...(Object.keys(conditions).length === 0 ? {} : { Condition: conditions }),
  };
  return { id, arn, policy: { Version: '2012-10-17', Statement: [statement as Statement] } };
}
