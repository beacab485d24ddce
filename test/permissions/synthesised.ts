import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { App, Stack } from 'aws-cdk-lib';
import { Template } from 'aws-cdk-lib/assertions';
import cdkJson from '../../cdk.json' with { type: 'json' };
import { addSpillway } from '../../lib/stacks/spillway.ts';
import type { StackTemplate } from './deployed.ts';
import type { Deployment } from './expected.ts';

/** The templates of a deployment, as `cdk synth` makes them, but for the code of the functions. */
export function synthesised({ config, account, encryptionKeyArns }: Deployment): readonly StackTemplate[] {
  const outdir = mkdtempSync(join(tmpdir(), 'spillway-permissions-'));
  try {
    const app = new App({ outdir, context: { ...cdkJson.context, 'aws:cdk:bundling-stacks': [] } });
    addSpillway(app, config, { account, ...(encryptionKeyArns === undefined ? {} : { encryptionKeyArns }) });
    return app.node.children
      .filter((child) => child instanceof Stack)
      .map((stack) => ({
        stack: stack.stackName,
        region: stack.region,
        template: Template.fromStack(stack).toJSON() as StackTemplate['template'],
      }));
  } finally {
    rmSync(outdir, { recursive: true, force: true });
  }
}
