import { randomUUID } from 'node:crypto';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { DeleteStackCommand, waitUntilStackDeleteComplete } from '@aws-sdk/client-cloudformation';
import { witnessStackName } from '../../../lambda/core/names.ts';
import type { Config } from '../../config/config.ts';
import { observerRegions } from '../../config/config.ts';
import { deployApp } from '../deploy/deploy.ts';
import { DeployFailedError } from '../deploy/errors.ts';
import { prepareAccount, writeConfigFile } from '../drill/account.ts';
import type { DrillError } from '../drill/errors.ts';
import type { DrillEvent } from '../drill/events.ts';
import { failOver } from '../drill/fail-over.ts';
import { startFleet } from '../drill/fleet.ts';
import { goAuto } from '../drill/go-auto.ts';
import { Operator } from '../drill/operator.ts';
import type { ProducerFleet } from '../drill/producers.ts';
import { firstPuts, ready } from '../drill/rest.ts';
import { unlessAborted, until } from '../drill/until.ts';
import { type Watching, watch } from '../drill/watch.ts';
import { startObservers } from '../drill/wiring.ts';
import { startWorld, type World } from '../drill/world.ts';
import { type AnswerChange, AnswerRecorder, namesOf } from './answers.ts';
import { judgeUpgrade, type UpgradeVerdict } from './verdict.ts';

/** One deployment in a world that stands. */
export interface UpgradeStep {
  readonly name: string;
  readonly config: Config;
  /** Regions of witnesses whose stacks are destroyed before. @default - none */
  readonly destroyed?: readonly string[];
}

export interface UpgradeResult {
  readonly name: string;
  readonly verdict: UpgradeVerdict;
  /** Every answer of DNS that changed, with when after the deployment began. */
  readonly changes: readonly (AnswerChange & { readonly afterMs: number })[];
  /** Why the deployment failed. */
  readonly reason?: string;
  readonly deployMs: number;
}

export interface UpgradeOptions {
  readonly config: Config;
  readonly steps: readonly UpgradeStep[];
  /** Every cell is failed over by an operator before the first step. */
  readonly evacuated: boolean;
  readonly directory: string;
  readonly random: () => number;
  readonly onEvent: (event: DrillEvent) => void;
  readonly onProgress: (text: string) => void;
  readonly onResult: (result: UpgradeResult) => void;
  readonly signal: AbortSignal;
}

/** A status that changes in this time after a deployment is the deployment's: three intervals of 10 s, and propagation. */
const WATCH_AFTER_MS = 35_000;
/** A guard waits for two minutes at an interval of 30 s. */
const DEPLOY_TIMEOUT_MS = 600_000;
const DESTROY_TIMEOUT_S = 120;
const WIRE_EVERY_MS = 2_000;
const HELD_TIMEOUT_MS = 90_000;
/** New checks are seen within a second of their creation. */
const REFRESH_MS = 1_000;

/**
 * Deploys one config after the other by plain `cdk deploy --all` while producers run, and says what each
 * deployment did to DNS. Leaves nothing running, however it ends.
 */
export async function drillUpgrades(options: UpgradeOptions): Promise<readonly UpgradeResult[]> {
  const death = new AbortController();
  const signal = AbortSignal.any([options.signal, death.signal]);
  const onDeath = (error: DrillError): void => death.abort(error);
  const world = await startWorld({
    ...options,
    signal,
    onDeath,
    later: options.steps.map(({ config }) => config),
    refreshMs: REFRESH_MS,
  });
  let watching: Watching | undefined;
  let fleet: ProducerFleet | undefined;
  try {
    watching = watch({ ...world, dnsServer: world.dataPlane.dnsServer, onEvent: options.onEvent });
    await goAuto(world, options.onProgress);
    await startObservers(world.clients, { config: world.config, signal });
    await ready(world, watching, { ...options, signal });
    fleet = startFleet(world, { run: randomUUID().slice(0, 8), onDeath, directory: options.directory });
    await firstPuts(world, fleet, signal);
    if (options.evacuated) await evacuate(world, watching, { ...options, signal });
    return await inTurn(world, { ...options, signal });
  } catch (error) {
    signal.throwIfAborted();
    throw error;
  } finally {
    fleet?.kill();
    await watching?.stop();
    await world.close();
  }
}

async function inTurn(world: World, options: UpgradeOptions): Promise<readonly UpgradeResult[]> {
  const results: UpgradeResult[] = [];
  let before = world.config;
  for (const step of options.steps) {
    const after = await unlessAborted(options.signal, prepareAccount(world.clients, step.config));
    const result = await upgrade(world, { ...step, before, after }, options);
    results.push(result);
    options.onResult(result);
    if (result.reason === undefined) before = after;
  }
  return results;
}

async function evacuate(world: World, watching: Watching, options: UpgradeOptions): Promise<void> {
  const { onEvent, onProgress, signal, directory } = options;
  onProgress('an operator fails every cell over');
  const problems = await failOver({ operator: new Operator(world, directory), onEvent, signal });
  const { cells, regions } = world.config;
  await until({
    what: `every cell to be held in ${regions.standby}${problems.map((problem) => ` (${problem})`).join('')}`,
    timeoutMs: HELD_TIMEOUT_MS,
    everyMs: 250,
    holds: () => cells.every(({ name }) => watching.answers.get(name) === regions.standby),
    signal,
  });
}

interface Change extends Pick<UpgradeStep, 'name' | 'destroyed'> {
  readonly before: Config;
  readonly after: Config;
}

async function upgrade(world: World, change: Change, options: UpgradeOptions): Promise<UpgradeResult> {
  const { before, after, name, destroyed = [] } = change;
  const { onProgress, signal } = options;
  const recorder = new AnswerRecorder({
    dnsServer: world.dataPlane.dnsServer,
    names: namesOf([before, after]),
  });
  recorder.start();
  try {
    await until({
      what: 'a first answer of every name',
      timeoutMs: 10_000,
      everyMs: 100,
      holds: () => recorder.current.size === namesOf([before, after]).length,
      signal,
    });
    const baseline = new Map(recorder.current);
    const startedAtMs = Date.now();
    for (const region of destroyed) {
      onProgress(`${name}: destroying the witness in ${region}`);
      await destroyWitness(world, { name: after.name, region, signal });
    }
    onProgress(`${name}: cdk deploy --all`);
    const reason = await deploy(world, after, options);
    const deployMs = Date.now() - startedAtMs;
    await sleep(WATCH_AFTER_MS, undefined, { signal });
    await recorder.stop();
    const verdict = judgeUpgrade({ before, after, baseline, changes: recorder.changes, reason });
    return {
      name,
      verdict,
      changes: recorder.changes.map((each) => ({ ...each, afterMs: each.atMs - startedAtMs })),
      ...(reason === undefined ? {} : { reason }),
      deployMs,
    };
  } finally {
    await recorder.stop();
  }
}

async function destroyWitness(
  { clients }: World,
  { name, region, signal }: { readonly name: string; readonly region: string; readonly signal: AbortSignal },
): Promise<void> {
  const stack = { StackName: witnessStackName(name, region) };
  const client = clients.cloudFormation(region);
  await client.send(new DeleteStackCommand(stack));
  await waitUntilStackDeleteComplete(
    { client, maxWaitTime: DESTROY_TIMEOUT_S, minDelay: 1, maxDelay: 2, abortSignal: signal },
    stack,
  );
}

/** Deploys, and keeps proxy and DNS between the functions and AWS meanwhile. Returns why it failed. */
async function deploy(world: World, config: Config, options: UpgradeOptions): Promise<string | undefined> {
  const { directory, onProgress, signal } = options;
  const wiring = new AbortController();
  const wired = keepWired(world, config, AbortSignal.any([wiring.signal, signal]));
  try {
    await deployApp({
      localstackUrl: world.localStack.url,
      configFile: await writeConfigFile(config, directory),
      outDir: join(directory, 'cdk'),
      regions: [config.regions.primary, ...observerRegions(config.regions)],
      onProgress,
      signal,
      timeoutMs: DEPLOY_TIMEOUT_MS,
    });
    return undefined;
  } catch (error) {
    if (error instanceof DeployFailedError) return error.message;
    throw error;
  } finally {
    wiring.abort();
    await wired;
  }
}

/** A deployment that changes a function's environment takes the drill's own variables away, and new functions never had them. */
async function keepWired(world: World, config: Config, signal: AbortSignal): Promise<void> {
  while (!signal.aborted) {
    await sleep(WIRE_EVERY_MS, undefined, { signal }).catch(() => {});
    // Functions that do not exist yet are wired in a later turn, and the last turn comes after the deployment.
    await world.wire(config).catch(() => {});
  }
}
