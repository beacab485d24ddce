import { setTimeout as sleep } from 'node:timers/promises';
import { CloudFormationClient, DescribeStacksCommand, StackStatus } from '@aws-sdk/client-cloudformation';
import { DynamoDBClient } from '@aws-sdk/client-dynamodb';
import { GetHealthCheckStatusCommand, Route53Client } from '@aws-sdk/client-route-53';
import { DynamoDBDocumentClient } from '@aws-sdk/lib-dynamodb';
import type { CloudFormationCustomResourceEvent } from 'aws-lambda';
import { clientOf } from '../../lib/aws/clients.ts';
import { askEndpoint } from '../../lib/endpoint/ask.ts';
import { GUARD_SETTINGS, type Guarded, guardedSchema, parseGuardSettings } from '../../lib/settings/guard.ts';
import { requiredVariable } from '../../lib/settings/variables.ts';
import { DeployedTable } from '../../lib/state/deployed-table.ts';
import { stateTableName } from '../core/names.ts';
import { DeploymentRefusedError } from './errors.ts';
import { forgetStack, type GuardPorts, guardStack } from './guard.ts';
import { respond } from './respond.ts';

const TIMEOUT_MS = 5_000;
const MAX_SOCKETS = 4;
/** GetHealthCheckStatus takes five calls a second in an account ("Quotas", Route 53 guide), which others share. */
const OBSERVE_EVERY_MS = 500;
/** For all checks of a stack together: within the function's time-out, with the wait before and the looks around it. */
const OBSERVE_MS = 240_000;

const { name, standby } = parseGuardSettings(requiredVariable(GUARD_SETTINGS));
const limits = { who: 'guard', timeoutMs: TIMEOUT_MS, maxSockets: MAX_SOCKETS };
const table = new DeployedTable({
  client: DynamoDBDocumentClient.from(clientOf(DynamoDBClient, { ...limits, region: standby })),
  table: stateTableName(name),
  timeoutMs: TIMEOUT_MS,
});
// Deployments are for quiet times: no evacuation waits for this control plane.
const route53 = clientOf(Route53Client, { ...limits, region: 'us-east-1' });
// In a local world all of AWS is at one address, function URLs included, which have no TLS there.
const { AWS_ENDPOINT_URL } = process.env;
const origin = AWS_ENDPOINT_URL === undefined ? undefined : new URL(AWS_ENDPOINT_URL);
const cloudFormation = clientOf(CloudFormationClient, { ...limits, region: standby });
const wait = async (ms: number): Promise<void> => {
  await sleep(ms);
};
const ports: Omit<GuardPorts, 'rollingBack'> = {
  table,
  ask: (endpoint) => askEndpoint(endpoint, { origin, timeoutMs: TIMEOUT_MS }),
  observed,
  sleep: wait,
  nowMs: Date.now,
};

/**
 * Answers CloudFormation before a stack of the routing changes: success lets the records and the quorum
 * follow new checks, failure rolls the stack back with the reason.
 */
export async function handler(event: CloudFormationCustomResourceEvent): Promise<void> {
  const outcome = await outcomeOf(event);
  console.log(JSON.stringify({ message: 'guarded', request: event.RequestType, ...outcome }));
  await respond(event, outcome, wait);
}

async function outcomeOf(event: CloudFormationCustomResourceEvent) {
  const parsed = guardedSchema.safeParse(event.ResourceProperties);
  if (!parsed.success) {
    const physicalId = 'PhysicalResourceId' in event ? event.PhysicalResourceId : `${name}-guard-unknown`;
    // A stack that cannot be understood must still be deletable.
    return event.RequestType === 'Delete'
      ? { physicalId }
      : { physicalId, failure: `The guard does not understand this stack: ${parsed.error.message}` };
  }
  const guarded = parsed.data;
  const physicalId = physicalIdOf(guarded);
  if (event.RequestType === 'Delete') {
    await forgetStack(guarded, ports).catch((error: unknown) =>
      console.error(JSON.stringify({ message: 'a deleted stack is not forgotten', error: String(error) })),
    );
    return { physicalId };
  }
  try {
    await guardStack(
      { after: guarded, isNew: event.RequestType === 'Create' },
      { ...ports, rollingBack: () => rollingBack(event.StackId) },
    );
    return { physicalId };
  } catch (error) {
    if (error instanceof DeploymentRefusedError) return { physicalId, failure: error.message };
    return {
      physicalId,
      failure: `The guard could not look, and nothing is changed without it: ${String(error)}`,
    };
  }
}

/** The same at each update, or CloudFormation would delete what it takes for a replaced resource. */
const physicalIdOf = (guarded: Guarded): string =>
  `${name}-guard-${guarded.Kind === 'cells' ? guarded.Stack : guarded.Kind}`;

/** The same event comes with a rollback as with any update: only the state of the stack tells them apart. */
async function rollingBack(stackId: string): Promise<boolean> {
  try {
    const { Stacks = [] } = await cloudFormation.send(new DescribeStacksCommand({ StackName: stackId }), {
      abortSignal: AbortSignal.timeout(TIMEOUT_MS),
    });
    return Stacks[0]?.StackStatus === StackStatus.UPDATE_ROLLBACK_IN_PROGRESS;
  } catch (error) {
    console.error(JSON.stringify({ message: 'the state of the stack is not known', error: String(error) }));
    return false;
  }
}

/** @throws DeploymentRefusedError when one of the checks has no observation in time. */
async function observed(checkIds: readonly string[]): Promise<void> {
  const untilMs = Date.now() + OBSERVE_MS;
  for (const checkId of checkIds) {
    for (;;) {
      const without = await whyNoData(checkId);
      if (without === undefined) break;
      if (Date.now() >= untilMs) throw withoutData(checkId, without);
      await sleep(OBSERVE_EVERY_MS);
    }
  }
}

/** Undefined when a checker has looked. */
async function whyNoData(checkId: string): Promise<unknown> {
  try {
    const { HealthCheckObservations = [] } = await route53.send(
      new GetHealthCheckStatusCommand({ HealthCheckId: checkId }),
      { abortSignal: AbortSignal.timeout(TIMEOUT_MS) },
    );
    const has = HealthCheckObservations.some(({ StatusReport }) => StatusReport?.Status !== undefined);
    return has ? undefined : 'no checker has looked';
  } catch (error) {
    return error;
  }
}

const withoutData = (checkId: string, cause: unknown): DeploymentRefusedError =>
  new DeploymentRefusedError(
    `Route 53 has no data of health check ${checkId} after four minutes (${String(cause)}): until it has, an inverted check is unhealthy. Deploy again later.`,
    { cause },
  );
