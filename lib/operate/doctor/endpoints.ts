import { GetFunctionUrlConfigCommand } from '@aws-sdk/client-lambda';
import {
  type EndpointFinding,
  type EndpointFindingName,
  endpointFindings,
  isTrouble,
} from '../../../lambda/core/endpoint-findings.ts';
import { endpointName } from '../../../lambda/core/endpoint-items.ts';
import { switchFunctionName, voteFunctionName } from '../../../lambda/core/names.ts';
import type { Config } from '../../config/config.ts';
import { callFailure } from '../../credentials/failure.ts';
import { askedOf, isUnreached } from '../endpoint-status.ts';
import { lookAtEndpoints } from '../endpoints.ts';
import { named } from '../named.ts';
import { problemOf } from '../reading.ts';
import { type Check, type DoctorContext, type Found, hint, ill, well } from './check.ts';

const CHECK = 'endpoints';
const TIMEOUT_MS = 5_000;
/** A thousand switches are asked within some seconds when they answer. */
const LIMITS = { parallel: 16, timeoutMs: 5_000, beginWithinMs: 30_000 };
const DEPLOY = 'Deploy to every region: npx cdk deploy --all';

/**
 * Checks that each vote and switch can be read where Route 53 reads it: the table behind it may be right while the
 * endpoint cannot read it, or while the health check asks another URL.
 */
export const endpoints: Check = {
  check: CHECK,
  purpose: 'what Route 53 asks answers, and says what is stored',
  region: ({ regions }) => regions.standby,
  run: async (context) => {
    const { config, clients, endpointOrigin, local, now } = context;
    const looked = await lookAtEndpoints(config, {
      clients,
      timeoutMs: TIMEOUT_MS,
      limits: LIMITS,
      mostSwitches: Number.POSITIVE_INFINITY,
      nowMs: now,
      origin: endpointOrigin,
    });
    if (!looked.ok) throw looked.error ?? new Error(looked.problem);
    const { findings } = looked.value;
    return [...endpointResults(findings, { local }), ...(await replaced(findings, context))];
  },
};

const functionLog = (of: string): string => `aws logs tail /aws/lambda/${of} --since 10m`;

const fixes: Readonly<Record<EndpointFindingName, string>> = {
  dead: DEPLOY,
  late: `Read the function’s log: ${functionLog('NAME-vote')} (NAME-switch for a switch)`,
  throttled:
    'See docs/runbook.md, “switch endpoint failing”: somebody floods it; delivery.switchConcurrency in the config reserves more',
  refused: DEPLOY,
  unreadable: `Read why in the function’s log: ${functionLog('NAME-vote')} (NAME-switch for a switch); then ${DEPLOY.toLowerCase()}`,
  wrong: DEPLOY,
  damaged: DEPLOY,
  missing: DEPLOY,
  waiting: 'Run this again where the endpoints answer faster.',
  unknown: 'See the other findings about the tables, and run this again.',
  agrees: '',
};

/** Pure. One finding for all endpoints that are in the same way, of which there may be a thousand. */
export function endpointResults(
  findings: readonly EndpointFinding[],
  { local }: Pick<DoctorContext, 'local'>,
): readonly Found[] {
  const asked = askedOf(findings);
  if (asked.length > 0 && asked.every(isUnreached)) {
    const [first] = asked;
    const finding = `none of ${asked.length} endpoints can be reached from here (${first?.host}: ${first?.detail})`;
    return [
      ill(
        CHECK,
        finding,
        'Run this where function URLs can be reached; the alarm “endpoint unfit” says what the standby sees.',
      ),
    ];
  }
  const alike = Map.groupBy(findings, ({ finding }) => finding);
  const found = [...alike].flatMap(([finding, some]): readonly Found[] => {
    if (finding === 'agrees') return [];
    const [first] = some;
    const where = first?.host === undefined ? '' : ` at ${first.host}`;
    const detail = first === undefined || first.detail === '' ? '' : ` (${first.detail}${where})`;
    const text = `${named(some.map(endpointName))}: ${endpointFindings[finding].meaning}${detail}`;
    const isOpen = finding === 'waiting' || (finding === 'missing' && local);
    return [isOpen ? hint(CHECK, text, fixes[finding]) : ill(CHECK, text, fixes[finding])];
  });
  if (found.length > 0) return found;
  return [well(CHECK, `${findings.length} endpoints answer, and say what is stored`)];
}

/**
 * Whether the check of an endpoint in trouble asks another host than the function has. Asked for only then: in
 * health, nobody needs the right to ask.
 */
async function replaced(
  findings: readonly EndpointFinding[],
  { config, clients }: DoctorContext,
): Promise<readonly Found[]> {
  const suspects = findings.filter((one) => isTrouble(one) && one.host !== undefined);
  // All switches are on one function, so one of them is enough.
  const one = Map.groupBy(suspects, ({ kind, of }) => (kind === 'vote' ? of : kind));
  const looks = [...one.values()].flatMap(([first]) => first ?? []);
  const found = await Promise.all(
    looks.map(async ({ kind, of, host }): Promise<readonly Found[]> => {
      const { region, FunctionName } = functionOf({ kind, of }, config);
      try {
        const { FunctionUrl } = await clients
          .lambda(region)
          .send(new GetFunctionUrlConfigCommand({ FunctionName }));
        const present = FunctionUrl === undefined ? undefined : new URL(FunctionUrl).host;
        if (present === host) return [];
        return [
          ill(
            CHECK,
            `the health check of ${kind} ${of} asks ${host}, and ${FunctionName} in ${region} is at ${present}`,
            DEPLOY,
          ),
        ];
      } catch (error) {
        if (callFailure(error).kind !== 'missing')
          return [{ check: CHECK, region, what: `URL of ${FunctionName}`, error }];
        return [ill(CHECK, `${FunctionName} in ${region} has no function URL: ${problemOf(error)}`, DEPLOY)];
      }
    }),
  );
  return found.flat();
}

function functionOf({ kind, of }: Pick<EndpointFinding, 'kind' | 'of'>, { name, regions }: Config) {
  return kind === 'vote'
    ? { region: of, FunctionName: voteFunctionName(name) }
    : { region: regions.standby, FunctionName: switchFunctionName(name) };
}
