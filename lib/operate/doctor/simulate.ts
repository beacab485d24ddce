import { setTimeout as wait } from 'node:timers/promises';
import type {
  EvaluationResult,
  IAMClient,
  SimulatePrincipalPolicyCommandInput,
  SimulatePrincipalPolicyCommandOutput,
} from '@aws-sdk/client-iam';
import pMap from 'p-map';
import { readPages } from '../../aws/pages.ts';
import type { AwsClients } from '../clients.ts';

/** IAM has one control plane, for every region. */
export const IAM_REGION = 'us-east-1';
const CALL_TIMEOUT_MS = 5_000;
const MAX_PAGES = 10;
/** Questions under way at once. IAM answers few a second, and its quotas do not say how many. */
const PARALLEL = 2;
/** Of one call that IAM throttles; the second waits this long, and each later one twice as long as the one before. */
const MAX_ATTEMPTS = 4;
const FIRST_WAIT_MS = 500;

/** One action: IAM refuses actions together that "require different authorization information" (InvalidInput). */
export interface Question
  extends Pick<SimulatePrincipalPolicyCommandInput, 'ResourceArns' | 'ContextEntries'> {
  readonly action: string;
}

/** What the role lacks. */
export interface Lack {
  readonly action: string;
  readonly resource: string;
  /** True: some policy denies it; false: none allows it. */
  readonly denied: boolean;
}

/** Asks IAM what a role may not do; in the order of the questions. @throws what the SDK throws */
export async function simulate(
  clients: AwsClients,
  { arn, questions }: { readonly arn: string; readonly questions: readonly Question[] },
): Promise<readonly Lack[]> {
  // Few commands need the package.
  const { IAMClient, SimulatePrincipalPolicyCommand } = await import('@aws-sdk/client-iam');
  const client: IAMClient = clients.other(IAMClient, IAM_REGION);
  const stopped = new AbortController();
  const send = (question: Question, Marker: string | undefined) =>
    patiently(stopped.signal, () => {
      const { action, ...rest } = question;
      return client.send(
        new SimulatePrincipalPolicyCommand({
          PolicySourceArn: arn,
          ActionNames: [action],
          ...rest,
          ...(Marker === undefined ? {} : { Marker }),
        }),
        { abortSignal: AbortSignal.any([stopped.signal, AbortSignal.timeout(CALL_TIMEOUT_MS)]) },
      );
    });
  try {
    const results = await pMap(questions, (question) => resultsOf((Marker) => send(question, Marker)), {
      concurrency: PARALLEL,
    });
    return distinct(results.flat().flatMap(lacksIn));
  } finally {
    // What one question has met, the others would meet, too.
    stopped.abort();
  }
}

type Send = (marker: string | undefined) => Promise<SimulatePrincipalPolicyCommandOutput>;

async function resultsOf(send: Send): Promise<readonly EvaluationResult[]> {
  const { items, complete } = await readPages<EvaluationResult, string>({
    maxPages: MAX_PAGES,
    ask: async (from) => {
      const { EvaluationResults = [], Marker } = await send(from);
      return { items: EvaluationResults, next: Marker };
    },
  });
  if (complete) return items;
  throw new Error(`IAM's answer has more than ${MAX_PAGES} pages`);
}

/** Repeats what IAM throttles. The clients of the command line do not: elsewhere a retry would hide a failing region. */
async function patiently<Answer>(signal: AbortSignal, call: () => Promise<Answer>): Promise<Answer> {
  for (let attempt = 1; ; attempt++) {
    try {
      return await call();
    } catch (error) {
      const isThrottled = error instanceof Error && /Throttl/.test(error.name);
      if (!isThrottled || attempt >= MAX_ATTEMPTS) throw error;
      await wait(FIRST_WAIT_MS * 2 ** (attempt - 1), undefined, { signal });
    }
  }
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
