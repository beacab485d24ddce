import { isDeepStrictEqual } from 'node:util';
import { z } from 'zod';

const resourceSchema = z.looseObject({
  Type: z.string(),
  Properties: z.record(z.string(), z.unknown()).default({}),
});
const templateSchema = z.looseObject({
  Resources: z.record(z.string(), resourceSchema).default({}),
});

/** A CloudFormation template, as far as Spillway looks at one; everything else in it is kept. */
export type Template = Readonly<z.infer<typeof templateSchema>>;
export type Resource = Readonly<z.infer<typeof resourceSchema>>;

/** Undefined for what is no template. */
export function parseTemplate(value: unknown): Template | undefined {
  const parsed = templateSchema.safeParse(value);
  return parsed.success ? parsed.data : undefined;
}

/** Outputs by stack name, as deployed now. */
export type OutputsOf = ReadonlyMap<string, Readonly<Record<string, string>>>;

const reference = z.object({
  'Fn::GetStackOutput': z.object({ StackName: z.string(), OutputName: z.string() }),
});

/**
 * Puts the values of other stacks' outputs where a template refers to them, as far as they are known. Two
 * templates with the same values do the same, whichever of them has references and whichever has literals.
 */
export function withOutputs<Value>(value: Value, outputs: OutputsOf): Value {
  return replaced(value, outputs) as Value;
}

function replaced(value: unknown, outputs: OutputsOf): unknown {
  if (Array.isArray(value)) return value.map((each) => replaced(each, outputs));
  if (typeof value !== 'object' || value === null) return value;
  const parsed = reference.safeParse(value);
  if (parsed.success) {
    const { StackName, OutputName } = parsed.data['Fn::GetStackOutput'];
    return outputs.get(StackName)?.[OutputName] ?? value;
  }
  return Object.fromEntries(Object.entries(value).map(([key, each]) => [key, replaced(each, outputs)]));
}

export type ResourceChangeKind = 'added' | 'changed' | 'removed';

export interface ResourceChange {
  readonly logicalId: string;
  readonly type: string;
  readonly kind: ResourceChangeKind;
  /** Top-level properties that differ; empty when something beside the properties does. */
  readonly properties: readonly string[];
}

export interface TemplateDiff {
  readonly resources: readonly ResourceChange[];
  /** Something outside the resources differs: an output, a parameter, the description. */
  readonly besides: boolean;
}

/** What differs between two templates. */
export function diffOf(before: Template | undefined, after: Template): TemplateDiff {
  const { Resources: was = {}, ...wasBeside } = before ?? {};
  const { Resources: is, ...isBeside } = after;
  const resources = [...new Set([...Object.keys(was), ...Object.keys(is)])].flatMap((logicalId) =>
    changeOf(logicalId, was[logicalId], is[logicalId]),
  );
  return { resources, besides: !isDeepStrictEqual(wasBeside, isBeside) };
}

export const isEmpty = ({ resources, besides }: TemplateDiff): boolean => resources.length === 0 && !besides;

function changeOf(
  logicalId: string,
  was: Resource | undefined,
  is: Resource | undefined,
): readonly ResourceChange[] {
  if (was === undefined) {
    return is === undefined ? [] : [{ logicalId, type: is.Type, kind: 'added', properties: [] }];
  }
  if (is === undefined) return [{ logicalId, type: was.Type, kind: 'removed', properties: [] }];
  if (isDeepStrictEqual(was, is)) return [];
  const names = new Set([...Object.keys(was.Properties), ...Object.keys(is.Properties)]);
  const properties = [...names].filter(
    (name) => !isDeepStrictEqual(was.Properties[name], is.Properties[name]),
  );
  return [{ logicalId, type: is.Type, kind: 'changed', properties }];
}
