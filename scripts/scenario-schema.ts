import { writeFileSync } from 'node:fs';
import { scenarioJsonSchema } from '../lib/scenario/json-schema.ts';

/**
 * Writes the JSON Schema that the first line of each scenario points editors to. Run it after a change to
 * `lib/scenario/schema.ts` or the diagnosis table: `npx node scripts/scenario-schema.ts && npm run format`.
 */
const target = new URL('../scenarios/scenario.schema.json', import.meta.url);
writeFileSync(target, `${JSON.stringify(scenarioJsonSchema(), null, 2)}\n`);
