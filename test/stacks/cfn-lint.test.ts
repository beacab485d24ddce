import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { App } from 'aws-cdk-lib';
import { RetentionDays } from 'aws-cdk-lib/aws-logs';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import cdkJson from '../../cdk.json' with { type: 'json' };
import { type Config, observerRegions } from '../../lib/config/config.ts';
import { parseConfig } from '../../lib/config/parse.ts';
import { regionTable } from '../../lib/config/region-table.ts';
import { ensureEnvironment } from '../../lib/local/localstack/environment.ts';
import { configFile } from '../../lib/operate/init-config.ts';
import { addSpillway, type SpillwayStacksProps } from '../../lib/stacks/spillway.ts';
import spillwayConfig from '../../spillway.config.ts';
import { type LintError, lintErrors } from './cfn-lint.ts';

/** The first run in a clone installs LocalStack, which cfn-lint comes with. */
const INSTALL_TIMEOUT_MS = 300_000;

const zone = { id: 'Z0123456789ABCDEFGHIJ', name: 'example.com' };
/** Everything that adds a resource to some stack, with names in several stacks. */
const everything = parseConfig(
  {
    name: 'everything',
    zone,
    cellStacks: 2,
    cells: [
      {
        name: 'orders',
        streams: { primary: { name: 'orders', existing: true }, standby: { name: 'orders-west', shards: 2 } },
        services: [
          {
            name: 'api.orders',
            type: 'A',
            primary: '192.0.2.10',
            standby: ['198.51.100.10', '198.51.100.11'],
          },
          { name: 'api.orders', type: 'AAAA', primary: '2001:db8::1', standby: '2001:db8::2' },
          { name: 'www.orders', type: 'CNAME', primary: 'east.example.net', standby: 'west.example.net' },
        ],
      },
      { name: 'clicks', stream: 'clicks', group: 'web' },
      { name: 'views', stream: 'views', group: 'web' },
      { name: 'drills', stream: { name: 'drills', shards: 1 } },
    ],
    policy: { siblingProbes: ['cognito', 'lambda', 'sqs'], beacons: 'move' },
    drill: { cell: 'drills' },
    beacons: true,
    notify: { email: 'oncall@example.com', webhook: 'https://example.com/hook' },
  },
  'test',
);
const account = '111111111111';
const keyOf = (region: string): string =>
  `arn:aws:kms:${region}:${account}:key/1234abcd-12ab-34cd-56ef-1234567890ab`;
const protection: SpillwayStacksProps = {
  account,
  logRetention: RetentionDays.ONE_YEAR,
  encryptionKeyArns: Object.fromEntries(
    observerRegions(everything.regions).map((region) => [region, keyOf(region)]),
  ),
};
const initialised = configFile({ zoneId: zone.id, zoneName: zone.name, streams: ['orders'] }, 'test.json');

const shipped: readonly (readonly [name: string, config: Config, props?: SpillwayStacksProps])[] = [
  ['spillway.config.ts', parseConfig(spillwayConfig, 'spillway.config.ts')],
  ['spillway init', initialised.config],
  ['every key', everything, protection],
];

interface Synthesised {
  readonly file: string;
  readonly region: string;
}

/** The templates of an app, as `cdk synth` writes them, each with the region of its stack. */
function synthesised(
  directory: string,
  [name, config, props]: (typeof shipped)[number],
): readonly Synthesised[] {
  const context = { ...cdkJson.context, 'aws:cdk:bundling-stacks': [] };
  const app = new App({ outdir: join(directory, name), context });
  addSpillway(app, config, props);
  const { stacks } = app.synth();
  return stacks.map(({ templateFullPath, environment }) => ({
    file: templateFullPath,
    region: environment.region,
  }));
}

/** What Spillway did once: it took the URL of another stack apart. And a property that does not exist. */
const wrong = {
  Resources: {
    Topic: {
      Type: 'AWS::SNS::Topic',
      Properties: {
        DisplayName: {
          'Fn::Select': [
            2,
            { 'Fn::Split': ['/', { 'Fn::GetStackOutput': { StackName: 'other', OutputName: 'Url' } }] },
          ],
        },
        Colour: 'red',
      },
    },
  },
};
const functionUrl = {
  Resources: {
    Url: { Type: 'AWS::Lambda::Url', Properties: { AuthType: 'NONE', TargetFunctionArn: 'function' } },
  },
};
const withFunctionUrls = regionTable.filter(({ functionUrls }) => functionUrls).map(({ name }) => name);

function written(directory: string, name: string, template: object): string {
  const file = join(directory, `${name}.template.json`);
  writeFileSync(file, JSON.stringify(template));
  return file;
}

/** It has no function URLs. */
const ZURICH = 'eu-central-2';

describe('cfn-lint', () => {
  let directory: string;
  let templates: readonly Synthesised[];
  let errors: Readonly<Record<'shipped' | 'wrong' | 'listed' | 'unlisted', readonly LintError[]>>;
  beforeAll(async () => {
    const { python } = await ensureEnvironment();
    directory = mkdtempSync(join(tmpdir(), 'spillway-lint-'));
    templates = shipped.flatMap((one) => synthesised(directory, one));
    const witness = templates.find(({ file }) => file.includes('witness'))?.file ?? '';
    const url = written(directory, 'url', functionUrl);
    const [wrongly, listed, unlisted, ...ours] = await lintErrors(python, [
      { regions: [ZURICH], files: [witness, written(directory, 'wrong', wrong)] },
      { regions: withFunctionUrls, files: [url] },
      { regions: [ZURICH, 'ap-south-2', 'me-central-1'], files: [url] },
      ...[...Map.groupBy(templates, ({ region }) => region)].map(([region, of]) => ({
        regions: [region],
        files: of.map(({ file }) => file),
      })),
    ]);
    errors = { shipped: ours.flat(), wrong: wrongly ?? [], listed: listed ?? [], unlisted: unlisted ?? [] };
  }, INSTALL_TIMEOUT_MS);
  afterAll(() => rmSync(directory, { recursive: true, force: true }));

  it('finds no error in any template, for the region of its stack', () => {
    expect(new Set(templates.map(({ region }) => region))).toEqual(
      new Set(['us-east-1', 'us-west-2', 'us-east-2', 'eu-west-1']),
    );
    expect(errors.shipped).toEqual([]);
  });

  it('would find a URL of another stack that is taken apart, and what a region does not have', () => {
    expect(errors.wrong.map(({ rule, path }) => `${rule} ${path}`)).toEqual(
      expect.arrayContaining([
        expect.stringMatching(/^E3006 .*FunctionUrl/),
        expect.stringMatching(/^E1017 Resources\/Topic\/Properties\/DisplayName/),
        expect.stringMatching(/^E3002 Resources\/Topic\/Properties\/Colour/),
      ]),
    );
  });

  it('knows function URLs in every region that may be a standby or a witness', () => {
    expect(errors.listed).toEqual([]);
    expect(errors.unlisted.map(({ rule }) => rule)).toContain('E3006');
  });
});
