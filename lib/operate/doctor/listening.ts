import { ListSubscriptionsByTopicCommand, type Subscription } from '@aws-sdk/client-sns';
import { GetCallerIdentityCommand } from '@aws-sdk/client-sts';
import { notificationTopicName } from '../../../lambda/core/names.ts';
import { observerRegions } from '../../config/config.ts';
import { type Check, type Finding, type Found, ill, type Unchecked, well } from './check.ts';

const CHECK = 'alarms are heard';
/** What SNS gives in place of an ARN until somebody has followed the link in its message. */
const PENDING = 'PendingConfirmation';

/**
 * Checks that the alarms have subscribers: an alarm without a subscriber is useless, and each observing
 * region has a topic of its own.
 */
export const listening: Check = {
  check: CHECK,
  purpose: 'somebody is subscribed to the topic of every observing region',
  region: ({ regions }) => regions.standby,
  run: async ({ clients, config, local }) => {
    if (local) return [well(CHECK, 'not checked: a local world notifies nobody')];
    const regions = observerRegions(config.regions);
    const { Account } = await clients.identity(config.regions.standby).send(new GetCallerIdentityCommand({}));
    const subscribed = await Promise.all(
      regions.map(async (region): Promise<TopicSubscriptions | Unchecked> => {
        const TopicArn = `arn:aws:sns:${region}:${Account}:${notificationTopicName(config.name)}`;
        // The first page, of 100, shows whether there is a subscriber.
        try {
          const { Subscriptions = [] } = await clients
            .notifications(region)
            .send(new ListSubscriptionsByTopicCommand({ TopicArn }));
          return { region, TopicArn, Subscriptions };
        } catch (error) {
          return { check: CHECK, region, what: `the topic in ${region}`, error };
        }
      }),
    );
    const found = subscribed.flatMap((topic): readonly Found[] =>
      'error' in topic ? [topic] : [topicFinding(topic) ?? []].flat(),
    );
    return found.length > 0 ? found : [well(CHECK, `each of ${regions.length} topics has a subscriber`)];
  },
};

export interface TopicSubscriptions {
  readonly region: string;
  readonly TopicArn: string;
  readonly Subscriptions: readonly Subscription[];
}

/** Pure. Undefined when the topic has a subscriber. */
export function topicFinding({ region, TopicArn, Subscriptions }: TopicSubscriptions): Finding | undefined {
  if (Subscriptions.some(({ SubscriptionArn = PENDING }) => SubscriptionArn !== PENDING)) return undefined;
  if (Subscriptions.length > 0) {
    const addresses = Subscriptions.map(({ Endpoint = 'somebody' }) => Endpoint).join(', ');
    return ill(
      CHECK,
      `${region}: ${addresses} has not confirmed`,
      'Follow the link in the message from AWS; after three days the link has expired: subscribe again.',
    );
  }
  return ill(
    CHECK,
    `${region}: nobody is subscribed to the alarms of this region`,
    `Set notify.email and deploy, or: aws sns subscribe --region ${region} --topic-arn ${TopicArn} --protocol https --notification-endpoint URL`,
  );
}
