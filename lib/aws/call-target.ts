import { z } from 'zod';

/** What a call is about, as far as IAM looks at it. */
export interface CallTarget {
  /** The last part of the ARN: `table/shop-state`, `stream/orders`, `stateMachine:shop-conductor`. Absent: not named. */
  readonly resource?: string | undefined;
  /** The partition key of a DynamoDB item or query (`dynamodb:LeadingKeys`). */
  readonly partition?: string | undefined;
  /** Namespace of metrics that are put (`cloudwatch:namespace`). */
  readonly namespace?: string | undefined;
}

const text = z.string().optional().catch(undefined);
/** An attribute as the low-level API writes it, or as the document client is given it. */
const attribute = z
  .union([z.object({ S: z.string() }).transform(({ S }) => S), z.string()])
  .optional()
  .catch(undefined);
const item = z.looseObject({ pk: attribute }).optional().catch(undefined);
/** The input of a command, or the body of its request: both have the same names. */
const inputSchema = z.looseObject({
  TableName: text,
  IndexName: text,
  Key: item,
  Item: item,
  ExpressionAttributeValues: z.looseObject({ ':pk': attribute }).optional().catch(undefined),
  StreamName: text,
  StreamARN: text,
  ConsumerName: text,
  DeliveryStreamName: text,
  Namespace: text,
  stateMachineArn: text,
  executionArn: text,
  TopicArn: text,
  FunctionName: text,
  logGroupName: text,
  Name: text,
  Id: text,
  HostedZoneId: text,
  HealthCheckId: text,
});
type Input = z.infer<typeof inputSchema>;

const lastOf = (arn: string): string => arn.split(':').slice(5).join(':');

const route53Resource = ({ Id, HostedZoneId = Id, HealthCheckId }: Input): string | undefined => {
  if (HealthCheckId !== undefined) return `healthcheck/${HealthCheckId}`;
  return HostedZoneId === undefined ? undefined : `hostedzone/${HostedZoneId}`;
};

const resourceIn = (service: string, input: Input): string | undefined => {
  switch (service) {
    case 'dynamodb':
      if (input.TableName === undefined) return undefined;
      return `table/${input.TableName}${input.IndexName === undefined ? '' : `/index/${input.IndexName}`}`;
    case 'kinesis':
      // GetRecords names an iterator alone.
      if (input.StreamName !== undefined) return `stream/${input.StreamName}`;
      if (input.StreamARN === undefined) return undefined;
      // Its description is about the consumer, whose ARN ends with the time of its registration.
      return input.ConsumerName === undefined
        ? lastOf(input.StreamARN)
        : `${lastOf(input.StreamARN)}/consumer/${input.ConsumerName}:`;
    case 'firehose':
      return input.DeliveryStreamName === undefined
        ? undefined
        : `deliverystream/${input.DeliveryStreamName}`;
    case 'states':
    case 'sfn': {
      const arn = input.stateMachineArn ?? input.executionArn;
      return arn === undefined ? undefined : lastOf(arn);
    }
    case 'sns':
      return input.TopicArn === undefined ? undefined : lastOf(input.TopicArn);
    case 'lambda':
      if (input.FunctionName === undefined) return undefined;
      return input.FunctionName.startsWith('arn:')
        ? lastOf(input.FunctionName)
        : `function:${input.FunctionName}`;
    case 'logs':
    case 'cloudwatchlogs':
      return input.logGroupName === undefined ? undefined : `log-group:${input.logGroupName}`;
    case 'events':
    case 'eventbridge':
      return input.Name === undefined ? undefined : `rule/${input.Name}`;
    case 'route53':
    case 'route-53':
      return route53Resource(input);
    default:
      return undefined;
  }
};

/** Reads what a call is about from its input; a part that is not there is absent. Never throws. */
export function targetOf(service: string, input: unknown): CallTarget {
  const parsed = inputSchema.safeParse(input);
  if (!parsed.success) return {};
  const { Key, Item, ExpressionAttributeValues, Namespace } = parsed.data;
  const resource = resourceIn(service, parsed.data);
  const partition =
    service === 'dynamodb' ? (Key?.pk ?? Item?.pk ?? ExpressionAttributeValues?.[':pk']) : undefined;
  return {
    ...(resource === undefined ? {} : { resource }),
    ...(partition === undefined ? {} : { partition }),
    ...(Namespace === undefined || service !== 'cloudwatch' ? {} : { namespace: Namespace }),
  };
}
