import { readFile } from 'node:fs/promises';
import { describe, expect, it, test } from 'vitest';
import lock from '../../package-lock.json' with { type: 'json' };

/** The setters of `software.amazon.kinesis.producer.KinesisProducerConfiguration` 1.1.1, by `javap`. */
const settings = `
  AggregationEnabled AggregationMaxCount AggregationMaxSize CaCertFile CaCertPath CloudwatchEndpoint CloudwatchPort
  CollectionMaxCount CollectionMaxSize ConnectTimeout CredentialsProvider CredentialsRefreshDelay DaemonHealthCheckTimeoutMs
  DescribeStreamSummaryIntervalMs EnableCoreDumps EnableDaemonHealthCheck EnableOldestFutureTracker FailIfThrottled
  GlueSchemaRegistryConfiguration GlueSchemaRegistryCredentialsProvider GlueSchemaRegistryPropertiesFilePath KinesisEndpoint
  KinesisPort LogLevel MaxConnections MaxUserRecordSize MetricsCredentialsProvider MetricsGranularity MetricsLevel
  MetricsNamespace MetricsUploadDelay MinConnections NativeExecutable ProxyHost ProxyPassword ProxyPort ProxyUserName RateLimit
  RecordDistributionStrategyDefault RecordMaxBufferedTime RecordTtl Region RequestTimeout ReturnUserRecordOnFailure StsEndpoint
  StsPort TempDirectory ThreadPoolSize ThreadingModel UserRecordTimeoutInMillis VerifyCertificate`
  .trim()
  .split(/\s+/);

const document = await readFile('docs/from-the-kpl.md', 'utf8');
const rows = (title: string): readonly (readonly string[])[] => {
  const [, section = ''] = document.split(`\n## ${title}\n`);
  const lines = section.split('\n## ')[0]?.split('\n') ?? [];
  const cells = lines.filter((line) => line.startsWith('| ')).map((line) => line.slice(2, -2).split(' | '));
  return cells.filter(([first = '']) => !first.startsWith('---')).slice(1);
};

describe('the document for users of the KPL', () => {
  it('has each of its settings once, in their order, with a default, and ours or why not', () => {
    const table = rows('Every setting');
    expect(table.map(([name]) => name)).toEqual(settings.map((name) => `\`${name}\``));
    for (const row of table) expect(row.map((cell) => cell.trim()).filter(Boolean)).toHaveLength(4);
  });

  it('names options that the producer has', async () => {
    const source = await readFile('lib/producer/options.ts', 'utf8');
    // Where the field of a group is named, the group is an option.
    const named = rows('Every setting').flatMap(([, , ours = '']) => [...ours.matchAll(/`(\w+)[`.]/g)]);
    const options = new Set(named.map(([, name]) => name));
    expect(options.size).toBeGreaterThan(10);
    for (const name of options) expect(source).toMatch(new RegExp(`readonly ${name}\\??:`));
  });

  it('names a test for each known failure, and each of these tests exists', async () => {
    const failures = rows('Known failures, and what shows ours');
    expect(failures.length).toBeGreaterThan(10);
    for (const [failure = '', , shown = ''] of failures) {
      const tests = [...shown.matchAll(/\[(.+?)\]\(\.\.\/(test\/[\w./-]+)\)/g)];
      expect(tests, failure).not.toHaveLength(0);
      for (const [, name = '', file = ''] of tests) {
        const code = await readFile(file, 'utf8');
        expect(isNamed(name, code), `${name} in ${file}`).toBe(true);
      }
    }
  });
});

/** A name with parameters ends where these begin. */
function isNamed(name: string, code: string): boolean {
  const pattern = name.replaceAll(/[.*+?^${}()|[\]\\]/g, '\\$&');
  return new RegExp(`\\(\\s*(['"\`])${pattern}(?:\\1| \\(%)`).test(code);
}

test('nothing that an application installs is native', () => {
  const installed = Object.entries(lock.packages as Record<string, Installed>).filter(
    ([path, { dev }]) => path !== '' && dev !== true,
  );
  expect(installed.length).toBeGreaterThan(5);
  const native = installed.filter(
    ([, { hasInstallScript, os, cpu, optional }]) =>
      hasInstallScript === true || os !== undefined || cpu !== undefined || optional === true,
  );
  expect(native.map(([path]) => path)).toEqual([]);
});

interface Installed {
  readonly dev?: boolean;
  readonly hasInstallScript?: boolean;
  readonly optional?: boolean;
  readonly os?: readonly string[];
  readonly cpu?: readonly string[];
}
