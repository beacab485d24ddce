import type { Role } from '../../lambda/core/role.ts';
import type { Cell } from './config.ts';
import { streamRoles } from './stream-names.ts';

// The customer-managed keys of streams, and who needs them: whoever puts into an encrypted stream generates data keys,
// whoever reads it decrypts ("Permissions to use user-generated KMS keys", Kinesis Data Streams Developer Guide).

export interface StreamKey {
  readonly region: string;
  readonly arn: string;
}

/** `arn:aws:kms:us-east-1:…` → `us-east-1`. */
export const regionOfArn = (arn: string): string => arn.split(':')[3] ?? '';

/** The keys of these cells' streams, each once. */
export function streamKeys(
  cells: readonly Cell[],
  roles: readonly Role[] = streamRoles,
): readonly StreamKey[] {
  const arns = roles.flatMap((role) => cells.flatMap(({ streams }) => streams[role].kmsKeyArn ?? []));
  return [...new Set(arns)].map((arn) => ({ region: regionOfArn(arn), arn }));
}

/** The service that uses a key for its caller: no right is one to use the key directly. */
export const viaKinesis = (region: string): string => `kinesis.${region}.amazonaws.com`;
