import {
  GetAccountSettingsCommand,
  GetFunctionConcurrencyCommand,
  type LambdaClient,
} from '@aws-sdk/client-lambda';
import { type Reserve, reservesIn } from '../../config/concurrency.ts';
import { observerRegions } from '../../config/config.ts';
import { callFailure } from '../../credentials/failure.ts';
import { type Check, type Finding, type Found, ill, well } from './check.ts';

const CHECK = 'lambda concurrency';
/** What nobody can reserve ("Configuring reserved concurrency", AWS Lambda Developer Guide). */
const UNRESERVED = 100;

/** Checks, before a deployment too, that the account has the concurrent executions which the functions reserve. */
export const lambdaConcurrency: Check = {
  check: CHECK,
  purpose: 'the account has the concurrent executions that the functions reserve',
  region: ({ regions }) => regions.standby,
  run: async ({ clients, config, local }) => {
    if (local) return [well(CHECK, 'not checked: a local world has no quotas')];
    const looks = observerRegions(config.regions).map(async (region): Promise<Found> => {
      const lambda = clients.lambda(region);
      const planned = reservesIn(region, config);
      try {
        const [{ AccountLimit }, present] = await Promise.all([
          lambda.send(new GetAccountSettingsCommand({})),
          Promise.all(planned.map((one) => presentReserve(lambda, one))),
        ]);
        return concurrencyFinding({
          region,
          planned: sum(planned.map(({ units }) => units)),
          present: sum(present),
          limit: AccountLimit?.ConcurrentExecutions ?? 0,
          unreserved: AccountLimit?.UnreservedConcurrentExecutions ?? 0,
        });
      } catch (error) {
        return { check: CHECK, region, what: `concurrency in ${region}`, error };
      }
    });
    return Promise.all(looks);
  },
};

/** What a function reserves now; 0 for one that is not deployed. */
async function presentReserve(lambda: LambdaClient, { functionName }: Reserve): Promise<number> {
  try {
    const of = new GetFunctionConcurrencyCommand({ FunctionName: functionName });
    return (await lambda.send(of)).ReservedConcurrentExecutions ?? 0;
  } catch (error) {
    if (callFailure(error).kind === 'missing') return 0;
    throw error;
  }
}

const sum = (numbers: readonly number[]): number => numbers.reduce((total, one) => total + one, 0);

/** Pure. */
export function concurrencyFinding(account: {
  readonly region: string;
  readonly planned: number;
  /** Of the same functions, as they are deployed. */
  readonly present: number;
  readonly limit: number;
  readonly unreserved: number;
}): Finding {
  const { region, planned, present, limit, unreserved } = account;
  const room = Math.max(0, unreserved - UNRESERVED) + present;
  const facts = `${region}: ${planned} concurrent executions are reserved, and the account has room for ${room} of its ${limit} (${UNRESERVED} stay unreserved)`;
  if (planned <= room) return well(CHECK, facts);
  const fix =
    'Ask for more in Service Quotas (Lambda, concurrent executions) before you deploy, or write less into delivery.switchConcurrency.';
  return ill(CHECK, facts, fix);
}
