import { expect, it } from 'vitest';
import { schemaReference } from '../../lib/docs/schema-reference.ts';

const rows = (...args: Parameters<typeof schemaReference>): readonly string[] =>
  schemaReference(...args)
    .split('\n')
    .slice(2);

it('has a row for each key, with its range, its default and its meaning', () => {
  const schema = {
    properties: {
      $schema: { type: 'string' },
      name: { type: 'string', description: 'A prefix.' },
      policy: {
        type: 'object',
        properties: { tickMs: { type: 'integer', minimum: 1_000, maximum: 30_000 } },
      },
      cells: {
        type: 'array',
        minItems: 1,
        items: { type: 'object', properties: { group: { type: 'string' } } },
      },
    },
    required: ['name'],
  };
  expect(rows(schema, { policy: { tickMs: 5_000 } })).toEqual([
    '| `name` | text | required | A prefix. |',
    '| `policy` | an object |  |  |',
    '| `policy.tickMs` | a whole number from 1000 to 30000 | `5000` |  |',
    '| `cells` | a list of objects (1 to any number) |  |  |',
    '| `cells[].group` | text |  |  |',
  ]);
});

it('puts alternatives of one place into one row, which is required only where all of them require it', () => {
  const branch = (kind: string, more: object, required: readonly string[]) => ({
    type: 'object',
    properties: { kind: { const: kind }, ...more },
    required: ['kind', ...required],
  });
  const ms = { type: 'number', exclusiveMinimum: 0, maximum: 10 };
  const effect = { anyOf: [branch('error', { ms }, []), branch('latency', { ms }, ['ms'])] };
  expect(rows({ properties: { effect } })).toEqual([
    '| `effect` | an object |  |  |',
    '| `effect.kind` | `error`, or `latency` | required |  |',
    '| `effect.ms` | a number above 0 to 10 |  |  |',
  ]);
});
