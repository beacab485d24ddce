export type { Config } from '../config/config.ts';
export { defineConfig } from '../config/define.ts';
export { ConfigError } from '../config/errors.ts';
export { loadConfig } from '../config/load.ts';
export type { ConfigInput } from '../config/schema.ts';
export { KeyMissingError, PlacementError } from '../stacks/errors.ts';
export { Spillway, type SpillwayProps } from './spillway.ts';
