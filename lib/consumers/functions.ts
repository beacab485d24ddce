import {
  GetFunctionConcurrencyCommand,
  GetFunctionConfigurationCommand,
  type LambdaClient,
} from '@aws-sdk/client-lambda';
import type { LambdaFacts } from '../../lambda/core/consumer-facts.ts';
import type { Asker } from './asker.ts';
import { functionParts } from './mapping-facts.ts';

export interface FunctionQuestion {
  readonly client: LambdaClient;
  /** As the config, or a mapping, names it. */
  readonly function: string;
  /** The config names no such function, so that `spillway policy` asks for no right on it. */
  readonly welcome: boolean;
}

/** Whether the function is there and may run; undefined: not known. Its alias or version is not looked at. */
export async function readFunction(
  asker: Asker,
  { client, function: named, welcome }: FunctionQuestion,
): Promise<LambdaFacts['function']> {
  const FunctionName = unqualified(named);
  const [configuration, concurrency] = await Promise.all([
    asker.ask({
      service: 'Lambda',
      action: 'lambda:GetFunctionConfiguration',
      ask: (abortSignal) =>
        client.send(new GetFunctionConfigurationCommand({ FunctionName }), { abortSignal }),
      welcome,
    }),
    asker.ask({
      service: 'Lambda',
      action: 'lambda:GetFunctionConcurrency',
      ask: (abortSignal) => client.send(new GetFunctionConcurrencyCommand({ FunctionName }), { abortSignal }),
      welcome,
    }),
  ]);
  if (configuration === 'missing') return { exists: false };
  const state = configuration?.value.State;
  const reserved = concurrency === 'missing' ? undefined : concurrency?.value.ReservedConcurrentExecutions;
  if (configuration === undefined && concurrency === undefined) return undefined;
  return {
    exists: true,
    ...(state !== undefined && { state }),
    ...(reserved !== undefined && { reservedConcurrency: reserved }),
  };
}

function unqualified(named: string): string {
  const { name, qualifier } = functionParts(named);
  if (!named.includes(':function:')) return name;
  return qualifier === undefined ? named : named.slice(0, -qualifier.length - 1);
}
