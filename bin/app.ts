import { App } from 'aws-cdk-lib';
import { ConfigError } from '../lib/config/errors.ts';
import { loadConfig } from '../lib/config/load.ts';
import { HandlersMissingError } from '../lib/constructs/errors.ts';
import { GivenHostsError, PlacementError } from '../lib/stacks/errors.ts';
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
  const isToTheUser = [ConfigError, HandlersMissingError, PlacementError, GivenHostsError].some(
    (kind) => error instanceof kind,
  );
  if (!(isToTheUser && error instanceof Error)) throw error;
  process.stderr.write(`${error.message}\n`);
  process.exitCode = 1;
}
