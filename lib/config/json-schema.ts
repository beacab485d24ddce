import { z } from 'zod';
import { configSchema } from './schema.ts';

/**
 * The JSON Schema of `spillway.config.json`, for editors: shapes, ranges and descriptions. What a schema cannot say
 * (exactly one of `stream` and `streams`, relations between values) is checked when the file is loaded.
 */
export function configJsonSchema(): object {
  return { title: 'Spillway configuration', ...z.toJSONSchema(configSchema, { io: 'input' }) };
}
