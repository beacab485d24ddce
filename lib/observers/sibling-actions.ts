import type { SiblingName } from '../../lambda/core/policy.ts';

/** What the probe of each sibling service calls, as IAM names it. Apart from the probes, so that the stacks load no SDK. */
export const siblingActions: Readonly<Record<SiblingName, string>> = {
  cognito: 'cognito-idp:ListUserPools',
  lambda: 'lambda:GetAccountSettings',
  sqs: 'sqs:ListQueues',
};
