import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { App, Stack, Stage, Tags } from 'aws-cdk-lib';
import { expect, it, onTestFinished } from 'vitest';
import cdkJson from '../../cdk.json' with { type: 'json' };
import { Spillway } from '../../lib/cdk/spillway.ts';
import { parseConfig } from '../../lib/config/parse.ts';
import { readAssembly } from '../../lib/operate/deploy/assembly.ts';
import { UsageError } from '../../lib/operate/errors.ts';
import { input } from '../stacks/synth.ts';

function app(): App {
  const outdir = mkdtempSync(join(tmpdir(), 'spillway-assembly-'));
  onTestFinished(() => rmSync(outdir, { recursive: true, force: true }));
  return new App({ outdir, context: { ...cdkJson.context, 'aws:cdk:bundling-stacks': [] } });
}
const config = parseConfig(input, 'test');

it('the stacks of an own app are read, those in stages as well, and others left alone', async () => {
  const own = app();
  const other = new Stack(own, 'Other');
  const prod = new Stage(own, 'Prod');
  Tags.of(prod).add('team', 'streams');
  const spillway = new Spillway(prod, 'Spillway', { config: input });
  expect(spillway.config.name).toBe('shop');
  own.synth();
  const stacks = await readAssembly(own.outdir, config);
  expect(stacks.map(({ name }) => name)).not.toContain(other.stackName);
  expect(stacks.map(({ name, kind, region }) => [name, kind, region])).toEqual([
    ['shop-primary', 'primary', 'us-east-1'],
    ['shop-standby', 'standby', 'us-west-2'],
    ['shop-witness-us-east-2', 'witness', 'us-east-2'],
    ['shop-witness-eu-west-1', 'witness', 'eu-west-1'],
    ['shop-routing', 'routing', 'us-west-2'],
    ['shop-routing-cells-1', 'cells', 'us-west-2'],
  ]);
  const cells = stacks.at(-1);
  expect(cells?.selector).toMatch(/^Prod\/.*shop-routing-cells-1$/);
  expect(cells?.dependencies).toEqual(expect.arrayContaining(['shop-standby', 'shop-routing']));
  expect(cells?.tags).toEqual({ team: 'streams' });
});

it('an app that makes the stacks of another config is refused', async () => {
  const own = app();
  new Spillway(own, 'Spillway', { config: { ...input, name: 'store' } });
  own.synth();
  const reading = readAssembly(own.outdir, config);
  await expect(reading).rejects.toThrow(UsageError);
  await expect(reading).rejects.toThrow(/no stack shop-primary in us-east-1/);
});
