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

const MOST_SHOWN = 5;

/**
 * A warning where a key is given for one region of a cell alone: that may be right, and is more often forgotten. Undefined:
 * every cell has a key in both regions or in none.
 */
export function loneKeyWarning(cells: readonly Cell[]): string | undefined {
  const lone = cells.flatMap(({ name, streams }) => {
    const without = streamRoles.filter((role) => streams[role].kmsKeyArn === undefined);
    return without.length === 1 ? [`${name} has none for the ${without[0]}`] : [];
  });
  if (lone.length === 0) return undefined;
  const shown = `${lone.slice(0, MOST_SHOWN).join(', ')}${lone.length > MOST_SHOWN ? ', …' : ''}`;
  return `kmsKeyArn is given for one region alone (${shown}): if the stream of the other region has a customer-managed key, too, it refuses puts, and a stream of the standby does so only after an evacuation.`;
}
