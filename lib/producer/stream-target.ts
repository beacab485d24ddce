import type { Signal } from '../../lambda/core/signal.ts';
import { formatStreamArn, parseStreamArn } from '../../lambda/core/stream-arn.ts';
import type { ProducerOptions } from './options.ts';

/** A stream as requests name it: by its name, in the account of the credentials, or by its ARN. */
export interface StreamTarget {
  readonly stream: string;
  readonly streamArn?: string | undefined;
}

export type StreamOptions = Pick<ProducerOptions, 'streamName' | 'streamArn' | 'accounts'>;

/** The target, or why there is none. */
export type Targeting =
  | { readonly kind: 'target'; readonly target: StreamTarget }
  /** Neither options nor signal name a stream. */
  | { readonly kind: 'nameless' }
  /** The signal names an account that the application does not expect: anybody can write a DNS answer. */
  | { readonly kind: 'unexpected'; readonly account: string };

/** Spillway runs in this partition alone; ARNs that the application gives may be of others. */
const PARTITION = 'aws';

/** The stream to write to in the signal's region. What the options say goes before what the signal says. */
export function targetOf(
  { streamName, streamArn, accounts = [] }: StreamOptions,
  { region, stream, account }: Signal,
): Targeting {
  const arn = streamArn?.[region];
  const parts = arn === undefined ? undefined : parseStreamArn(arn);
  if (parts !== undefined) return target({ stream: parts.name, streamArn: arn });
  const named = typeof streamName === 'string' ? streamName : streamName?.[region];
  if (named !== undefined) return target({ stream: named });
  if (stream === undefined) return { kind: 'nameless' };
  if (account === undefined) return target({ stream });
  if (!accounts.includes(account)) return { kind: 'unexpected', account };
  return target({
    stream,
    streamArn: formatStreamArn({ partition: PARTITION, region, account, name: stream }),
  });
}

const target = (found: StreamTarget): Targeting => ({ kind: 'target', target: found });

/** What is wrong with a signal that gives no target, for people. */
export function targetProblem(targeting: Exclude<Targeting, { kind: 'target' }>, region: string): string {
  return targeting.kind === 'nameless'
    ? `the signal names no stream in ${region}: set \`streamName\``
    : `the signal names a stream of the account ${targeting.account}, which is not one of \`accounts\`: list it there, or give \`streamArn\``;
}
