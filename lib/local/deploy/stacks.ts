import { setTimeout as sleep } from 'node:timers/promises';
import {
  CloudFormationClient,
  DeleteStackCommand,
  DescribeStackEventsCommand,
  DescribeStacksCommand,
  type StackStatus,
} from '@aws-sdk/client-cloudformation';

/** A stack as the assembly names it. */
export interface StackPlace {
  readonly name: string;
  readonly region: string;
}

const deleteTimeoutMs = 60_000;
const deletePollMs = 200;
const deleteAttempts = 3;

export function cloudFormation(localstackUrl: string, region: string): CloudFormationClient {
  return new CloudFormationClient({
    endpoint: localstackUrl,
    region,
    credentials: { accessKeyId: 'test', secretAccessKey: 'test' },
  });
}

/** Undefined when there is no such stack. */
export async function stackStatus(
  client: CloudFormationClient,
  name: string,
): Promise<StackStatus | undefined> {
  try {
    const { Stacks } = await client.send(new DescribeStacksCommand({ StackName: name }));
    return Stacks?.[0]?.StackStatus;
  } catch (error) {
    if (error instanceof Error && error.name === 'ValidationError') return undefined;
    throw error;
  }
}

/**
 * Deletes a stack whose creation failed, which can only be deleted. LocalStack's first attempt ends in
 * DELETE_FAILED if the stack had not created all of its resources; the next attempt succeeds.
 */
export async function deleteIfRolledBack(client: CloudFormationClient, name: string): Promise<void> {
  const deadline = performance.now() + deleteTimeoutMs;
  let status = await stackStatus(client, name);
  if (status !== 'ROLLBACK_COMPLETE' && status !== 'ROLLBACK_FAILED' && status !== 'CREATE_FAILED') return;
  for (let attempt = 0; attempt < deleteAttempts && status !== undefined; attempt++) {
    await client.send(new DeleteStackCommand({ StackName: name }));
    do {
      await sleep(deletePollMs);
      status = await stackStatus(client, name);
    } while (status === 'DELETE_IN_PROGRESS' && performance.now() < deadline);
    if (status === 'DELETE_COMPLETE') return;
  }
}

/**
 * The first resource that has failed since a given time, and why; undefined when none is known. The time is
 * needed because a stack keeps the events of earlier deployments.
 */
export async function failureOf(
  client: CloudFormationClient,
  { name, sinceMs }: { readonly name: string; readonly sinceMs: number },
): Promise<string | undefined> {
  const status = await stackStatus(client, name);
  if (status === undefined || !/FAILED|ROLLBACK/.test(status)) return undefined;
  const { StackEvents = [] } = await client.send(new DescribeStackEventsCommand({ StackName: name }));
  const failed = StackEvents.findLast(
    (event) =>
      event.ResourceStatus?.endsWith('_FAILED') &&
      event.ResourceType !== 'AWS::CloudFormation::Stack' &&
      (event.Timestamp?.getTime() ?? 0) >= sinceMs,
  );
  if (!failed) return undefined;
  const reason = failed.ResourceStatusReason ?? 'no reason given';
  return `Stack ${name}: ${failed.LogicalResourceId} (${failed.ResourceType}) is ${failed.ResourceStatus}: ${reason}`;
}
