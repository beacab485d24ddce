import { PublishCommand, type SNSClient } from '@aws-sdk/client-sns';
import type { RunReport } from '../../lib/conductor/input.ts';

const SNS_TIMEOUT_MS = 4_000;
const WEBHOOK_TIMEOUT_MS = 4_000;
/** SNS cuts a subject at 100 characters. */
const MAX_SUBJECT = 100;

export interface Channels {
  readonly sns: SNSClient;
  readonly topicArn: string;
  readonly webhook?: string | undefined;
}

/**
 * Reports to the topic and the webhook in parallel, each within its time-out. Returns a sentence for each
 * that failed; never throws, because nothing depends on it.
 */
export async function tell(channels: Channels, report: RunReport, text: string): Promise<readonly string[]> {
  const { sns, topicArn, webhook } = channels;
  const subject = `Spillway ${report.run}: ${report.state}`.slice(0, MAX_SUBJECT);
  const told = await Promise.all([
    attempt('the topic', () =>
      sns.send(new PublishCommand({ TopicArn: topicArn, Subject: subject, Message: text }), {
        abortSignal: AbortSignal.timeout(SNS_TIMEOUT_MS),
      }),
    ),
    ...(webhook === undefined ? [] : [attempt('the webhook', () => post(webhook, report, text))]),
  ]);
  return told.flat();
}

/** `text` is what chat services show; the rest is for programs. */
async function post(webhook: string, report: RunReport, text: string): Promise<void> {
  const answer = await fetch(webhook, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ text, ...report }),
    redirect: 'error',
    signal: AbortSignal.timeout(WEBHOOK_TIMEOUT_MS),
  });
  await answer.body?.cancel();
  if (!answer.ok) throw new Error(`it answered ${answer.status}`);
}

async function attempt(what: string, call: () => Promise<unknown>): Promise<readonly string[]> {
  try {
    await call();
    return [];
  } catch (error) {
    return [`${what} was not told: ${error instanceof Error ? error.message : String(error)}`];
  }
}
