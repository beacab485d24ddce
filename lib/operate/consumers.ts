import { DynamoDBClient } from '@aws-sdk/client-dynamodb';
import { GetCallerIdentityCommand } from '@aws-sdk/client-sts';
import { type ConsumersQuestion, type ConsumersRead, readConsumers } from '../consumers/read.ts';
import type { ConsumerClients } from '../consumers/region-question.ts';
import type { AwsClients } from './clients.ts';
import { reading } from './reading.ts';

const IDENTITY_TIMEOUT_MS = 2_000;

export interface OperatorsQuestion extends Omit<ConsumersQuestion, 'clientsIn' | 'account'> {
  readonly clients: AwsClients;
}

/** Reads the consumers with the credentials of an operator, whose account is that of the streams. Never throws. */
export async function readConsumersOf({ clients, ...question }: OperatorsQuestion): Promise<ConsumersRead> {
  const account = await accountOf(clients, question.config.regions.standby);
  return readConsumers({ ...question, account, clientsIn: (region) => clientsIn(clients, region) });
}

function clientsIn(clients: AwsClients, region: string): ConsumerClients {
  const firehose = async () => {
    const { FirehoseClient } = await import('@aws-sdk/client-firehose');
    return clients.other(FirehoseClient, region);
  };
  let made: ReturnType<typeof firehose> | undefined;
  return {
    kinesis: clients.kinesis(region),
    lambda: clients.lambda(region),
    cloudWatch: clients.cloudWatch(region),
    dynamo: clients.other(DynamoDBClient, region),
    firehose: () => {
      made ??= firehose();
      return made;
    },
  };
}

/** STS asks for no permission. */
async function accountOf(clients: AwsClients, region: string): Promise<string | undefined> {
  const identity = await reading(IDENTITY_TIMEOUT_MS, (abortSignal) =>
    clients.identity(region).send(new GetCallerIdentityCommand({}), { abortSignal }),
  );
  return identity.ok ? identity.value.Account : undefined;
}
