import {
  DescribeStreamConsumerCommand,
  type KinesisClient,
  ListStreamConsumersCommand,
} from '@aws-sdk/client-kinesis';
import type { FanOutFacts } from '../../lambda/core/consumer-facts.ts';
import type { Asker } from './asker.ts';

export interface RegisteredConsumer {
  readonly name: string;
  readonly arn: string;
  readonly status: string;
}

/** Kinesis takes 20 to 50 registered consumers of a stream; an answer has up to 100. */
const MAX_PAGES = 3;

/** The status of a registered consumer; null: there is none of this name; undefined: not known. */
export async function readFanOut(
  asker: Asker,
  {
    client,
    stream,
    name,
  }: { readonly client: KinesisClient; readonly stream: string; readonly name: string },
): Promise<FanOutFacts> {
  const answer = await asker.ask({
    service: 'Kinesis',
    action: 'kinesis:DescribeStreamConsumer',
    ask: (abortSignal) =>
      client.send(new DescribeStreamConsumerCommand({ StreamARN: stream, ConsumerName: name }), {
        abortSignal,
      }),
  });
  if (answer === 'missing') return { kind: 'enhancedFanOut', status: null };
  const status = answer?.value.ConsumerDescription?.ConsumerStatus;
  if (status === 'DELETING') return { kind: 'enhancedFanOut', status: null };
  return { kind: 'enhancedFanOut', ...(status !== undefined && { status }) };
}

/** Everybody who is registered with the stream; undefined: not known. */
export async function listRegistered(
  asker: Asker,
  { client, stream }: { readonly client: KinesisClient; readonly stream: string },
): Promise<readonly RegisteredConsumer[] | undefined> {
  const found: RegisteredConsumer[] = [];
  let NextToken: string | undefined;
  for (let page = 0; page < MAX_PAGES; page++) {
    const from = NextToken;
    const answer = await asker.ask({
      service: 'Kinesis',
      action: 'kinesis:ListStreamConsumers',
      ask: (abortSignal) =>
        client.send(
          new ListStreamConsumersCommand({
            StreamARN: stream,
            ...(from !== undefined && { NextToken: from }),
          }),
          { abortSignal },
        ),
    });
    if (answer === 'missing') return [];
    if (answer === undefined) return undefined;
    for (const { ConsumerName, ConsumerARN, ConsumerStatus } of answer.value.Consumers ?? []) {
      if (ConsumerName !== undefined && ConsumerARN !== undefined && ConsumerStatus !== 'DELETING')
        found.push({ name: ConsumerName, arn: ConsumerARN, status: ConsumerStatus ?? 'unknown' });
    }
    NextToken = answer.value.NextToken;
    if (!NextToken) return found;
  }
  return undefined;
}
