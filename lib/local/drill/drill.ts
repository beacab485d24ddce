import { randomUUID } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Config } from '../../config/config.ts';
import { observerRegions } from '../../config/config.ts';
import type { Scenario } from '../../scenario/schema.ts';
import { checkLabel } from './check-label.ts';
import type { DrillError } from './errors.ts';
import type { DrillEvent } from './events.ts';
import { KEYS_PER_PRODUCER, startFleet } from './fleet.ts';
import { rtoMs, SETTLED_WINDOW_MS } from './measure.ts';
import type { ProducerFleet } from './producers.ts';
import { readStream } from './reader.ts';
import { type DrillResult, judge } from './result.ts';
import { describeFault, withoutLead } from './schedule.ts';
import { readSpools } from './spools.ts';
import { unlessAborted, until } from './until.ts';
import { type Watching, watch } from './watch.ts';
import { killObserver } from './wiring.ts';
import { startWorld, type World } from './world.ts';

export interface DrillOptions {
  readonly config: Config;
  readonly scenario: Scenario;
  /** The drill ends after this much of the scenario. */
  readonly forMs: number;
  readonly directory: string;
  readonly seed: number;
  readonly random: () => number;
  /** An observer to kill when the faults begin, by region. */
  readonly killObserver?: string;
  readonly onEvent: (event: DrillEvent) => void;
  readonly onProgress: (text: string) => void;
  /** Called with the fault's start, when it comes. */
  readonly onFault: (atMs: number) => void;
  /** Called after the result, while the world still stands; aborted when it cannot stand any longer. */
  readonly beforeClose: (world: World, result: DrillResult, signal: AbortSignal) => Promise<void>;
  readonly signal: AbortSignal;
}

/** Observers start within a minute of the deployment (an Events rule); then their evidence needs some ticks. */
const READY_TIMEOUT_MS = 180_000;
const PRODUCERS_READY_TIMEOUT_MS = 30_000;
/** Traffic is watched this long before the faults begin. */
const WARM_UP_MS = 5_000;
const PUTS_EVERY_MS = 1_000;

/** Deploys, starts producers, plays the scenario, measures, judges. Nothing is left running, however it ends. */
export async function drill(options: DrillOptions): Promise<DrillResult> {
  const death = new AbortController();
  const signal = AbortSignal.any([options.signal, death.signal]);
  try {
    return await conduct({ ...options, signal, onDeath: (error) => death.abort(error) });
  } catch (error) {
    // A thousand things fail once LocalStack has died or the user has had enough; only that is worth saying.
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

  const world = await startWorld({ ...options, onEvent });
  let watching: Watching | undefined;
  let fleet: ProducerFleet | undefined;
  try {
    watching = watch({ ...world, dnsServer: world.dataPlane.dnsServer, onEvent });
    await ready(world, watching, options);
    fleet = startFleet(world, { run, onDeath, directory: options.directory });
    await firstPuts(world, fleet, signal);
    const faultAtMs = await play(world, fleet, { ...options, onEvent });
    await unlessAborted(signal, fleet.stop());
    await unlessAborted(signal, watching.stop());
    const endMs = Date.now();
    options.onProgress('reading both streams');
    const onDisk = await readSpools(fleet.spoolDirectories);
    const result = judge({
      config: world.config,
      scenario: options.scenario,
      faultAtMs,
      events: sinceFault(events, faultAtMs),
      acknowledgements: fleet.acknowledgements,
      producers: fleet.names,
      endMs,
      found: {
        inStreams: await unlessAborted(signal, readEverything(world)),
        onDisk,
        run,
        keys: KEYS_PER_PRODUCER,
      },
      rejected: fleet.rejected(),
      cut: options.forMs < options.scenario.durationMs,
      seed: options.seed,
    });
    await options.beforeClose(world, result, signal);
    return result;
  } finally {
    fleet?.kill();
    await watching?.stop();
    await world.close();
  }
}

/** The system must be at rest before it is disturbed: observers content, checks settled, DNS naming the primary. */
async function ready(
  world: World,
  watching: Watching,
  { onProgress, signal }: Pick<DrillOptions, 'onProgress' | 'signal'>,
): Promise<void> {
  onProgress('waiting for the observers’ first minute (an Events rule starts them)');
  const { config, callsFrom, dataPlane } = world;
  const missing = (): string[] => [
    ...observerRegions(config.regions).filter((region) => {
      const item = watching.observers.get(region);
      const content = item?.diagnosis === 'Healthy' && item.expiresAtMs > Date.now();
      return !content || !callsFrom.has(region);
    }),
    ...dataPlane
      .healthChecks()
      .flatMap((status) => (status.healthy ? [] : [`check ${checkLabel(status, config)}`])),
    ...config.cells.flatMap(({ name }) =>
      watching.answers.get(name) === config.regions.primary ? [] : [`signal of ${name}`],
    ),
  ];
  await until({
    what: 'observers, health checks and DNS to be at rest',
    timeoutMs: READY_TIMEOUT_MS,
    everyMs: 250,
    holds: () => missing().length === 0,
    missing: () => missing().join(', '),
    signal,
  });
}

async function firstPuts(world: World, fleet: ProducerFleet, signal: AbortSignal): Promise<void> {
  const { primary } = world.config.regions;
  await until({
    what: 'every producer to be acknowledged in the primary',
    timeoutMs: PRODUCERS_READY_TIMEOUT_MS,
    everyMs: 250,
    holds: () =>
      fleet.names.every((name) =>
        fleet.acknowledgements.some((ack) => ack.producer === name && ack.region === primary),
      ),
    signal,
  });
  await sleep(WARM_UP_MS, undefined, { signal });
}

/** Plays the scenario and returns when its first fault began. Ends early once an expected failover has settled. */
async function play(world: World, fleet: ProducerFleet, options: DrillOptions): Promise<number> {
  const { onEvent, signal } = options;
  const scenario = withoutLead(options.scenario);
  const startedAtMs = Date.now();
  const faultAtMs = startedAtMs + Math.min(...scenario.faults.map((fault) => fault.atMs));
  world.proxy.play(scenario);
  options.onFault(faultAtMs);
  for (const fault of scenario.faults) {
    if (fault.atMs > options.forMs) continue;
    onEvent({ kind: 'fault', atMs: startedAtMs + fault.atMs, text: describeFault(fault) });
  }
  if (options.killObserver !== undefined) {
    await killObserver(world.clients, world.config, options.killObserver);
    onEvent({ kind: 'note', atMs: Date.now(), text: `killed the observer in ${options.killObserver}` });
  }

  const endMs = startedAtMs + options.forMs;
  let counted = fleet.acknowledgements.length;
  while (Date.now() < endMs) {
    await sleep(Math.min(PUTS_EVERY_MS, Math.max(1, endMs - Date.now())), undefined, { signal });
    const fresh = fleet.acknowledgements.slice(counted);
    counted += fresh.length;
    onEvent({ kind: 'puts', atMs: Date.now(), perRegion: countPerRegion(fresh), pending: fleet.pending() });
    if (scenario.expect.verdict === 'failover' && settled(world, fleet, faultAtMs)) break;
  }
  return faultAtMs;
}

/** Some time after the move, so that a flap right after it would still be seen. */
const WATCH_AFTER_MOVE_MS = 20_000;

function settled(world: World, fleet: ProducerFleet, faultAtMs: number): boolean {
  const { standby } = world.config.regions;
  const rto = rtoMs(fleet.acknowledgements, { faultAtMs, standby, producers: fleet.names });
  return rto !== null && Date.now() > faultAtMs + rto + SETTLED_WINDOW_MS + WATCH_AFTER_MOVE_MS;
}

/**
 * Of what happened before the fault only the last DNS answer of each cell and the last word of each observer stay: they
 * are what a change is measured against. What came before belongs to the start, when inverted health checks are
 * unhealthy until there is data.
 */
function sinceFault(events: readonly DrillEvent[], faultAtMs: number): readonly DrillEvent[] {
  const lastBefore = new Map<string, DrillEvent>();
  for (const event of events) {
    if (event.atMs >= faultAtMs) continue;
    if (event.kind === 'dns') lastBefore.set(`cell ${event.cell}`, event);
    if (event.kind === 'observer') lastBefore.set(`observer ${event.region}`, event);
  }
  return [...lastBefore.values(), ...events.filter((event) => event.atMs >= faultAtMs)];
}

function countPerRegion(list: readonly { readonly region: string }[]): Record<string, number> {
  const groups = Map.groupBy(list, (ack) => ack.region);
  return Object.fromEntries([...groups].map(([region, acks]) => [region, acks.length]));
}

async function readEverything({ clients, config }: World): Promise<readonly string[]> {
  const { primary, standby } = config.regions;
  const reads = config.cells.flatMap(({ streams }) => [
    readStream(clients.kinesis(primary), streams.primary.name),
    readStream(clients.kinesis(standby), streams.standby.name),
  ]);
  return (await Promise.all(reads)).flat();
}
