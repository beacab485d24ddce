import { isDate } from 'node:util/types';
import { kindOf } from '../kind-of.ts';
import type { ProducerOptions } from '../options.ts';

type Source = NonNullable<ProducerOptions['credentials']>;
/** Who signs. */
export type Identity = Exclude<Source, (...args: never[]) => unknown>;

/** What makes it no identity to sign with; undefined when it is one. Says nothing of what is in it. */
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

/** As the SDK sees it. */
function isMissing(value: unknown): boolean {
  return value === undefined || value === null || value === '';
}

/** Of whatever realm. */
function isValidDate(value: unknown): boolean {
  return isDate(value) && !Number.isNaN(value.getTime());
}

/** It travels in a header: visible ASCII. */
function isHeaderText(value: unknown): boolean {
  return typeof value === 'string' && /^[!-~]+$/.test(value);
}
