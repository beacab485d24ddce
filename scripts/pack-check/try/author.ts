import { App, Tags, Validations } from 'aws-cdk-lib';
import { RetentionDays } from 'aws-cdk-lib/aws-logs';
import { AwsSolutionsChecks } from 'cdk-nag';
import { defineConfig, Spillway } from 'spillway/cdk';

const config = defineConfig({
  name: 'shop',
  zone: { id: 'Z0123456789ABCDEFGHIJ', name: 'shop.example.com' },
  cells: [{ name: 'orders', stream: { name: 'orders', existing: true } }],
});
const keys = Object.fromEntries(
  ['us-west-2', 'us-east-2', 'eu-west-1'].map((region) => [
    region,
    `arn:aws:kms:${region}:111111111111:key/1234abcd-12ab-34cd-56ef-1234567890ab`,
  ]),
);
const app = new App({
  context: { '@aws-cdk/core:permissionsBoundary': { name: 'developers' } },
  outdir: 'cdk.out',
});
new Spillway(app, 'Spillway', {
  config,
  account: '111111111111',
  logRetention: RetentionDays.ONE_YEAR,
  encryptionKeyArns: keys,
});
Tags.of(app).add('team', 'payments');
Validations.of(app).addPlugins(new AwsSolutionsChecks(app));
app.synth();
