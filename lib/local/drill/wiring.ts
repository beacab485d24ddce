import { setTimeout as sleep } from 'node:timers/promises';
import { isDeepStrictEqual } from 'node:util';
import {
  DeleteFunctionConcurrencyCommand,
  GetFunctionConcurrencyCommand,
  GetFunctionConfigurationCommand,
  InvokeCommand,
  type LambdaClient,
  PutFunctionConcurrencyCommand,
  UpdateFunctionConfigurationCommand,
  waitUntilFunctionUpdatedV2,
} from '@aws-sdk/client-lambda';
import { observerFunctionName } from '../../../lambda/core/names.ts';
import { CALL_LOG } from '../../aws/call-log.ts';
import { type Config, observerRegions } from '../../config/config.ts';
import { ENDPOINT_ORIGIN } from '../../settings/monitor.ts';
import { DNS_SERVERS } from '../../settings/observer.ts';
import { SURVEY_LOOK_BACK } from '../../settings/survey.ts';
import { functionsIn } from './callers.ts';
import type { LocalClients } from './clients.ts';

const UPDATE_TIMEOUT_S = 30;
/** LocalStack computes each period separately: two weeks of periods would keep it from answering probes. */
const SURVEY_LOOK_BACK_MS = 3_600_000;

/** The addresses on this machine that replace AWS's endpoints and the resolver of Lambda. */
export interface Wires {
  /** Base URL for the calls of a caller, by its name in the audit. */
  readonly endpointFor: (caller: string) => string;
  /** The file that the functions write their calls to. */
  readonly callLog: string;
  /** `address:port`. */
  readonly dnsServer: string;
  readonly signal: AbortSignal;
}

/**
 * Puts the fault proxy between the deployed functions and LocalStack (the SDK inside them honours AWS_ENDPOINT_URL), and
 * has the observers ask the modelled DNS. This changes environment variables after the deployment; code, template and
 * every other setting stay as deployed. An observer that an earlier drill killed lives again.
 */
export async function wireFunctions(clients: LocalClients, config: Config, wires: Wires): Promise<void> {
  const { endpointFor, dnsServer, callLog, signal: abortSignal } = wires;
  await Promise.all(
    observerRegions(config.regions).map(async (region) => {
      const lambda = clients.lambda(region);
      await revive(lambda, observerFunctionName(config.name), abortSignal);
      for (const { name, who } of functionsIn(region, config)) {
        const variables = {
          AWS_ENDPOINT_URL: endpointFor(who),
          [DNS_SERVERS]: dnsServer,
          [CALL_LOG]: callLog,
          [SURVEY_LOOK_BACK]: String(SURVEY_LOOK_BACK_MS),
          // The monitor asks the function URLs by way of its own path, as the checkers do by way of theirs.
          [ENDPOINT_ORIGIN]: endpointFor(who),
        };
        await setVariables(lambda, name, { variables, abortSignal });
        await waitUntilFunctionUpdatedV2(
          { client: lambda, maxWaitTime: UPDATE_TIMEOUT_S, abortSignal },
          { FunctionName: name },
        );
      }
    }),
  );
}

/**
 * Starts each observer, as the Events rule does at the full minute, so that nobody waits for the full minute.
 * The observers start one after the other within a tick, and later runs keep this cadence: three observers
 * that probe at the same instant would wait for one LocalStack in turn, which never happens in AWS.
 */
export async function startObservers(
  clients: LocalClients,
  { config, signal: abortSignal }: { readonly config: Config; readonly signal: AbortSignal },
): Promise<void> {
  const regions = observerRegions(config.regions);
  const FunctionName = observerFunctionName(config.name);
  for (const region of regions) {
    await clients
      .lambda(region)
      .send(new InvokeCommand({ FunctionName, InvocationType: 'Event' }), { abortSignal });
    await sleep(config.policy.tickMs / regions.length, undefined, { signal: abortSignal });
  }
}

/** Lets the functions that still exist reach LocalStack without the proxy again. */
export async function unwireFunctions(clients: LocalClients, config: Config): Promise<void> {
  await Promise.allSettled(
    observerRegions(config.regions).flatMap((region) => {
      const lambda = clients.lambda(region);
      return [
        revive(lambda, observerFunctionName(config.name)),
        ...functionsIn(region, config).map(({ name }) => setVariables(lambda, name, { variables: {} })),
      ];
    }),
  );
}

/** Replaces the drill's own variables; those that were deployed stay. */
async function setVariables(
  lambda: LambdaClient,
  functionName: string,
  wire: { readonly variables: Readonly<Record<string, string>>; readonly abortSignal?: AbortSignal },
): Promise<void> {
  const sending = wire.abortSignal === undefined ? {} : { abortSignal: wire.abortSignal };
  const { Environment } = await lambda.send(
    new GetFunctionConfigurationCommand({ FunctionName: functionName }),
    sending,
  );
  const {
    AWS_ENDPOINT_URL: _endpoint,
    [DNS_SERVERS]: _servers,
    [CALL_LOG]: _log,
    [SURVEY_LOOK_BACK]: _lookBack,
    [ENDPOINT_ORIGIN]: _origin,
    ...deployed
  } = Environment?.Variables ?? {};
  const Variables = { ...deployed, ...wire.variables };
  // An update ends the run in progress.
  if (isDeepStrictEqual(Variables, Environment?.Variables ?? {})) return;
  await lambda.send(
    new UpdateFunctionConfigurationCommand({ FunctionName: functionName, Environment: { Variables } }),
    sending,
  );
}

/**
 * Kills one observer for the rest of the drill: no new run may start, and the update ends the run in
 * progress, which LocalStack would otherwise let finish. The function itself stays, so that a later drill
 * finds what was deployed.
 */
export async function killObserver(clients: LocalClients, config: Config, region: string): Promise<void> {
  const lambda = clients.lambda(region);
  const FunctionName = observerFunctionName(config.name);
  await lambda.send(new PutFunctionConcurrencyCommand({ FunctionName, ReservedConcurrentExecutions: 0 }));
  await setVariables(lambda, FunctionName, { variables: {} });
}

async function revive(lambda: LambdaClient, FunctionName: string, abortSignal?: AbortSignal): Promise<void> {
  const sending = abortSignal === undefined ? {} : { abortSignal };
  const { ReservedConcurrentExecutions } = await lambda.send(
    new GetFunctionConcurrencyCommand({ FunctionName }),
    sending,
  );
  if (ReservedConcurrentExecutions !== 0) return;
  await lambda.send(new DeleteFunctionConcurrencyCommand({ FunctionName }), sending);
}
