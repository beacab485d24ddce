import { createHash } from 'node:crypto';
import type { Config } from './config.ts';

/** Type of the metadata by which an assembly says of which config it is made; the templates do not have it. */
export const CONFIG_MARK = 'spillway:config';

/** The same for the same checked config, in whatever order its keys are. */
export const markOf = (config: Config): string =>
  createHash('sha256').update(JSON.stringify(config, inOrder)).digest('hex');

const inOrder = (_key: string, value: unknown): unknown =>
  typeof value === 'object' && value !== null && !Array.isArray(value)
    ? Object.fromEntries(Object.entries(value).toSorted(([a], [b]) => (a < b ? -1 : 1)))
    : value;
