import { commandOf, rightsAsked, whereAsked } from '../../permissions/asked.ts';
import { USER_ID } from '../../permissions/producer.ts';
import {
  type Bound,
  boundKeys,
  hasManyValues,
  type Requirement,
  requirementsOf,
} from '../../permissions/requirements.ts';
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
import { IAM_REGION, type Lack, type Question, simulate } from './simulate.ts';

const CHECK = 'role';
/** Resources in one question; an answer has at most a thousand. */
const MOST_RESOURCES = 25;
/** As many as can be asked within the time of a check. */
const MOST_QUESTIONS = 240;
/** Whoever the caller is: the policy of beacons is about its own name, whatever that is. */
const SOMEBODY = 'AROAEXAMPLE:somebody';

/** Checks that a role may do all that a producer, a consumer or an operator has to do: before the moment at which it counts. */
export const roleCheck: Check = {
  check: CHECK,
  purpose: 'the role may do what it has to do, in both regions',
  region: () => IAM_REGION,
  run: async (context) => (context.role === undefined ? [] : examineRole(context, context.role)),
};

async function examineRole(
  { clients, config }: DoctorContext,
  { arn, asked }: ExaminedRole,
): Promise<readonly Found[]> {
  const questions = questionsOf(requirementsOf(rightsAsked(asked), whereAsked(asked, config)));
  const some = questions.slice(0, MOST_QUESTIONS);
  try {
    const lacks = await simulate(clients, { arn, questions: some });
    return [...roleFindings({ arn, asked, lacks }), ...notAsked(arn, questions.length - some.length)];
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
  asked,
  lacks,
}: ExaminedRole & { readonly lacks: readonly Lack[] }): readonly Finding[] {
  const beside = 'policies of keys, of streams of other accounts and of VPC endpoints are not looked at';
  const policy = `what ${commandOf(asked)} prints`;
  if (lacks.length === 0) {
    return [well(CHECK, `${arn} may do ${policy}, as far as policies of IAM say (${beside})`)];
  }
  const byDenial = Map.groupBy(lacks, ({ denied }) => denied);
  return [...byDenial].map(([denied, some]) => {
    const actions = [...Map.groupBy(some, ({ action }) => action)].map(
      ([action, on]) => `${action} on ${named(on.map(({ resource }) => resource))}`,
    );
    return ill(
      CHECK,
      `${arn} ${denied ? 'is denied' : 'lacks'} ${actions.join('; ')} (of ${policy})`,
      denied
        ? 'Find the policy that denies it: of the role, its permissions boundary, or the organization.'
        : `Allow it: ${commandOf(asked)} prints the whole policy.`,
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
          'Ask about some of the cells at a time: --cell.',
        ),
      ];

/**
 * A question for each value of a bound: one that holds several at once would be about a request that names several. Verbs
 * share rights, and nothing is asked twice.
 */
function questionsOf(requirements: readonly Requirement[]): readonly Question[] {
  const all = requirements.flatMap(({ actions, resources, bounds }) => {
    const contexts = contextsOf(Object.entries(bounds) as [Bound, readonly string[]][]);
    return chunks(resources.map(instance)).flatMap((ResourceArns) =>
      contexts.flatMap((ContextEntries) =>
        actions.map((action): Question => ({ action, ResourceArns, ContextEntries })),
      ),
    );
  });
  return [...new Map(all.map((question) => [JSON.stringify(question), question])).values()];
}

type Context = NonNullable<Question['ContextEntries']>;

/** One value of each bound, in every combination. */
const contextsOf = (bounds: readonly (readonly [Bound, readonly string[]])[]): readonly Context[] =>
  bounds.reduce<readonly Context[]>(
    (contexts, [bound, values]) =>
      contexts.flatMap((context) => values.map((value) => [...context, ...contextOf(bound, value)])),
    [[]],
  );

function contextOf(bound: Bound, value: string): Context {
  const entry = (ContextKeyName: string, one: string, list = false) => ({
    ContextKeyName,
    ContextKeyType: list ? ('stringList' as const) : ('string' as const),
    ContextKeyValues: [one],
  });
  const key = value === USER_ID ? SOMEBODY : value;
  const own = bound === 'partition' ? [entry('aws:userid', SOMEBODY)] : [];
  return [entry(boundKeys[bound], key, hasManyValues(bound)), ...own];
}

/** IAM is asked about things, not about patterns. */
const instance = (arn: string): string => (arn === '*' ? arn : arn.replaceAll('*', 'any'));

const chunks = (resources: readonly string[]): readonly string[][] =>
  Array.from({ length: Math.ceil(resources.length / MOST_RESOURCES) }, (_, n) =>
    resources.slice(n * MOST_RESOURCES, (n + 1) * MOST_RESOURCES),
  );
