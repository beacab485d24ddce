import { Topic } from 'aws-cdk-lib/aws-sns';
import { EmailSubscription } from 'aws-cdk-lib/aws-sns-subscriptions';
import { Construct } from 'constructs';
import { notificationTopicName } from '../../lambda/core/names.ts';
import type { Notify } from '../config/config.ts';

/** The topic of the standby that alarms and the conductor write to. */
export class Notifications extends Construct {
  readonly topic: Topic;

  constructor(scope: Construct, id: string, props: { readonly name: string; readonly notify: Notify }) {
    super(scope, id);
    this.topic = new Topic(this, 'Topic', {
      topicName: notificationTopicName(props.name),
      displayName: `Spillway ${props.name}`,
      enforceSSL: true,
    });
    if (props.notify.email !== undefined) {
      this.topic.addSubscription(new EmailSubscription(props.notify.email));
    }
  }
}
