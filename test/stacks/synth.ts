import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { App, Stack } from 'aws-cdk-lib';
import { Template } from 'aws-cdk-lib/assertions';
import { onTestFinished } from 'vitest';
import cdkJson from '../../cdk.json' with { type: 'json' };
import { parseConfig } from '../../lib/config/parse.ts';
import type { ConfigInput } from '../../lib/config/schema.ts';
import { addSpillway } from '../../lib/stacks/spillway.ts';

export const input: ConfigInput = {
  name: 'shop',
  zone: { id: 'Z0123456789ABCDEFGHIJ', name: 'example.com' },
  cells: [
    {
      name: 'orders',
      stream: { name: 'orders', existing: true },
      services: [{ name: 'api.orders', type: 'A', primary: '192.0.2.10', standby: '198.51.100.10' }],
    },
    { name: 'clicks', stream: { name: 'clicks', shards: 1 } },
  ],
};

/** An app as `cdk synth` makes it, but for the bundling, which no template depends on. */
export function appOf(config: ConfigInput = input, context: Readonly<Record<string, unknown>> = {}): App {
  const outdir = mkdtempSync(join(tmpdir(), 'spillway-synth-'));
  onTestFinished(() => rmSync(outdir, { recursive: true, force: true }));
  const app = new App({ outdir, context: { ...cdkJson.context, 'aws:cdk:bundling-stacks': [], ...context } });
  addSpillway(app, parseConfig(config, 'test'));
  return app;
}

/** Templates by stack name. */
export function templatesOf(app: App): ReadonlyMap<string, Template> {
  const stacks = app.node.children.filter((child) => child instanceof Stack);
  return new Map(stacks.map((stack) => [stack.stackName, Template.fromStack(stack)]));
}

const synthesised = new Map<string, ReadonlyMap<string, Template>>();
/** Templates by stack name. A config is synthesised once for all test files of a process; nobody changes a template. */
export function templatesFor(config: ConfigInput = input): ReadonlyMap<string, Template> {
  const key = JSON.stringify(config);
  const templates = synthesised.get(key) ?? templatesOf(appOf(config));
  synthesised.set(key, templates);
  return templates;
}
