import { markdownTable } from './markdown.ts';

/** The parts of a JSON Schema that the reference shows. */
export interface SchemaNode {
  readonly type?: string | readonly string[];
  readonly description?: string;
  readonly enum?: readonly unknown[];
  readonly const?: unknown;
  readonly pattern?: string;
  readonly minimum?: number;
  readonly maximum?: number;
  readonly exclusiveMinimum?: number;
  readonly exclusiveMaximum?: number;
  readonly minItems?: number;
  readonly maxItems?: number;
  readonly properties?: Readonly<Record<string, SchemaNode>>;
  readonly required?: readonly string[];
  readonly additionalProperties?: SchemaNode | boolean;
  readonly items?: SchemaNode;
  readonly anyOf?: readonly SchemaNode[];
  readonly oneOf?: readonly SchemaNode[];
}

interface Row {
  readonly path: string;
  readonly node: SchemaNode;
  readonly isRequired: boolean;
}

/**
 * Renders every key of a file, by its path, as a Markdown table: the allowed values, the default, and the
 * meaning.
 */
export function schemaReference(
  schema: SchemaNode,
  defaults: Readonly<Record<string, unknown>> = {},
): string {
  const byPath = Map.groupBy(rowsOf(schema, ''), ({ path }) => path);
  return markdownTable(
    ['Key', 'Value', 'Default', 'Meaning'],
    [...byPath].map(([path, rows]) => [
      `\`${path}\``,
      alternatives(rows.map(({ node }) => valuesOf(node))),
      rows.every(({ isRequired }) => isRequired) ? 'required' : defaultOf(path, defaults),
      rows.find(({ node }) => node.description !== undefined)?.node.description ?? '',
    ]),
  );
}

const alternatives = (values: readonly string[]): string => [...new Set(values)].join(', or ');

function defaultOf(path: string, defaults: Readonly<Record<string, unknown>>): string {
  const value = path
    .split('.')
    .reduce<unknown>((at, key) => (at as Record<string, unknown> | undefined)?.[key], defaults);
  if (value === undefined || (typeof value === 'object' && !Array.isArray(value))) return '';
  return `\`${Array.isArray(value) ? JSON.stringify(value) : String(value)}\``;
}

/** Lists the rows of a schema. Alternatives for one key are rows with the same path. */
function rowsOf(node: SchemaNode, path: string): readonly Row[] {
  const own = Object.entries(node.properties ?? {}).flatMap(([key, child]) => {
    if (key === '$schema') return [];
    const at = path === '' ? key : `${path}.${key}`;
    return [
      { path: at, node: child, isRequired: node.required?.includes(key) ?? false },
      ...rowsOf(child, at),
    ];
  });
  const items = node.items === undefined ? [] : rowsOf(node.items, `${path}[]`);
  return [...own, ...items, ...branchesOf(node).flatMap((branch) => rowsOf(branch, path))];
}

const branchesOf = ({ anyOf = [], oneOf = [] }: SchemaNode): readonly SchemaNode[] => [...anyOf, ...oneOf];

function valuesOf(node: SchemaNode): string {
  if (node.const !== undefined) return `\`${String(node.const)}\``;
  if (node.enum !== undefined) return node.enum.map((value) => `\`${String(value)}\``).join(', ');
  if (branchesOf(node).length > 0) return alternatives(branchesOf(node).map(valuesOf));
  switch (node.type) {
    case 'integer':
      return withRange('a whole number', node);
    case 'number':
      return withRange('a number', node);
    case 'boolean':
      return '`true` or `false`';
    case 'array':
      return `a list of ${node.items === undefined ? 'values' : plural(valuesOf(node.items))}${lengthOf(node)}`;
    case 'string':
      return 'text';
    default:
      return 'an object';
  }
}

const plural = (value: string): string =>
  ({ text: 'texts', 'an object': 'objects', 'a whole number': 'whole numbers' })[value] ?? value;

function withRange(what: string, node: SchemaNode): string {
  const { minimum, maximum, exclusiveMinimum, exclusiveMaximum } = node;
  const isBounded = (value: number | undefined): value is number =>
    value !== undefined && Math.abs(value) < Number.MAX_SAFE_INTEGER;
  const parts = [
    ...(isBounded(minimum) ? [`from ${minimum}`] : []),
    ...(isBounded(exclusiveMinimum) ? [`above ${exclusiveMinimum}`] : []),
    ...(isBounded(maximum) ? [`to ${maximum}`] : []),
    ...(isBounded(exclusiveMaximum) ? [`below ${exclusiveMaximum}`] : []),
  ];
  return [what, ...parts].join(' ');
}

function lengthOf({ minItems, maxItems }: SchemaNode): string {
  if (minItems === undefined && maxItems === undefined) return '';
  return ` (${minItems ?? 0} to ${maxItems ?? 'any number'})`;
}
