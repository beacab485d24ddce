import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { configJsonSchema } from '../../lib/config/json-schema.ts';

test('the published schema is up to date: else run scripts/config-schema.ts', () => {
  const published = readFileSync(new URL('../../lib/config/config.schema.json', import.meta.url), 'utf8');
  expect(JSON.parse(published)).toEqual(configJsonSchema());
});

test('the schema says what an editor needs: required keys, no others, ranges and descriptions', () => {
  expect(configJsonSchema()).toMatchObject({
    required: ['name', 'zone', 'cells'],
    additionalProperties: false,
    properties: {
      $schema: { type: 'string' },
      policy: { properties: { tickMs: { type: 'integer', minimum: 1_000, maximum: 30_000 } } },
      healthCheckQuota: { description: expect.stringContaining('200') },
    },
  });
});
