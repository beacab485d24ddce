import { DescribeTableCommand } from '@aws-sdk/client-dynamodb';
import { DescribeStreamSummaryCommand } from '@aws-sdk/client-kinesis';
import pMap from 'p-map';
import { callFailure } from '../../credentials/failure.ts';
import type { KeptType, NamedResource } from '../../deployments/kept.ts';
import type { AwsClients } from '../clients.ts';

/** Enough to see that something is in the way: one alone stops a deployment. */
const MOST_ASKED = 50;
/** An account may ask for 20 summaries of streams a second in a region ("Quotas and limits", Kinesis guide). */
const PARALLEL = 4;

type Asking = (clients: AwsClients, resource: NamedResource) => Promise<unknown>;
const asking: Readonly<Record<KeptType, Asking>> = {
  'AWS::Kinesis::Stream': (clients, { name, region }) =>
    clients.kinesis(region).send(new DescribeStreamSummaryCommand({ StreamName: name })),
  'AWS::DynamoDB::Table': (clients, { name, region }) =>
    clients.documents(region).send(new DescribeTableCommand({ TableName: name })),
};

/** Which of these resources are there already. @throws what AWS throws beside "there is none" */
export async function resourcesThere(
  clients: AwsClients,
  resources: readonly NamedResource[],
): Promise<readonly NamedResource[]> {
  const found = await pMap(
    resources.slice(0, MOST_ASKED),
    async (resource) => {
      try {
        await asking[resource.type](clients, resource);
        return [resource];
      } catch (error) {
        if (callFailure(error).kind === 'missing') return [];
        throw error;
      }
    },
    { concurrency: PARALLEL },
  );
  return found.flat();
}
