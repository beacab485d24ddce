import type { ConfigInput } from '../../lib/config/schema.ts';
import ownConfig from '../../spillway.config.ts';

/** The account of LocalStack. */
export const LOCAL_ACCOUNT = '000000000000';

const keyIn = (region: string): string =>
  `arn:aws:kms:${region}:${LOCAL_ACCOUNT}:key/00000000-0000-4000-8000-000000000001`;
const kmsKeyArn = { primary: keyIn('us-east-1'), standby: keyIn('us-west-2') };

/** The config of this clone, with keys of its owner for the stream that exists: producers, probes and reads meet them. */
export const sealedConfig: ConfigInput = {
  ...ownConfig,
  cells: ownConfig.cells.map((cell) =>
    cell.name === 'orders' ? { ...cell, stream: { name: 'orders', existing: true, kmsKeyArn } } : cell,
  ),
};
