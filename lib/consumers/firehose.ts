import { DescribeDeliveryStreamCommand, type FirehoseClient } from '@aws-sdk/client-firehose';
import type { FirehoseFacts } from '../../lambda/core/consumer-facts.ts';
import type { Asker } from './asker.ts';

/** A Firehose stream: whether it runs, and what it reads. */
export async function readFirehose(
  asker: Asker,
  { client, name }: { readonly client: Pick<FirehoseClient, 'send'>; readonly name: string },
): Promise<FirehoseFacts> {
  const answer = await asker.ask({
    service: 'Firehose',
    action: 'firehose:DescribeDeliveryStream',
    ask: (abortSignal) =>
      client.send(new DescribeDeliveryStreamCommand({ DeliveryStreamName: name, Limit: 1 }), {
        abortSignal,
      }),
  });
  if (answer === 'missing') return { kind: 'firehose', status: null };
  const described = answer?.value.DeliveryStreamDescription;
  if (described === undefined) return { kind: 'firehose' };
  const { DeliveryStreamStatus: status, Source } = described;
  if (status === 'DELETING') return { kind: 'firehose', status: null };
  const source = Source?.KinesisStreamSourceDescription;
  const problem = described.FailureDescription?.Details;
  const startedAtMs = source?.DeliveryStartTimestamp?.getTime();
  return {
    kind: 'firehose',
    ...(status !== undefined && { status }),
    source: source?.KinesisStreamARN ?? null,
    ...(problem !== undefined && { problem }),
    ...(startedAtMs !== undefined && { startedAtMs }),
  };
}
