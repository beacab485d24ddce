import {
  DeleteFunctionCommand,
  GetFunctionConfigurationCommand,
  type LambdaClient,
  UpdateFunctionConfigurationCommand,
  waitUntilFunctionUpdatedV2,
} from '@aws-sdk/client-lambda';
import { observerFunctionName, switchFunctionName, voteFunctionName } from '../../../lambda/core/names.ts';
import { type Config, observerRegions } from '../../config/config.ts';
import type { LocalClients } from './clients.ts';

const UPDATE_TIMEOUT_S = 30;

/**
 * Puts the fault proxy between the deployed functions and LocalStack: the SDK inside them honours AWS_ENDPOINT_URL.
 * This changes one environment variable after the deployment; code, template and every other setting stay as deployed.
 */
export async function wireFunctions(
  clients: LocalClients,
  config: Config,
  endpointFor: (region: string) => string,
): Promise<void> {
  await Promise.all(
    observerRegions(config.regions).map(async (region) => {
      const lambda = clients.lambda(region);
      const names = [observerFunctionName(config.name), voteFunctionName(config.name)];
      if (region === config.regions.standby) names.push(switchFunctionName(config.name));
      for (const name of names) await wire(lambda, name, endpointFor(region));
    }),
  );
}

async function wire(lambda: LambdaClient, functionName: string, endpoint: string): Promise<void> {
  const { Environment } = await lambda.send(
    new GetFunctionConfigurationCommand({ FunctionName: functionName }),
  );
  await lambda.send(
    new UpdateFunctionConfigurationCommand({
      FunctionName: functionName,
      Environment: { Variables: { ...Environment?.Variables, AWS_ENDPOINT_URL: endpoint } },
    }),
  );
  await waitUntilFunctionUpdatedV2(
    { client: lambda, maxWaitTime: UPDATE_TIMEOUT_S },
    { FunctionName: functionName },
  );
}

/**
 * Kills one observer for the rest of the drill: its function is deleted, which ends the run in progress, and the rule
 * that would start the next one finds nothing.
 */
export async function killObserver(clients: LocalClients, config: Config, region: string): Promise<void> {
  await clients
    .lambda(region)
    .send(new DeleteFunctionCommand({ FunctionName: observerFunctionName(config.name) }));
}
