import type { Template } from './template.ts';

/** Resources with names of their own that outlive their stack, with the property that holds the name. */
const nameOf = {
  'AWS::Kinesis::Stream': 'Name',
  'AWS::DynamoDB::Table': 'TableName',
} as const;
export type KeptType = keyof typeof nameOf;

export interface NamedResource {
  readonly type: KeptType;
  readonly name: string;
  readonly region: string;
}

/** A stack as the app makes it and as it is deployed. */
export interface StackOfNames {
  readonly region: string;
  readonly before: Template | undefined;
  readonly after: Template;
}

const isKept = (type: string): type is KeptType => type in nameOf;

/**
 * What a deployment would create under a name of its own. CloudFormation creates such a resource anew when its
 * logical id is new, and stops when the name is there already: from the same stack under another logical id
 * (a renamed cell), kept by a stack that was destroyed, or somebody else's.
 */
export function namedToCreate(stacks: readonly StackOfNames[]): readonly NamedResource[] {
  return stacks.flatMap(({ before, after, region }) =>
    Object.entries(after.Resources).flatMap(([logicalId, { Type: type, Properties }]) => {
      if (!isKept(type)) return [];
      const name = Properties[nameOf[type]];
      const same = before?.Resources[logicalId]?.Properties[nameOf[type]] === name;
      return typeof name !== 'string' || same ? [] : [{ type, name, region }];
    }),
  );
}
