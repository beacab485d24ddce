import { isAccountId } from './stream-arn.ts';

/**
 * The signal: the TXT answer that tells any producer, in any language, where to write.
 * `v=1; region=us-east-1; stream=orders` (a cell's signal) or `v=1; region=us-east-1` (the region record). The stream of
 * another account is `v=1; region=us-east-1; stream=orders; account=111122223333`.
 */
export interface Signal {
  readonly region: string;
  /** Absent on the `region.<name>.<zone>` record, which speaks for the quorum alone. */
  readonly stream?: string;
  /** Twelve digits: the account of a stream that is named in the config by its ARN. Only beside a stream. */
  readonly account?: string;
}

export type SignalRejection = 'not-a-signal' | 'unknown-version' | 'malformed' | 'unknown-region';
export type ParsedSignal =
  | { readonly ok: true; readonly signal: Signal }
  | { readonly ok: false; readonly rejection: SignalRejection };

const SIGNAL_VERSION = '1';
/** A DNS character-string holds 255 bytes; a longer text is not a signal of ours. */
const MAX_SIGNAL_LENGTH = 255;
const regionPattern = /^[a-z]{2}(?:-[a-z]+)+-\d{1,2}$/;
const streamPattern = /^[A-Za-z0-9_.-]{1,128}$/;

/** Whether a text is a region name that a signal can carry. */
export function isRegionName(text: string): boolean {
  return regionPattern.test(text);
}

/** Whether a text is a stream name that a signal can carry; the service has the same rule. */
export function isStreamName(text: string): boolean {
  return streamPattern.test(text);
}

/** Text of a signal record, without the quotes Route 53 wants around it. */
export function formatSignal(signal: Signal): string {
  const stream = signal.stream === undefined ? '' : `; stream=${signal.stream}`;
  const account = signal.account === undefined ? '' : `; account=${signal.account}`;
  return `v=${SIGNAL_VERSION}; region=${signal.region}${stream}${account}`;
}

/**
 * Reads one TXT string strictly. Unknown keys are ignored, because a later version may add some. An unknown
 * version, a repeated key, or a region outside `regions` is rejected, so that a false answer cannot name a
 * third region.
 */
export function parseSignal(text: string, regions: readonly string[]): ParsedSignal {
  if (text.length > MAX_SIGNAL_LENGTH || !text.startsWith('v=')) return reject('not-a-signal');
  const fields = new Map<string, string>();
  for (const part of text.split(';')) {
    const [key, value, ...rest] = part.trim().split('=');
    if (!key || value === undefined || rest.length > 0 || fields.has(key)) return reject('malformed');
    fields.set(key, value);
  }
  if (fields.get('v') !== SIGNAL_VERSION) return reject('unknown-version');
  const region = fields.get('region');
  const stream = fields.get('stream');
  if (region === undefined || !isRegionName(region)) return reject('malformed');
  const account = fields.get('account');
  if (stream !== undefined && !isStreamName(stream)) return reject('malformed');
  if (account !== undefined && (stream === undefined || !isAccountId(account))) return reject('malformed');
  if (!regions.includes(region)) return reject('unknown-region');
  const names = stream === undefined ? {} : { stream };
  return { ok: true, signal: { region, ...names, ...(account === undefined ? {} : { account }) } };
}

function reject(rejection: SignalRejection): ParsedSignal {
  return { ok: false, rejection };
}
