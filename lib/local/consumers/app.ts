import { dirname } from 'node:path';
import { App } from 'aws-cdk-lib';
import { drillConsumerFile } from '../../constructs/handlers.ts';
import { readAppSettings } from './settings.ts';
import { ConsumerStack } from './stack.ts';

// The CDK app of a drill's consumers. The file of its settings comes where another app takes its config from.

const app = new App();
const { functionName, regions } = readAppSettings(String(app.node.tryGetContext('config')));
for (const { region, streams, ledger } of regions) {
  new ConsumerStack(app, `${functionName}-${region}`, {
    env: { region, ...(process.env.CDK_DEFAULT_ACCOUNT && { account: process.env.CDK_DEFAULT_ACCOUNT }) },
    functionName,
    streams,
    ledger,
    code: dirname(drillConsumerFile),
  });
}
app.synth();
