import { Annotations, type Stack } from 'aws-cdk-lib';
import type { Config } from '../config/config.ts';
import { loneKeyWarning } from '../config/stream-keys.ts';

/** Nothing else would say so before traffic has moved. Said once, not in each region. */
export function warnOfLoneKeys(stack: Stack, { cells }: Config): void {
  const text = loneKeyWarning(cells);
  if (text !== undefined) Annotations.of(stack).addWarningV2('spillway:loneKey', text);
}
