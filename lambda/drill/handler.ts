import { Logger } from '@aws-lambda-powertools/logger';
import { DynamoDBClient } from '@aws-sdk/client-dynamodb';
import { KinesisClient } from '@aws-sdk/client-kinesis';
import { SFNClient } from '@aws-sdk/client-sfn';
import { DynamoDBDocumentClient } from '@aws-sdk/lib-dynamodb';
import type { Context } from 'aws-lambda';
import { clientOf } from '../../lib/aws/clients.ts';
import { awsPorts } from '../../lib/live-drill/aws-ports.ts';
import { liveDrill } from '../../lib/live-drill/live-drill.ts';
import { defaultLimits, type LiveDrillPlan, reserveMs } from '../../lib/live-drill/ports.ts';
import { MetricLog } from '../../lib/metrics/metric-log.ts';
import { DRILL_SETTINGS, parseDrillSettings } from '../../lib/settings/drill.ts';
import { DNS_SERVERS } from '../../lib/settings/observer.ts';
import { requiredVariable } from '../../lib/settings/variables.ts';
import { type DrillRefusal, type DrillResult, refusedEntry } from '../core/drill.ts';
import { drillId } from '../core/journal.ts';

const CALL_TIMEOUT_MS = 3_000;
const MAX_SOCKETS = 16;
const OWNER = 'schedule';
const REASON = 'the weekly drill';

const target = parseDrillSettings(requiredVariable(DRILL_SETTINGS));
const { name, standby, group } = target;
const logger = new Logger({ serviceName: `${name}-drill` });
const metricLog = new MetricLog({ name, service: 'drill' });
const caller = { who: 'drill', timeoutMs: CALL_TIMEOUT_MS, maxSockets: MAX_SOCKETS };
const documents = (region: string): DynamoDBDocumentClient =>
  DynamoDBDocumentClient.from(clientOf(DynamoDBClient, { ...caller, region }), {
    marshallOptions: { removeUndefinedValues: true },
  });
const kinesis = (region: string): KinesisClient => clientOf(KinesisClient, { ...caller, region });
const stepFunctions = clientOf(SFNClient, { ...caller, region: standby });
const dnsServers = process.env[DNS_SERVERS]?.split(',');

export type DrillAnswer = DrillResult | { readonly ok: false; readonly refusals: readonly DrillRefusal[] };

/**
 * Runs the weekly drill, started by an Events rule. It acts as an operator and as an application with one
 * producer, and uses what they use; so this handler, unlike the others, imports from `lib`.
 */
export async function handler(_event: unknown, context: Context): Promise<DrillAnswer> {
  logger.addContext(context);
  const id = context.awsRequestId;
  const ports = awsPorts({
    id,
    target,
    account: context.invokedFunctionArn.split(':')[4],
    documents,
    kinesis,
    stepFunctions,
    ...(dnsServers === undefined ? {} : { dnsServers }),
    connection: { endpoint: () => process.env.AWS_ENDPOINT_URL },
    // Metrics are log lines, because a metric that cannot be sent must not delay the way back.
    publish: async (values) => {
      metricLog.add(values);
      metricLog.flush({ cell: target.cell });
    },
    say: (text) => logger.info(text),
  });
  const controller = new AbortController();
  // Whatever is unfinished at this time, enough time remains to put the cell back.
  const timer = setTimeout(
    () => controller.abort(new Error('the function has little time left')),
    Math.max(0, context.getRemainingTimeInMillis() - reserveMs(defaultLimits)),
  );
  const { cell, primary } = target;
  const plan: LiveDrillPlan = {
    ...{ id, cell, group, primary, standby },
    owner: OWNER,
    reason: REASON,
    signal: controller.signal,
  };
  try {
    const end = await liveDrill(plan, ports);
    const answer = end.end === 'result' ? end.result : { ok: false as const, refusals: end.refusals };
    logger[answer.ok ? 'info' : 'error']('drill ended', { drill: answer });
    // Nobody watches a scheduled drill, so the journal records why it did not run.
    if (end.end === 'refused') {
      const author = { owner: OWNER, reason: REASON, group, atMs: ports.nowMs() };
      await ports.journal(refusedEntry(author, end.refusals), drillId(id));
    }
    return answer;
  } finally {
    clearTimeout(timer);
  }
}
