import { mkdir, rename, writeFile } from 'node:fs/promises';
import { join, relative } from 'node:path';
import type { Config } from '../../config/config.ts';
import { ownFile, ownRoot } from '../../files/own-files.ts';
import { deployApp } from '../deploy/deploy.ts';
import { type Processed, readLedger } from './ledger.ts';
import { type ConsumerAppSettings, consumerFunctionName, ROUTES_FILE } from './settings.ts';

export interface ConsumersOptions {
  readonly config: Pick<Config, 'name' | 'cells' | 'regions'>;
  readonly localStackUrl: string;
  /** Where LocalStack keeps its log; absent for one that was started elsewhere, whose mappings suffer no fault. */
  readonly localStackDirectory?: string | undefined;
  /** Of this part of the run. */
  readonly directory: string;
  /** Where a consumer in this region reaches Kinesis while the faults are in force. */
  readonly endpointFor: (region: string) => string;
  readonly onProgress: (text: string) => void;
  readonly signal: AbortSignal;
}

/** The consumers of a drill's cells, deployed in both regions. */
export interface Consumers {
  /** All that was processed in each region so far, in order. */
  processed(): Promise<ReadonlyMap<string, readonly Processed[]>>;
  /** From now on the consumers reach Kinesis through the faults. */
  throughFaults(): Promise<void>;
  /** From now on nothing is between the consumers and Kinesis: the region has recovered, for them. */
  past(): Promise<void>;
}

const DEPLOY_TIMEOUT_MS = 180_000;

/**
 * Deploys a function in each of the two regions that reads the streams of all cells, by the CDK, as a user would.
 *
 * @throws DeployFailedError
 */
export async function deployConsumers(options: ConsumersOptions): Promise<Consumers> {
  const { config, directory, endpointFor, localStackDirectory } = options;
  const { primary, standby } = config.regions;
  await mkdir(directory, { recursive: true });
  const settings: ConsumerAppSettings = {
    functionName: consumerFunctionName(config.name),
    regions: (['primary', 'standby'] as const).map((role) => ({
      region: config.regions[role],
      streams: config.cells.map(({ streams }) => streams[role].name),
      ledger: join(directory, `processed-${config.regions[role]}.jsonl`),
    })),
  };
  const configFile = join(directory, 'settings.json');
  await writeFile(configFile, `${JSON.stringify(settings, null, 2)}\n`);
  const take = async (routes: Readonly<Record<string, string>>): Promise<void> => {
    if (localStackDirectory === undefined) return;
    // Whole at once, because it may be read at any moment.
    const file = join(localStackDirectory, ROUTES_FILE);
    await writeFile(`${file}.new`, JSON.stringify(routes));
    await rename(`${file}.new`, file);
  };
  const throughFaults = (): Promise<void> =>
    take({ [primary]: endpointFor(primary), [standby]: endpointFor(standby) });
  await throughFaults();
  await deployApp({
    localstackUrl: options.localStackUrl,
    configFile,
    // From the root, where the CDK runs it: a path with a space would be two words.
    app: `node ${relative(ownRoot, ownFile('lib/local/consumers/app.ts'))}`,
    outDir: join(directory, 'cdk'),
    regions: [primary, standby],
    signal: options.signal,
    timeoutMs: DEPLOY_TIMEOUT_MS,
    onProgress: (text) => options.onProgress(`consumers: ${text}`),
  });
  return {
    processed: async () =>
      new Map(
        await Promise.all(
          settings.regions.map(async ({ region, ledger }) => [region, await readLedger(ledger)] as const),
        ),
      ),
    throughFaults,
    past: () => take({}),
  };
}
