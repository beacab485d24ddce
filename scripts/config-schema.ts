import { writeFileSync } from 'node:fs';
import { configJsonSchema } from '../lib/config/json-schema.ts';

/**
 * Writes the JSON Schema that `$schema` in a `spillway.config.json` points to. Run it after a change to
 * `lib/config/schema.ts`: `npx node scripts/config-schema.ts && npm run format`.
 */
const target = new URL('../lib/config/config.schema.json', import.meta.url);
writeFileSync(target, `${JSON.stringify(configJsonSchema(), null, 2)}\n`);
