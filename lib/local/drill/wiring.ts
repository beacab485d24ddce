import {
  DeleteFunctionCommand,
  GetFunctionConfigurationCommand,
  type LambdaClient,
  UpdateFunctionConfigurationCommand,
  waitUntilFunctionUpdatedV2,
} from '@aws-sdk/client-lambda';
import { observerFunctionName, switchFunctionName, voteFunctionName } from '../../../lambda/core/names.ts';
import { DNS_SERVERS } from '../../../lambda/observer/settings.ts';
import { type Config, observerRegions } from '../../config/config.ts';
import type { LocalClients } from './clients.ts';

const UPDATE_TIMEOUT_S = 30;

/** What stands on this machine in place of AWS's endpoints and the resolver that Lambda brings along. */
export interface LocalEndpoints {
  readonly endpointFor: (region: string) => string;
  /** `address:port`. */
  readonly dnsServer: string;
}

/**
 * Puts the fault proxy between the deployed functions and LocalStack (the SDK inside them honours AWS_ENDPOINT_URL), and
 * has the observers ask the modelled DNS. This changes environment variables after the deployment; code, template and
 * every other setting stay as deployed.
 */
export async function wireFunctions(
  clients: LocalClients,
  config: Config,
  { endpointFor, dnsServer }: LocalEndpoints,
): Promise<void> {
  await Promise.all(
    observerRegions(config.regions).map(async (region) => {
      const lambda = clients.lambda(region);
      const names = [observerFunctionName(config.name), voteFunctionName(config.name)];
      if (region === config.regions.standby) names.push(switchFunctionName(config.name));
      const variables = { AWS_ENDPOINT_URL: endpointFor(region), [DNS_SERVERS]: dnsServer };
      for (const name of names) await wire(lambda, name, variables);
    }),
  );
}

async function wire(
  lambda: LambdaClient,
  functionName: string,
  variables: Readonly<Record<string, string>>,
): Promise<void> {
  const { Environment } = await lambda.send(
    new GetFunctionConfigurationCommand({ FunctionName: functionName }),
  );
  await lambda.send(
    new UpdateFunctionConfigurationCommand({
      FunctionName: functionName,
      Environment: { Variables: { ...Environment?.Variables, ...variables } },
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
