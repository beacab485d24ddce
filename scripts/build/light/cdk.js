import { createRequire } from 'node:module';

// The construct is in a package of its own, so that an application that only writes records need not install the CDK.
const { defineConfig, ConfigError, loadConfig, PlacementError, KeyMissingError, Spillway } = load();

export { ConfigError, defineConfig, KeyMissingError, loadConfig, PlacementError, Spillway };

function load() {
  try {
    return createRequire(import.meta.url)('spillway-cli/cdk');
  } catch (cause) {
    if (cause.code !== 'MODULE_NOT_FOUND' && cause.code !== 'ERR_MODULE_NOT_FOUND') throw cause;
    throw new Error('spillway/cdk needs two more packages: npm install spillway-cli aws-cdk-lib constructs', {
      cause,
    });
  }
}
