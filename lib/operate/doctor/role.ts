import type { EvaluationResult, SimulatePrincipalPolicyCommandInput } from '@aws-sdk/client-iam';
import { rightsFor } from '../../permissions/policy.ts';
import { USER_ID } from '../../permissions/producer.ts';
import { type Bound, boundKeys, type Requirement, requirementsOf } from '../../permissions/requirements.ts';
import type { AwsClients } from '../clients.ts';
import { named } from '../named.ts';
import {
  type Check,
  type DoctorContext,
  type ExaminedRole,
  type Finding,
  type Found,
  ill,
  well,
} from './check.ts';

const CHECK = 'role';
/** IAM has one control plane, for every region. */
const IAM_REGION = 'us-east-1';
/** Pairs of an action and a resource in one question; an answer has at most a thousand. */
const MOST_RESOURCES = 25;
const MOST_QUESTIONS = 40;
const MAX_PAGES = 10;
/** Whoever the caller is: the policy of beacons is about its own name, whatever that is. */
const SOMEBODY = 'AROAEXAMPLE:somebody';

/** Checks that a role may do all that a producer, a consumer or an operator has to do: before the moment at which it counts. */
export const roleCheck: Check = {
  check: CHECK,
  purpose: 'the role may do what it has to do, in both regions',
  region: () => IAM_REGION,
  run: async (context) => (context.role === undefined ? [] : examineRole(context, context.role)),
};

/** What the role lacks. */
interface Lack {
  readonly action: string;
  readonly resource: string;
  /** True: some policy denies it; false: none allows it. */
  readonly denied: boolean;
}

async function examineRole(
  { clients, config }: DoctorContext,
  { arn, as }: ExaminedRole,
): Promise<readonly Found[]> {
  const account = arn.split(':')[4] ?? '';
  const where = { config, account, region: config.regions.standby };
  const questions = questionsOf(requirementsOf(rightsFor(as), where));
  const asked = questions.slice(0, MOST_QUESTIONS);
  try {
    const lacks = await simulate(clients, { arn, questions: asked });
    return [...roleFindings({ arn, as, lacks }), ...notAsked(arn, questions.length - asked.length)];
  } catch (error) {
    if (error instanceof Error && error.name.startsWith('NoSuchEntity')) {
      return [
        ill(CHECK, `${arn} does not exist`, 'Correct the ARN: a role of the account of these credentials.'),
      ];
    }
    return [{ check: CHECK, region: IAM_REGION, what: arn, error }];
  }
}

/** Pure. */
export function roleFindings({
  arn,
  as,
  lacks,
}: ExaminedRole & { readonly lacks: readonly Lack[] }): readonly Finding[] {
  const beside = 'policies of keys, of streams of other accounts and of VPC endpoints are not looked at';
  if (lacks.length === 0) {
    return [well(CHECK, `${arn} may do what a ${as} does, as far as policies of IAM say (${beside})`)];
  }
  const byDenial = Map.groupBy(lacks, ({ denied }) => denied);
  return [...byDenial].map(([denied, some]) => {
    const actions = [...Map.groupBy(some, ({ action }) => action)].map(
      ([action, on]) => `${action} on ${named(on.map(({ resource }) => resource))}`,
    );
    return ill(
      CHECK,
      `${arn} ${denied ? 'is denied' : 'lacks'} ${actions.join('; ')}`,
      denied
        ? 'Find the policy that denies it: of the role, its permissions boundary, or the organization.'
        : `Allow it: spillway policy ${as} prints the whole policy.`,
    );
  });
}

const notAsked = (arn: string, questions: number): readonly Finding[] =>
  questions <= 0
    ? []
    : [
        ill(
          CHECK,
          `${arn}: ${questions} questions more would be too many, and were not asked`,
          'Look at it with a config of fewer cells.',
        ),
      ];

type Question = Pick<SimulatePrincipalPolicyCommandInput, 'ActionNames' | 'ResourceArns' | 'ContextEntries'>;

/** A question for each value of a bound: one that holds several at once would be about a request that names several. */
function questionsOf(requirements: readonly Requirement[]): readonly Question[] {
  return requirements.flatMap(({ actions, resources, bounds }) => {
    const [bound, values = []] = (Object.entries(bounds)[0] ?? []) as [Bound?, (readonly string[])?];
    const contexts = bound === undefined ? [[]] : values.map((value) => contextOf(bound, value));
    return chunks(resources.map(instance)).flatMap((ResourceArns) =>
      contexts.map((ContextEntries) => ({ ActionNames: [...actions], ResourceArns, ContextEntries })),
    );
  });
}

function contextOf(bound: Bound, value: string): NonNullable<Question['ContextEntries']> {
  const entry = (ContextKeyName: string, one: string, list = false) => ({
    ContextKeyName,
    ContextKeyType: list ? ('stringList' as const) : ('string' as const),
    ContextKeyValues: [one],
  });
  const key = value === USER_ID ? SOMEBODY : value;
  const own = bound === 'partition' ? [entry('aws:userid', SOMEBODY)] : [];
  return [entry(boundKeys[bound], key, bound === 'partition'), ...own];
}

/** IAM is asked about things, not about patterns. */
const instance = (arn: string): string => (arn === '*' ? arn : arn.replaceAll('*', 'any'));

const chunks = (resources: readonly string[]): readonly string[][] =>
  Array.from({ length: Math.ceil(resources.length / MOST_RESOURCES) }, (_, n) =>
    resources.slice(n * MOST_RESOURCES, (n + 1) * MOST_RESOURCES),
  );

/** Asks IAM, one question after the other: its API allows few calls a second. @throws what the SDK throws */
async function simulate(
  clients: AwsClients,
  { arn, questions }: { readonly arn: string; readonly questions: readonly Question[] },
): Promise<readonly Lack[]> {
  // Few commands need the package.
  const { IAMClient, SimulatePrincipalPolicyCommand } = await import('@aws-sdk/client-iam');
  const client = clients.other(IAMClient, IAM_REGION);
  const lacks: Lack[] = [];
  for (const question of questions) {
    let marker: string | undefined;
    for (let page = 0; page < MAX_PAGES; page++) {
      const { EvaluationResults = [], Marker } = await client.send(
        new SimulatePrincipalPolicyCommand({
          PolicySourceArn: arn,
          ...question,
          ...(marker === undefined ? {} : { Marker: marker }),
        }),
      );
      lacks.push(...EvaluationResults.flatMap(lacksIn));
      marker = Marker;
      if (marker === undefined) break;
    }
  }
  return distinct(lacks);
}

function lacksIn(result: EvaluationResult): readonly Lack[] {
  const { EvalActionName: action = '', EvalDecision, EvalResourceName: resource = '*' } = result;
  const single = { resource, decision: EvalDecision };
  const each = result.ResourceSpecificResults?.map(({ EvalResourceName, EvalResourceDecision }) => ({
    resource: EvalResourceName ?? '*',
    decision: EvalResourceDecision,
  }));
  return (each === undefined || each.length === 0 ? [single] : each).flatMap((one) =>
    one.decision === 'allowed'
      ? []
      : [{ action, resource: one.resource, denied: one.decision === 'explicitDeny' }],
  );
}

const distinct = (lacks: readonly Lack[]): readonly Lack[] => [
  ...new Map(lacks.map((lack) => [`${lack.action} ${lack.resource}`, lack])).values(),
];
