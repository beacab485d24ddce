import { isDate } from 'node:util/types';
import { kindOf } from '../kind-of.ts';
import type { ProducerOptions } from '../options.ts';

type Source = NonNullable<ProducerOptions['credentials']>;
/** The identity that signs requests. */
export type Identity = Exclude<Source, (...args: never[]) => unknown>;

/**
 * Why a value is no identity to sign with; undefined when it is one. The text contains nothing of the value.
 */
export function identityProblem(value: unknown): string | undefined {
  if (typeof value !== 'object' || value === null) return `it is ${kindOf(value)}`;
  const { accessKeyId, secretAccessKey, sessionToken, expiration } = value as Record<string, unknown>;
  if (!isHeaderText(accessKeyId)) return '`accessKeyId` is no text, or empty';
  if (typeof secretAccessKey !== 'string' || secretAccessKey === '') {
    return '`secretAccessKey` is no text, or empty';
  }
  if (!isMissing(sessionToken) && !isHeaderText(sessionToken)) return '`sessionToken` is no text';
  return isMissing(expiration) || isValidDate(expiration) ? undefined : '`expiration` is no valid Date';
}

/** Whether a field counts as missing for the SDK. */
function isMissing(value: unknown): boolean {
  return value === undefined || value === null || value === '';
}

/** Accepts dates of any realm. */
function isValidDate(value: unknown): boolean {
  return isDate(value) && !Number.isNaN(value.getTime());
}

/** Visible ASCII, because the value is sent in a header. */
function isHeaderText(value: unknown): boolean {
  return typeof value === 'string' && /^[!-~]+$/.test(value);
}
