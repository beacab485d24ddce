import {
  DeleteFunctionConcurrencyCommand,
  GetFunctionConcurrencyCommand,
  GetFunctionConfigurationCommand,
  type LambdaClient,
  PutFunctionConcurrencyCommand,
  UpdateFunctionConfigurationCommand,
  waitUntilFunctionUpdatedV2,
} from '@aws-sdk/client-lambda';
import { observerFunctionName, switchFunctionName, voteFunctionName } from '../../../lambda/core/names.ts';
import { type Config, observerRegions } from '../../config/config.ts';
import type { LocalClients } from './clients.ts';

const UPDATE_TIMEOUT_S = 30;

export interface Wires {
  readonly endpointFor: (region: string) => string;
  readonly signal: AbortSignal;
}

/**
 * Puts the fault proxy between the deployed functions and LocalStack: the SDK inside them honours AWS_ENDPOINT_URL.
 * This changes one environment variable after the deployment; code, template and every other setting stay as deployed.
 * An observer that an earlier drill killed lives again.
 */
export async function wireFunctions(clients: LocalClients, config: Config, wires: Wires): Promise<void> {
  const { endpointFor, signal: abortSignal } = wires;
  await Promise.all(
    observerRegions(config.regions).map(async (region) => {
      const lambda = clients.lambda(region);
      await revive(lambda, observerFunctionName(config.name), abortSignal);
      for (const name of functionsIn(region, config)) {
        await setEndpoint(lambda, name, { endpoint: endpointFor(region), abortSignal });
        await waitUntilFunctionUpdatedV2(
          { client: lambda, maxWaitTime: UPDATE_TIMEOUT_S, abortSignal },
          { FunctionName: name },
        );
      }
    }),
  );
}

/** Lets the functions reach LocalStack without the proxy again, as far as they are still there. */
export async function unwireFunctions(clients: LocalClients, config: Config): Promise<void> {
  await Promise.allSettled(
    observerRegions(config.regions).flatMap((region) => {
      const lambda = clients.lambda(region);
      return [
        revive(lambda, observerFunctionName(config.name)),
        ...functionsIn(region, config).map((name) => setEndpoint(lambda, name, { endpoint: undefined })),
      ];
    }),
  );
}

function functionsIn(region: string, { name, regions }: Config): readonly string[] {
  const everywhere = [observerFunctionName(name), voteFunctionName(name)];
  return region === regions.standby ? [...everywhere, switchFunctionName(name)] : everywhere;
}

async function setEndpoint(
  lambda: LambdaClient,
  functionName: string,
  wire: { readonly endpoint: string | undefined; readonly abortSignal?: AbortSignal },
): Promise<void> {
  const sending = wire.abortSignal === undefined ? {} : { abortSignal: wire.abortSignal };
  const { Environment } = await lambda.send(
    new GetFunctionConfigurationCommand({ FunctionName: functionName }),
    sending,
  );
  const { AWS_ENDPOINT_URL: _last, ...deployed } = Environment?.Variables ?? {};
  const Variables = wire.endpoint === undefined ? deployed : { ...deployed, AWS_ENDPOINT_URL: wire.endpoint };
  await lambda.send(
    new UpdateFunctionConfigurationCommand({ FunctionName: functionName, Environment: { Variables } }),
    sending,
  );
}

/**
 * Kills one observer for the rest of the drill: no run of it may start, and the update ends the run in progress, which
 * LocalStack would let finish otherwise. The function itself stays, so that a later drill finds what was deployed.
 */
export async function killObserver(clients: LocalClients, config: Config, region: string): Promise<void> {
  const lambda = clients.lambda(region);
  const FunctionName = observerFunctionName(config.name);
  await lambda.send(new PutFunctionConcurrencyCommand({ FunctionName, ReservedConcurrentExecutions: 0 }));
  await setEndpoint(lambda, FunctionName, { endpoint: undefined });
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
