import {
  defaultDelivery,
  defaultHealthCheckQuota,
  defaultMonitoring,
  defaultPolicy,
  defaultRegions,
} from '../config/defaults.ts';
import { configJsonSchema } from '../config/json-schema.ts';
import { REGIONS_CHECKED_ON, regionTable } from '../config/region-table.ts';
import { type SchemaNode, schemaReference } from './schema-reference.ts';

/** `docs/config.md`: every key of the config file, from its schema. */
export function configDocument(): string {
  const defaults = {
    regions: defaultRegions,
    policy: defaultPolicy,
    delivery: defaultDelivery,
    monitoring: defaultMonitoring,
    healthCheckQuota: defaultHealthCheckQuota,
  };
  return `# The config file

Generated from the schema in \`lib/config/schema.ts\`: \`npm run docs\`. A \`spillway.config.ts\` (or \`.mts\`, in a package whose
\`.ts\` files are CommonJS) exports the config as its default export; a \`spillway.config.json\` contains the config itself. \`spillway init\` writes a
config. For editors, \`$schema\` names \`lib/config/config.schema.json\`.

A config that cannot keep its promise is refused when it is loaded, with the path of the value and a fix that works. Examples are
one observer too few, a recovery time shorter than detection, DNS and polling take together, and more health checks than the quota.

${schemaReference(configJsonSchema() as SchemaNode, defaults)}

## Regions

Every region must be in the partition \`aws\`: Spillway does not work in GovCloud, in China, in the European Sovereign Cloud or in isolated
regions. The standby and the witnesses need Lambda function URLs, which Route 53 asks for votes and switches; the primary does not. As of
${REGIONS_CHECKED_ON}, by AWS's documentation and CloudFormation's schemas:

- With function URLs, for every role: ${listed(true)}.
- Without, for the primary alone: ${listed(false)}.

If AWS has opened a region since then, or has added function URLs to one, make sure that it has them, and write the region into
\`regions.confirmed\` as well. Regions that are off until an account enables them must be enabled before the deployment.
`;
}

const listed = (functionUrls: boolean): string =>
  regionTable
    .filter((region) => region.partition === 'aws' && region.functionUrls === functionUrls)
    .map(({ name }) => `\`${name}\``)
    .join(', ');
