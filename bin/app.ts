import { App } from 'aws-cdk-lib';
import { ConfigError } from '../lib/config/errors.ts';
import { loadConfig } from '../lib/config/load.ts';
import { PlacementError } from '../lib/stacks/errors.ts';
import { addSpillway } from '../lib/stacks/spillway.ts';

const app = new App();
const file: unknown = app.node.tryGetContext('config') ?? process.env.SPILLWAY_CONFIG;
try {
  const config = await loadConfig({
    directory: process.cwd(),
    ...(typeof file === 'string' && file !== '' ? { file } : {}),
  });
  addSpillway(app, config);
  app.synth();
} catch (error) {
  // The message of a wrong config says what to do; a stack trace would only hide it.
  if (!(error instanceof ConfigError || error instanceof PlacementError)) throw error;
  process.stderr.write(`${error.message}\n`);
  process.exitCode = 1;
}
