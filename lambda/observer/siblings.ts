import {
  CognitoIdentityProviderClient,
  ListUserPoolsCommand,
} from '@aws-sdk/client-cognito-identity-provider';
import { GetAccountSettingsCommand, LambdaClient } from '@aws-sdk/client-lambda';
import { ListQueuesCommand, SQSClient } from '@aws-sdk/client-sqs';
import { type ClientOptions, clientOf } from '../../lib/aws/clients.ts';
import type { SiblingName } from '../core/policy.ts';

export type SiblingProbe = (abortSignal: AbortSignal) => Promise<unknown>;
export type SiblingProbes = Readonly<Record<SiblingName, SiblingProbe>>;

/** One cheap call of each service that needs no resource of ours and returns at most one item. */
export function siblingProbes(options: ClientOptions): SiblingProbes {
  const cognito = clientOf(CognitoIdentityProviderClient, options);
  const lambda = clientOf(LambdaClient, options);
  const sqs = clientOf(SQSClient, options);
  return {
    cognito: (abortSignal) => cognito.send(new ListUserPoolsCommand({ MaxResults: 1 }), { abortSignal }),
    lambda: (abortSignal) => lambda.send(new GetAccountSettingsCommand({}), { abortSignal }),
    sqs: (abortSignal) => sqs.send(new ListQueuesCommand({ MaxResults: 1 }), { abortSignal }),
  };
}
