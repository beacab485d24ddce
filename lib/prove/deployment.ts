import { FilterLogEventsCommand } from '@aws-sdk/client-cloudwatch-logs';
import { GetFunctionUrlConfigCommand } from '@aws-sdk/client-lambda';
import { GetHealthCheckCommand } from '@aws-sdk/client-route-53';
import { guardFunctionName, voteFunctionName } from '../../lambda/core/names.ts';
import { observerRegions } from '../config/config.ts';
import type { Check } from './check.ts';
import { type ProveContext, within } from './context.ts';
import { provenGroup, readDeployed } from './deployed.ts';
import { confirmed, judged, refuted, undecided } from './judgement.ts';

export interface DeploymentSeen {
  /** By observer's region: what its check asks, and where its function is. */
  readonly votes: readonly {
    readonly region: string;
    readonly askedHost: string | undefined;
    readonly urlHost: string | undefined;
    /** The id of the check, as the guard stored it. */
    readonly stored: boolean;
  }[];
  readonly switchStored: boolean;
  /** Lines of the guard's log in which a Query was refused. */
  readonly refusedQueries: number;
}

const TIMEOUT_MS = 5_000;
const LOOK_BACK_MS = 14 * 86_400_000;

export const deployment: Check<'deployment', DeploymentSeen> = {
  observe: async (context) => {
    const { clients, config } = context;
    const { votes, switches } = await readDeployed(context);
    const regions = observerRegions(config.regions);
    return {
      votes: await Promise.all(
        regions.map(async (region) => {
          const stored = votes?.votes.get(region);
          const { FunctionUrl } = await clients
            .lambda(region)
            .send(
              new GetFunctionUrlConfigCommand({ FunctionName: voteFunctionName(config.name) }),
              within(TIMEOUT_MS),
            );
          return {
            region,
            stored: stored !== undefined,
            askedHost: await askedHost(context, stored?.checkId),
            urlHost: FunctionUrl === undefined ? undefined : new URL(FunctionUrl).host,
          };
        }),
      ),
      switchStored: switches.switches.has(provenGroup(context)),
      refusedQueries: await refusedQueries(context),
    };
  },
  judges: {
    'stack-output-across-regions': ({ votes }) => {
      const known = votes.filter(
        ({ askedHost: asked, urlHost }) => asked !== undefined && urlHost !== undefined,
      );
      const wrong = known.filter((vote) => hostName(vote.askedHost) !== hostName(vote.urlHost));
      if (wrong.length > 0) return refuted({ checks: known.length }, `wrong in ${names(wrong)}`);
      if (known.length < votes.length)
        return undecided('the guard has not stored a check for every vote: deploy with this version');
      return confirmed({ checks: known.length });
    },
    'guard-is-asked': ({ votes, switchStored }) => {
      const missing = votes.filter(({ stored }) => !stored);
      if (missing.length === votes.length && !switchStored)
        return undecided('nothing has been deployed with a guard yet: deploy with this version');
      const all = missing.length === 0 && switchStored;
      return judged(all, { stored: votes.length - missing.length + Number(switchStored) });
    },
    'leading-keys-query': ({ votes, switchStored, refusedQueries: refusals }) => {
      if (refusals > 0) return refuted({ refusals });
      if (!switchStored && votes.every(({ stored }) => !stored))
        return undecided('nothing has been deployed with a guard yet: deploy with this version');
      return confirmed();
    },
  },
};

const names = (votes: readonly { readonly region: string }[]): string =>
  votes.map(({ region }) => region).join(', ');
/** A local world's hosts have a port. */
const hostName = (host: string | undefined): string | undefined => host?.split(':')[0]?.toLowerCase();

async function askedHost(
  { clients, rehearsing }: ProveContext,
  checkId: string | undefined,
): Promise<string | undefined> {
  if (checkId === undefined && !rehearsing) return undefined;
  const { HealthCheck } = await clients
    .route53()
    .send(new GetHealthCheckCommand({ HealthCheckId: checkId ?? '<check of the vote>' }), within(TIMEOUT_MS));
  return HealthCheck?.HealthCheckConfig?.FullyQualifiedDomainName;
}

async function refusedQueries({ clients, config, nowMs }: ProveContext): Promise<number> {
  const { events = [] } = await clients.logs(config.regions.standby).send(
    new FilterLogEventsCommand({
      logGroupName: `/aws/lambda/${guardFunctionName(config.name)}`,
      filterPattern: '"AccessDeniedException" "dynamodb:Query"',
      startTime: nowMs() - LOOK_BACK_MS,
      limit: 10,
    }),
    within(TIMEOUT_MS),
  );
  // What a filter means is decided here once more: not every implementation of it takes two terms.
  return events.filter(
    ({ message = '' }) => /AccessDenied/.test(message) && message.includes('dynamodb:Query'),
  ).length;
}
