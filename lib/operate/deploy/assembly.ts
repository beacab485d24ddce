import { readFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { z } from 'zod';
import { witnessStackName } from '../../../lambda/core/names.ts';
import type { Config } from '../../config/config.ts';
import { CONFIG_MARK, markOf } from '../../config/config-mark.ts';
import { type StackKind, stackKindOf } from '../../deployments/stack-kinds.ts';
import { parseTemplate, type Template } from '../../deployments/template.ts';
import { UsageError } from '../errors.ts';

/** A stack of the deployment, as the CDK app makes it. */
export interface SynthesisedStack {
  readonly name: string;
  /** What `cdk deploy` is told: the name, or the path where the app has stages. */
  readonly selector: string;
  readonly region: string;
  readonly kind: StackKind;
  readonly template: Template;
  readonly tags: Readonly<Record<string, string>>;
  /** Names of the stacks of this deployment that come before. */
  readonly dependencies: readonly string[];
  /** Of the config that the app has read, on one of the stacks. */
  readonly configMark?: string;
}

/** Entries by path of the construct: in the manifest, or in a file beside the template. */
const metadataSchema = z.record(z.string(), z.array(z.looseObject({ type: z.string(), data: z.unknown() })));
const manifestSchema = z.object({
  artifacts: z
    .record(
      z.string(),
      z.object({
        type: z.string(),
        environment: z.string().optional(),
        displayName: z.string().optional(),
        dependencies: z.array(z.string()).default([]),
        properties: z
          .object({
            stackName: z.string().optional(),
            templateFile: z.string().optional(),
            directoryName: z.string().optional(),
            tags: z.record(z.string(), z.string()).optional(),
          })
          .optional(),
        metadata: metadataSchema.optional(),
        additionalMetadataFile: z.string().optional(),
      }),
    )
    .default({}),
});

/** Stages may be in stages. */
const MOST_DEPTH = 5;

/**
 * The stacks of the config's deployment in a cloud assembly, those in stages as well. Other stacks of the app
 * are not Spillway's business. @throws UsageError when the app does not make the stacks of this config
 */
export async function readAssembly(directory: string, config: Config): Promise<readonly SynthesisedStack[]> {
  const found = await stacksIn(directory, config, MOST_DEPTH);
  const missing = expectedStacks(config).find(
    ({ name, region }) => !found.some((stack) => stack.name === name && stack.region === region),
  );
  if (missing !== undefined) {
    throw new UsageError(
      `The CDK app makes no stack ${missing.name} in ${missing.region}, as the config wants it: the app reads another config. Name that one with --config, or correct the app.`,
    );
  }
  const mark = found.find(({ configMark }) => configMark !== undefined)?.configMark;
  if (mark !== undefined && mark !== markOf(config)) {
    throw new UsageError(
      'The CDK app makes the stacks of this deployment from another config than this command has read. Name that one with --config, or have the app read this one (cdk.json, or the context value `config`).',
    );
  }
  const names = new Set(found.map(({ name }) => name));
  return found.map((stack) => ({
    ...stack,
    dependencies: stack.dependencies.filter((name) => names.has(name)),
  }));
}

const expectedStacks = ({ name, regions }: Config) => [
  { name: `${name}-primary`, region: regions.primary },
  { name: `${name}-standby`, region: regions.standby },
  ...regions.witnesses.map((region) => ({ name: witnessStackName(name, region), region })),
  { name: `${name}-routing`, region: regions.standby },
];

async function stacksIn(
  directory: string,
  config: Config,
  depth: number,
): Promise<readonly SynthesisedStack[]> {
  const { artifacts } = manifestSchema.parse(await readJson(join(directory, 'manifest.json')));
  const nameOf = (id: string): string => artifacts[id]?.properties?.stackName ?? id;
  const found: SynthesisedStack[] = [];
  for (const [id, artifact] of Object.entries(artifacts)) {
    const { type, environment, displayName, dependencies, properties } = artifact;
    if (type === 'cdk:cloud-assembly' && properties?.directoryName !== undefined && depth > 0) {
      found.push(...(await stacksIn(join(directory, properties.directoryName), config, depth - 1)));
    }
    if (type !== 'aws:cloudformation:stack' || properties?.templateFile === undefined) continue;
    const kind = stackKindOf(nameOf(id), config.name);
    if (kind === undefined) continue;
    const template = parseTemplate(await readJson(join(directory, properties.templateFile)));
    if (template === undefined) throw new UsageError(`The template of ${nameOf(id)} cannot be understood.`);
    const configMark = markIn({
      ...artifact.metadata,
      ...(artifact.additionalMetadataFile === undefined
        ? {}
        : metadataSchema.parse(await readJson(join(directory, artifact.additionalMetadataFile)))),
    });
    found.push({
      ...(configMark === undefined ? {} : { configMark }),
      name: nameOf(id),
      selector: displayName ?? id,
      region: environment?.split('/').at(-1) ?? '',
      kind,
      template,
      tags: properties.tags ?? {},
      dependencies: dependencies.map(nameOf),
    });
  }
  return found;
}

function markIn(metadata: z.infer<typeof metadataSchema>): string | undefined {
  const data = Object.values(metadata)
    .flat()
    .find(({ type }) => type === CONFIG_MARK)?.data;
  return typeof data === 'string' ? data : undefined;
}

async function readJson(file: string): Promise<unknown> {
  try {
    return JSON.parse(await readFile(file, 'utf8'));
  } catch (cause) {
    throw new UsageError(
      `The CDK wrote nothing that can be read to ${dirname(file)}: see what \`npx cdk synth\` says.`,
      { cause },
    );
  }
}
