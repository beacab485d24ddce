import { writeFileSync } from 'node:fs';
import { execa } from 'execa';
import { ensureEnvironment } from '../lib/local/localstack/environment.ts';

/**
 * Writes `lib/config/region-table.ts`: `npx node scripts/regions.ts && npm run format`. Run it after an upgrade of the SDK or of
 * cfn-lint (`lib/local/localstack/requirements.lock`), and set `CHECKED_ON` to the day.
 *
 * Names, places and partitions are the SDK's own (`@aws-sdk/core`, the version in package-lock.json). A region counts as one
 * with Lambda function URLs if CloudFormation's schema of the region, as cfn-lint has it, knows `AWS::Lambda::Url`, and if
 * AWS's documentation does not except it.
 */

const CHECKED_ON = '2026-11-30';
/** "Function URLs are not supported in the following AWS Regions": Creating and managing Lambda function URLs, AWS Lambda Developer Guide. */
const EXCEPTED_BY_DOCUMENTATION: ReadonlySet<string> = new Set([
  'ap-east-2',
  'ap-south-2',
  'ap-southeast-4',
  'ap-southeast-5',
  'ap-southeast-6',
  'ap-southeast-7',
  'ca-west-1',
  'eu-central-2',
  'eu-south-2',
  'il-central-1',
  'me-central-1',
]);
/** cfn-lint has no schema of these. The first is older than the page and not excepted there; the others are newer. */
const WITHOUT_SCHEMA: Readonly<Record<string, boolean>> = {
  'me-south-1': true,
  'me-west-1': false,
  'sa-west-1': false,
};

interface Partition {
  readonly id: string;
  readonly regionRegex: string;
  readonly regions: Readonly<Record<string, { readonly description: string }>>;
}
const { partitionsInfo } = (await import(
  new URL(
    '../node_modules/@aws-sdk/core/dist-es/submodules/client/util-endpoints/lib/aws/partitions.js',
    import.meta.url,
  ).href
)) as { readonly partitionsInfo: { readonly partitions: readonly Partition[] } };
const { partitions } = partitionsInfo;

const LIST_SCHEMAS = `
import json
from cfnlint.schema.manager import PROVIDER_SCHEMA_MANAGER as manager
schemas = {file.stem: json.loads(file.read_text()) for file in manager._providers_dir.glob("*-*.json")}
print(json.dumps({region: "AWS::Lambda::Url" in types for region, types in schemas.items()}))
`;
const { python } = await ensureEnvironment();
const { stdout } = await execa(python, ['-c', LIST_SCHEMAS]);
const schemas: Readonly<Record<string, boolean>> = JSON.parse(stdout);

function hasFunctionUrls(region: string): boolean {
  const has = schemas[region] ?? WITHOUT_SCHEMA[region];
  if (has === undefined)
    throw new Error(`cfn-lint has no schema of ${region}: say in WITHOUT_SCHEMA what it has`);
  return has && !EXCEPTED_BY_DOCUMENTATION.has(region);
}

/** What the names of a partition's regions begin with: its pattern, as far as that is literal. */
const prefixOf = ({ regionRegex }: Partition): string =>
  (/^\^((?:\\-|[a-z])+)/.exec(regionRegex)?.[1] ?? '').replaceAll('\\', '');

const rows = partitions
  .flatMap(({ id, regions }) =>
    Object.entries(regions)
      .filter(([name]) => !name.endsWith('-global'))
      .map(([name, { description }]) => ({ name, place: description, partition: id })),
  )
  .map((row) => ({ ...row, functionUrls: row.partition === 'aws' && hasFunctionUrls(row.name) }))
  .toSorted((a, b) => (a.name < b.name ? -1 : 1));
const prefixes = partitions.filter(({ id }) => id !== 'aws').map((each) => [prefixOf(each), each.id]);

writeFileSync(
  new URL('../lib/config/region-table.ts', import.meta.url),
  `/** Written by scripts/regions.ts, which says where it is from. The day on which it was compared with AWS. */
export const REGIONS_CHECKED_ON = '${CHECKED_ON}';

export interface AwsRegion {
  readonly name: string;
  readonly place: string;
  readonly partition: string;
  /** Whether AWS is known to have Lambda function URLs there; not looked up for other partitions. */
  readonly functionUrls: boolean;
}

/** The regions of AWS, by name. */
// biome-ignore format: a row each
export const regionTable: readonly AwsRegion[] = [
${rows.map(({ name, place, partition, functionUrls }) => `  { name: '${name}', place: '${place}', partition: '${partition}', functionUrls: ${functionUrls} },`).join('\n')}
];

/** What the names of all regions of another partition begin with, also of those that are not in the table. */
export const otherPartitions: readonly (readonly [prefix: string, partition: string])[] = [
${prefixes.map(([prefix, id]) => `  ['${prefix}', '${id}'],`).join('\n')}
];
`,
);
