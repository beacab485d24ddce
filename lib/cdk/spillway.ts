import { Construct } from 'constructs';
import type { Config } from '../config/config.ts';
import { parseConfig } from '../config/parse.ts';
import type { ConfigInput } from '../config/schema.ts';
import { addSpillway, type SpillwayStacksProps } from '../stacks/spillway.ts';
import { featureFlags } from './feature-flags.ts';

export interface SpillwayProps extends SpillwayStacksProps {
  /** The config, as in a `spillway.config.ts`, or as `loadConfig` returns it. */
  readonly config: ConfigInput | Config;
}

/**
 * All stacks of one Spillway, in your own app: Aspects, tags, permissions boundaries and synthesizers of the
 * app apply to them as to any other. The stacks are in several regions, so the scope is an App or a Stage,
 * not a Stack. Their names begin with the config's `name`, whatever the scope.
 *
 * @example
 * const app = new App();
 * new Spillway(app, 'Spillway', { config: await loadConfig({ directory: process.cwd() }) });
 * @throws ConfigError when the config is wrong, PlacementError when a stack would hold too much
 */
export class Spillway extends Construct {
  /** The config with its defaults. */
  readonly config: Config;

  constructor(scope: Construct, id: string, { config, ...props }: SpillwayProps) {
    super(scope, id);
    for (const [flag, value] of Object.entries(featureFlags)) this.node.setContext(flag, value);
    this.config = isLoaded(config) ? config : parseConfig(config, 'the config of new Spillway()');
    addSpillway(this, this.config, props);
  }
}

/** Whether a config is loaded already: only then do its cells say of each stream whether to create it. */
const isLoaded = (config: ConfigInput | Config): config is Config =>
  config.cells.every(({ streams }) => typeof streams?.primary === 'object' && 'create' in streams.primary);
