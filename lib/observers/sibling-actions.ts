import type { SiblingName } from '../../lambda/core/policy.ts';

/**
 * The IAM action that the probe of each sibling service needs. Kept apart from the probes, so that the stacks
 * load no SDK.
 */
export const siblingActions: Readonly<Record<SiblingName, string>> = {
  cognito: 'cognito-idp:ListUserPools',
  lambda: 'lambda:GetAccountSettings',
  sqs: 'sqs:ListQueues',
};
