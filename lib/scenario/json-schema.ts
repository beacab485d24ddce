import { z } from 'zod';
import { scenarioSchema } from './schema.ts';

/**
 * The JSON Schema of a scenario file, for editors: shapes, ranges and descriptions. What a schema cannot say
 * (a fault begins before the scenario ends) is checked when the file is loaded.
 */
export function scenarioJsonSchema(): object {
  return { title: 'Spillway scenario', ...z.toJSONSchema(scenarioSchema, { io: 'input' }) };
}
