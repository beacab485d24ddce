import { dirname, join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Config } from '../../config/config.ts';
import { type Consumers, deployConsumers } from '../consumers/consumers.ts';
import { consumerCaller, consumerFunctionName } from '../consumers/settings.ts';
import { type ConsumerCount, countProcessed } from './consumer-measure.ts';
import type { DrillOptions } from './drill-options.ts';
import { idPrefix } from './measure.ts';
import { movingIn } from './moving.ts';
import type { ProducerFleet } from './producers.ts';
import { until } from './until.ts';
import type { World } from './world.ts';

const FIRST_READ_TIMEOUT_MS = 60_000;
/** For what is left in the stream of a region that was dark: pollers wait, and give up connections, for ten seconds. */
const CATCH_UP_MS = 60_000;
const POLL_MS = 500;

/** The config of a world whose streams are read by the drill's consumers, and by nobody else. */
export function withDrillConsumers(config: Config): Config {
  const name = consumerFunctionName(config.name);
  const cells = config.cells.map((cell) => ({
    ...cell,
    consumers: [
      {
        kind: 'lambda' as const,
        name: { primary: name, standby: name },
        takes: ['aggregates', 'probes'] as const,
      },
    ],
  }));
  return { ...config, cells };
}

export const startConsumers = (
  { config, localStack, proxy }: World,
  { directory, onProgress, signal }: Pick<DrillOptions, 'directory' | 'onProgress' | 'signal'>,
): Promise<Consumers> =>
  deployConsumers({
    config,
    localStackUrl: localStack.url,
    ...(localStack.external ? {} : { localStackDirectory: dirname(localStack.logFile) }),
    directory: join(directory, 'consumers'),
    endpointFor: (region) => proxy.endpointFor(consumerCaller(region)),
    onProgress,
    signal,
  });

/** Waits until the consumers have processed a record of every producer. */
export async function firstReads(
  consumers: Consumers,
  fleet: ProducerFleet,
  { run, signal }: { readonly run: string; readonly signal: AbortSignal },
): Promise<void> {
  let missing = fleet.names;
  await until({
    what: 'a record of every producer to be processed by a consumer',
    timeoutMs: FIRST_READ_TIMEOUT_MS,
    everyMs: POLL_MS,
    holds: async () => {
      const all = [...(await consumers.processed()).values()].flat();
      missing = fleet.names.filter(
        (name) => !all.some(({ id }) => id.startsWith(`${idPrefix(run)}${name}-`)),
      );
      return missing.length === 0;
    },
    missing: () => missing.join(', '),
    signal,
  });
}

export interface Ending extends Pick<DrillOptions, 'scenario' | 'signal'> {
  readonly world: World;
  readonly fleet: ProducerFleet;
  readonly run: string;
  readonly keys: number;
  readonly onDisk: readonly string[];
  readonly faultAtMs: number;
  readonly endMs: number;
}

/** Ends the faults for the consumers, waits until they have read what is there, and counts. */
export async function endConsuming(consumers: Consumers, ending: Ending): Promise<ConsumerCount> {
  const { world, fleet, scenario, signal, onDisk } = ending;
  const readAgainAtMs = Date.now();
  await consumers.past();
  const count = async (): Promise<ConsumerCount> =>
    countProcessed({
      ...ending,
      acknowledgements: fleet.acknowledgements,
      processed: await consumers.processed(),
      onDisk,
      readAgainAtMs,
      producers: movingIn(world.config, scenario).producers,
    });
  const deadlineMs = performance.now() + CATCH_UP_MS;
  let counted = await count();
  while (counted.lost > 0 && performance.now() < deadlineMs) {
    await sleep(POLL_MS, undefined, { signal });
    counted = await count();
  }
  // A world that is kept keeps its faults, for its consumers as well.
  await consumers.throughFaults();
  return counted;
}
