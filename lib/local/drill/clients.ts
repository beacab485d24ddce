import { CloudFormationClient } from '@aws-sdk/client-cloudformation';
import { DynamoDBClient } from '@aws-sdk/client-dynamodb';
import { KinesisClient } from '@aws-sdk/client-kinesis';
import { LambdaClient } from '@aws-sdk/client-lambda';
import { Route53Client } from '@aws-sdk/client-route-53';
import { DynamoDBDocumentClient } from '@aws-sdk/lib-dynamodb';
import { NodeHttpHandler } from '@smithy/node-http-handler';

/** LocalStack does not check credentials, but the SDK does not sign without them. */
export const localCredentials = { accessKeyId: 'test', secretAccessKey: 'test' } as const;
const CONNECT_TIMEOUT_MS = 2_000;
const REQUEST_TIMEOUT_MS = 15_000;

/** The drill's own clients, which call LocalStack directly, without any fault. */
export class LocalClients {
  readonly #url: string;

  constructor(url: string) {
    this.#url = url;
  }

  kinesis(region: string): KinesisClient {
    return new KinesisClient(this.#settings(region));
  }

  lambda(region: string): LambdaClient {
    return new LambdaClient(this.#settings(region));
  }

  cloudFormation(region: string): CloudFormationClient {
    return new CloudFormationClient(this.#settings(region));
  }

  documents(region: string): DynamoDBDocumentClient {
    return DynamoDBDocumentClient.from(new DynamoDBClient(this.#settings(region)));
  }

  route53(): Route53Client {
    return new Route53Client(this.#settings('us-east-1'));
  }

  #settings(region: string) {
    return {
      region,
      endpoint: this.#url,
      credentials: localCredentials,
      requestHandler: new NodeHttpHandler({
        connectionTimeout: CONNECT_TIMEOUT_MS,
        requestTimeout: REQUEST_TIMEOUT_MS,
        throwOnRequestTimeout: true,
      }),
    };
  }
}
