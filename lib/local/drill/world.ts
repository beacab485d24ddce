import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { canaryStreamName } from '../../../lambda/core/names.ts';
import type { Config } from '../../config/config.ts';
import { observerRegions } from '../../config/config.ts';
import { type DataPlane, startDataPlane } from '../../route53/data-plane.ts';
import { checkerRegions } from '../../route53/health-check.ts';
import { CANARY } from '../../scenario/streams.ts';
import { deployApp } from '../deploy/deploy.ts';
import { type LocalStack, startLocalStack } from '../localstack/localstack.ts';
import { type FaultProxy, startFaultProxy } from '../proxy/fault-proxy.ts';
import { prepareAccount, writeConfigFile } from './account.ts';
import { CallRecord } from './call-record.ts';
import { callersOf, producersOf } from './callers.ts';
import { checkLabel } from './check-label.ts';
import { LocalClients } from './clients.ts';
import { DrillError } from './errors.ts';
import type { DrillEvent } from './events.ts';
import { forgetEarlierDrills } from './forget.ts';
import { Pace } from './pace.ts';
import { processLoad } from './processes.ts';
import { asSlowDeploy } from './too-slow.ts';
import { unlessAborted } from './until.ts';
import { unwireFunctions, wireFunctions } from './wiring.ts';

const DEPLOY_TIMEOUT_MS = 300_000;
/** A read-back is two or three calls within one time-out of an observer. */
const LATE_SHARE_OF_TIMEOUT = 0.5;
/** File in the run's directory that `spillway audit` reads. */
export const CALLS_FILE = 'calls.jsonl';

export interface WorldOptions {
  readonly config: Config;
  /** Configs that will be deployed later, whose observers are callers too. @default - none */
  readonly later?: readonly Config[];
  /** How often records and checks are read again. @default - as the data plane does */
  readonly refreshMs?: number;
  /** Logs, templates and LocalStack's files of this run. */
  readonly directory: string;
  readonly random: () => number;
  readonly onEvent: (event: DrillEvent) => void;
  readonly onProgress: (text: string) => void;
  /** Something the world needs has died. */
  readonly onDeath: (error: DrillError) => void;
  readonly signal: AbortSignal;
}

/** A user's account on this machine: LocalStack, the deployed app, Route 53's data plane, and faults on every path. */
export interface World {
  readonly config: Config;
  readonly clients: LocalClients;
  readonly localStack: LocalStack;
  readonly proxy: FaultProxy;
  readonly dataPlane: DataPlane;
  readonly calls: CallRecord;
  readonly pace: Pace;
  /** Puts proxy and modelled DNS between the functions of a config and AWS, where a deployment has taken them out. */
  wire(config: Config): Promise<void>;
  close(): Promise<void>;
}

type Closer = () => Promise<unknown> | unknown;

/** Builds the world, or takes down what already stands and throws. */
export async function startWorld(options: WorldOptions): Promise<World> {
  const closers: Closer[] = [];
  const close = (): Promise<void> => closeAll(closers.splice(0).reverse());
  try {
    return await build(options, closers, close);
  } catch (error) {
    await close().catch(() => {}); // the first error is the one that matters
    throw error;
  }
}

/** Closes all, even if some fail. @throws what the first failed closer threw */
async function closeAll(closers: readonly Closer[]): Promise<void> {
  const errors: unknown[] = [];
  for (const closer of closers) {
    try {
      await closer();
    } catch (error) {
      errors.push(error);
    }
  }
  if (errors.length > 0) throw errors[0];
}

async function build(options: WorldOptions, closers: Closer[], close: () => Promise<void>): Promise<World> {
  const { directory, onProgress, onDeath, signal } = options;
  const { regions } = options.config;
  await mkdir(directory, { recursive: true });

  const localStack = await startLocalStack({
    directory: join(directory, 'localstack'),
    onProgress,
    onExit: (reason) =>
      onDeath(new DrillError(`LocalStack died during the drill: ${reason}`, 'localstack-died')),
    signal,
  });
  closers.push(() => localStack.stop());
  signal.throwIfAborted();

  const clients = new LocalClients(localStack.url);
  const config = await unlessAborted(signal, prepareAccount(clients, options.config));
  const configFile = await writeConfigFile(config, directory);
  const deployStartedMs = performance.now();
  onProgress('cdk deploy --all');
  await deployApp({
    localstackUrl: localStack.url,
    configFile,
    outDir: join(directory, 'cdk'),
    regions: [regions.primary, ...observerRegions(regions)],
    onProgress,
    signal,
    timeoutMs: DEPLOY_TIMEOUT_MS,
  }).catch((error: unknown) => {
    throw performance.now() - deployStartedMs < DEPLOY_TIMEOUT_MS ? error : asSlowDeploy(error);
  });
  onProgress(`deployed in ${((performance.now() - deployStartedMs) / 1_000).toFixed(1)} s`);

  const callLog = join(directory, CALLS_FILE);
  const calls = new CallRecord(callLog);
  const pace = new Pace({
    lateMs: config.policy.probeTimeoutMs * LATE_SHARE_OF_TIMEOUT,
    now: () => performance.now(),
    processes: processLoad(localStack.pid),
    onMinute: (minute) => options.onEvent({ kind: 'pace', atMs: Date.now(), minute }),
  });
  closers.push(() => pace.close());
  const proxy = await startFaultProxy({
    target: localStack.url,
    kinesisTarget: await localStack.kinesisUrl(),
    roles: regions,
    streams: streamsByName(config),
    sources: checkerRegions,
    callers: Object.assign({}, ...(options.later ?? []).map(callersOf), callersOf(config)),
    producers: producersOf(config).map(({ who }) => who),
    random: options.random,
    now: Date.now,
    onCall: (call) => calls.saw(call),
    onUpstream: (call) => pace.saw(call),
  });
  closers.push(() => proxy.close());

  const dataPlane = await startDataPlane({
    client: clients.route53(),
    zoneId: config.zone.id,
    zoneName: config.zone.name,
    // The function URL's name stays in the Host header; the connection goes to the checker region's own proxy.
    originFor: (check, checkerRegion) => ({
      origin: new URL(proxy.endpointFor(checkerRegion)),
      hostHeader: check.fqdn ?? '',
    }),
    ...(options.refreshMs === undefined ? {} : { refreshMs: options.refreshMs }),
    now: Date.now,
    random: options.random,
    onError: tellOnce((text) => options.onEvent({ kind: 'note', atMs: Date.now(), text })),
    onHealthChange: ({ healthCheckId, healthy, atMs }) => {
      const status = dataPlane.healthChecks().find(({ id }) => id === healthCheckId);
      const check = status === undefined ? healthCheckId : checkLabel(status, config);
      options.onEvent({ kind: 'health', atMs, check, healthy });
    },
  });
  closers.push(() => dataPlane.close());

  // The drill's own LocalStack ends with its functions; an external one keeps them, and may have kept those
  // of an earlier drill.
  if (localStack.external) closers.push(() => unwireFunctions(clients, config));
  const wire = (of: Config): Promise<void> =>
    wireFunctions(clients, of, {
      endpointFor: (caller) => proxy.endpointFor(caller),
      callLog,
      dnsServer: dataPlane.dnsServer,
      signal,
    });
  await wire(config);
  if (localStack.external) await forgetEarlierDrills(clients, config, signal);
  return { config, clients, localStack, proxy, dataPlane, calls, pace, wire, close };
}

/** How a scenario names each stream: by its cell, or as the canary. */
function streamsByName({ name, regions, cells }: Config): ReadonlyMap<string, string> {
  const roles = ['primary', 'standby'] as const;
  return new Map(
    roles.flatMap((role) => [
      [`${regions[role]}/${canaryStreamName(name)}`, CANARY] as const,
      ...cells.map((cell) => [`${regions[role]}/${cell.streams[role].name}`, cell.name] as const),
    ]),
  );
}

/** Reports an error once: the same error every five seconds is not worth repeating. */
function tellOnce(tell: (text: string) => void): (error: unknown) => void {
  let last = '';
  return (error) => {
    const text = `Route 53's data plane: ${error instanceof Error ? error.message : String(error)}`;
    if (text !== last) tell(text);
    last = text;
  };
}
