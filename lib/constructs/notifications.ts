import { Stack } from 'aws-cdk-lib';
import { PolicyStatement, ServicePrincipal } from 'aws-cdk-lib/aws-iam';
import { Topic } from 'aws-cdk-lib/aws-sns';
import { EmailSubscription } from 'aws-cdk-lib/aws-sns-subscriptions';
import { Construct } from 'constructs';
import { notificationTopicName } from '../../lambda/core/names.ts';
import type { Notify } from '../config/config.ts';

/** The topic of one region: the standby's alarms and the conductor write to its, a witness's alarms to the witness's. */
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
    // Any policy replaces the one that SNS gives a new topic, which lets the account's own alarms in.
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
