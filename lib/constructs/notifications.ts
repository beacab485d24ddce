import { Stack } from 'aws-cdk-lib';
import { PolicyStatement, ServicePrincipal } from 'aws-cdk-lib/aws-iam';
import { Topic } from 'aws-cdk-lib/aws-sns';
import { EmailSubscription } from 'aws-cdk-lib/aws-sns-subscriptions';
import { Construct } from 'constructs';
import { notificationTopicName } from '../../lambda/core/names.ts';
import type { Notify } from '../config/config.ts';

/**
 * The topic of one region: the standby's alarms and the conductor write to the standby's topic, a witness's
 * alarms to the witness's topic.
 */
export class Notifications extends Construct {
  readonly topic: Topic;

  constructor(scope: Construct, id: string, props: { readonly name: string; readonly notify: Notify }) {
    super(scope, id);
    this.topic = new Topic(this, 'Topic', {
      topicName: notificationTopicName(props.name),
      displayName: `Spillway ${props.name}`,
      enforceSSL: true,
    });
    const { region, account } = Stack.of(this);
    // Any policy replaces SNS's default policy, which lets the account's own alarms publish; so this policy
    // has to allow them.
    this.topic.addToResourcePolicy(
      new PolicyStatement({
        sid: 'AlarmsOfThisDeployment',
        principals: [new ServicePrincipal('cloudwatch.amazonaws.com')],
        actions: ['sns:Publish'],
        resources: [this.topic.topicArn],
        conditions: {
          StringEquals: { 'aws:SourceAccount': account },
          ArnLike: { 'aws:SourceArn': `arn:aws:cloudwatch:${region}:${account}:alarm:${props.name}-*` },
        },
      }),
    );
    if (props.notify.email !== undefined) {
      this.topic.addSubscription(new EmailSubscription(props.notify.email));
    }
  }
}
