import { randomUUID } from 'node:crypto';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { readStream } from '../../live-drill/read-stream.ts';
import { prepareClient } from '../clients/foreign-client.ts';
import { AUDIT_FILE } from '../run-directory.ts';
import { byArrival } from './by-arrival.ts';
import { endConsuming, firstReads, startConsumers, withDrillConsumers } from './consuming.ts';
import type { DrillOptions } from './drill-options.ts';
import type { DrillError } from './errors.ts';
import type { Acknowledgement, DrillEvent } from './events.ts';
import { failBack } from './fail-back.ts';
import { failOver } from './fail-over.ts';
import { KEYS_PER_PRODUCER, startClients, startFleet } from './fleet.ts';
import { floodSwitches } from './flood.ts';
import { goAuto } from './go-auto.ts';
import { type Found, lostRecords } from './measure.ts';
import { Operator } from './operator.ts';
import { paceSummary } from './pace.ts';
import { play } from './play.ts';
import type { ProducerFleet } from './producers.ts';
import { remember } from './remember.ts';
import { firstPuts, ready } from './rest.ts';
import { type DrillResult, judge } from './result.ts';
import { leadMs, withoutLead } from './schedule.ts';
import { type Sources, startSources } from './sources.ts';
import { readSpools } from './spools.ts';
import { asTooSlow, calm, slowness } from './too-slow.ts';
import { unlessAborted } from './until.ts';
import { type Watching, watch } from './watch.ts';
import { startObservers } from './wiring.ts';
import { startWorld, type World } from './world.ts';

/** A drill writes some thousands of records; LocalStack does not limit the rate of reads. */
const MAX_PAGES_PER_SHARD = 5_000;
const LOST_FILE = 'lost.json';
/**
 * Runs a drill: deploys, starts producers, plays the scenario, measures, judges. Leaves nothing running,
 * however it ends.
 */
export async function drill(options: DrillOptions): Promise<DrillResult> {
  const death = new AbortController();
  const signal = AbortSignal.any([options.signal, death.signal]);
  try {
    return await conduct({ ...options, signal, onDeath: (error) => death.abort(error) });
  } catch (error) {
    // Once LocalStack has died or the user has interrupted, many errors follow; only this first reason is
    // worth reporting.
    signal.throwIfAborted();
    throw error;
  }
}

interface Conducting extends DrillOptions {
  readonly onDeath: (error: DrillError) => void;
}

async function conduct(options: Conducting): Promise<DrillResult> {
  const { signal, onDeath } = options;
  const run = randomUUID().slice(0, 8);
  const events: DrillEvent[] = [];
  const onEvent = (event: DrillEvent): void => {
    events.push(event);
    options.onEvent(event);
  };

  // Before the world stands: the first time, it is installed or built.
  const launch =
    options.client === undefined ? undefined : await prepareClient(options.client, options.onProgress);
  const world = await startWorld({ ...options, config: withDrillConsumers(options.config), onEvent });
  let watching: Watching | undefined;
  let fleet: ProducerFleet | undefined;
  let sources: Sources | undefined;
  let calmAtMs = performance.now();
  try {
    watching = watch({ ...world, dnsServer: world.dataPlane.dnsServer, onEvent });
    await goAuto(world, options.onProgress);
    await startObservers(world.clients, { config: world.config, signal });
    // While the observers and checks come to rest, which takes longer.
    const [consumers] = await Promise.all([startConsumers(world, options), ready(world, watching, options)]);
    await calm(world.pace, options);
    calmAtMs = performance.now();
    const members = { run, onDeath, directory: options.directory };
    fleet =
      launch === undefined ? startFleet(world, members) : await startClients(world, { ...members, launch });
    sources = fleetsFor(world, watching, { ...options, onEvent });
    await firstReads(consumers, fleet, { run, signal });
    await firstPuts(world, fleet, signal);
    const faultAtMs = await play({ world, fleet, watching, sources }, { ...options, onEvent });
    const faultsEndMs = Date.now();
    const operator = new Operator(world, options.directory);
    const failover = options.operatorFailsOver ? await failOver({ operator, onEvent, signal }) : [];
    const failback = options.failback
      ? await failBack(world, fleet, { operator, watching, onEvent, signal })
      : undefined;
    const flood =
      options.flood === undefined
        ? undefined
        : await floodSwitches(world, { plan: options.flood, operator, watching, events, onEvent, signal });
    await unlessAborted(signal, fleet.stop());
    await unlessAborted(signal, watching.stop());
    options.onProgress('reading both streams');
    const calls = await world.calls.calls();
    await writeFile(
      join(options.directory, AUDIT_FILE),
      calls.map((call) => `${JSON.stringify(call)}\n`).join(''),
    );
    const onDisk = await readSpools(fleet.spoolDirectories);
    options.onProgress('waiting for the consumers');
    const consumed = await endConsuming(consumers, {
      ...{ world, fleet, scenario: options.scenario, run, keys: KEYS_PER_PRODUCER, onDisk },
      ...{ faultAtMs, endMs: Math.min(faultsEndMs, flood?.sinceMs ?? faultsEndMs), signal },
    });
    const found: Found = {
      inStreams: await unlessAborted(signal, readEverything(world)),
      onDisk,
      run,
      keys: KEYS_PER_PRODUCER,
    };
    const result = judge({
      config: world.config,
      scenario: options.scenario,
      faultAtMs,
      events: sinceFault(events, faultAtMs, flood?.sinceMs),
      acknowledgements: fleet.acknowledgements,
      endMs: faultsEndMs,
      failback,
      flood,
      operatorFailures: failover,
      calls,
      found,
      consumed,
      rejected: fleet.rejected(),
      cut: options.forMs < options.scenario.durationMs,
      pace: paceSummary(world.pace.minutes),
      slowness: slowness(world.pace, calmAtMs),
      seed: options.seed,
    });
    await writeLost(options.directory, lostRecords(fleet.acknowledgements, found));
    await remember(world, { run, result, atMs: Date.now() });
    const playingSinceMs =
      options.failback || flood ? undefined : faultAtMs - leadMs(withoutLead(options.scenario));
    await options.beforeClose(world, result, { playingSinceMs, signal });
    return result;
  } catch (error) {
    throw asTooSlow(error, slowness(world.pace, calmAtMs));
  } finally {
    sources?.stop();
    fleet?.kill();
    await watching?.stop();
    await world.close();
  }
}

/** Fleets that report what the scenario says, beside the drill's own producers: where some of their sources lie. */
function fleetsFor(
  { config, clients }: World,
  watching: Watching,
  { scenario, random, onEvent }: Pick<DrillOptions, 'scenario' | 'random' | 'onEvent'>,
): Sources | undefined {
  if (scenario.lies === undefined || config.beacons === undefined) return undefined;
  return startSources({
    ...{ config, clients, scenario, random },
    regionOf: (cell) => watching.answers.get(cell) ?? config.regions.primary,
    onProblem: (text) => onEvent({ kind: 'note', atMs: Date.now(), text }),
  });
}

/** Writes which records were lost, so that somebody can trace them. */
async function writeLost(directory: string, lost: readonly Acknowledgement[]): Promise<void> {
  if (lost.length > 0) await writeFile(join(directory, LOST_FILE), `${JSON.stringify(lost, null, 2)}\n`);
}

/**
 * The events since the fault, with the last DNS answer of each cell and the last report of each observer
 * before it: changes are measured against these. Earlier events belong to the start, when inverted health
 * checks are unhealthy until there is data. What follows the scenario, a flood, is judged by itself.
 */
function sinceFault(
  events: readonly DrillEvent[],
  faultAtMs: number,
  untilMs = Number.POSITIVE_INFINITY,
): readonly DrillEvent[] {
  const lastBefore = new Map<string, DrillEvent>();
  for (const event of events) {
    if (event.atMs >= faultAtMs) continue;
    if (event.kind === 'dns') lastBefore.set(`cell ${event.cell}`, event);
    if (event.kind === 'observer') lastBefore.set(`observer ${event.region}`, event);
  }
  return [...lastBefore.values(), ...events.filter(({ atMs }) => atMs >= faultAtMs && atMs < untilMs)];
}

async function readEverything({ clients, config }: World): Promise<readonly string[]> {
  const { primary, standby } = config.regions;
  const limits = { readEveryMs: 0, maxPagesPerShard: MAX_PAGES_PER_SHARD };
  const reads = config.cells.flatMap(({ streams }) => [
    readStream({ ...limits, client: clients.kinesis(primary), streamName: streams.primary.name }),
    readStream({ ...limits, client: clients.kinesis(standby), streamName: streams.standby.name }),
  ]);
  return byArrival(await Promise.all(reads));
}
