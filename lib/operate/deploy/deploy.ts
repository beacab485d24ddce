import { mkdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import type { Voice } from '../../deployments/soak.ts';
import type { AwsClients } from '../clients.ts';
import { InterruptedError } from '../errors.ts';
import { readObservers } from '../observers.ts';
import type { Target } from '../target.ts';
import { readAssembly, type SynthesisedStack } from './assembly.ts';
import { type CdkOptions, deployStacks, synthesise } from './cdk.ts';
import { staleHosts } from './compare.ts';
import { type DeployDocument, documentOf } from './document.ts';
import { deployedTable } from './look.ts';
import { askNames } from './names.ts';
import { type Prepared, prepare } from './prepare.ts';
import { type RunEnd, type RunPorts, runStages } from './run.ts';
import { busyStacks, readStacks, type StackReader } from './stacks.ts';

export interface DeployOptions {
  readonly target: Target;
  readonly clients: AwsClients;
  readonly cdk: Pick<CdkOptions, 'directory' | 'env' | 'extra'>;
  /** File that the app is to read the config from. Absent: as the app finds it. */
  readonly configFile: string | undefined;
  /** Where assemblies and the log are kept. */
  readonly work: string;
  readonly soakMs: number;
  readonly settleMs: number | undefined;
  readonly allowRemoval: readonly string[];
  readonly dryRun: boolean;
  readonly nowMs: () => number;
  readonly signal: AbortSignal;
  readonly say: (text: string) => void;
  readonly tell: (text: string) => void;
  /** Shows the plan and gets consent; throws without it. Not called when nothing is to be done. */
  readonly consent: (plan: DeployDocument) => Promise<void>;
}

const READ_TIMEOUT_MS = 5_000;

/**
 * Plans a deployment, and carries it out in stages. Changes nothing before consent, nor when it is refused.
 *
 * @throws InterruptedError, which says what goes on; CdkFailedError when the app cannot be synthesised
 */
export async function deploy(options: DeployOptions): Promise<DeployDocument> {
  const { target, clients, work, dryRun, say } = options;
  const { config, dnsServers } = target;
  await mkdir(work, { recursive: true, mode: 0o700 });
  const logFile = join(work, 'deploy.log');
  await rm(logFile, { force: true });
  const cdk = cdkOf(options, logFile);
  const assembly = join(work, 'assembly');
  say('cdk synth');
  const made = await synthesised(options, cdk, assembly);
  say('comparing with what is deployed');
  const reader = readerOf(options, clients);
  const prepared = await prepare({ ...options, config, made, dnsServers, reader });
  const about = { prepared, assembly, extra: cdk.extra, logFile, dryRun };
  const plan = documentOf(about);
  if (dryRun || plan.state !== 'planned') return plan;
  await options.consent(plan);
  const end = await carriedOut({ prepared, made, options, cdk, assembly, reader });
  return documentOf({ ...about, end });
}

const cdkOf = ({ cdk, signal, say }: DeployOptions, logFile: string): CdkOptions => ({
  ...cdk,
  logFile,
  signal,
  onLine: say,
});

async function synthesised(
  { target, configFile }: DeployOptions,
  cdk: CdkOptions,
  outDir: string,
  hosts?: Readonly<Record<string, string>>,
): Promise<readonly SynthesisedStack[]> {
  await rm(outDir, { recursive: true, force: true });
  await synthesise({ outDir, configFile, ...(hosts === undefined ? {} : { hosts }) }, cdk);
  return readAssembly(outDir, target.config);
}

function readerOf({ signal, say }: DeployOptions, clients: AwsClients): StackReader {
  return { clients, signal, say, sleep: (ms) => pause(ms, signal) };
}

async function pause(ms: number, signal: AbortSignal): Promise<void> {
  await wait(ms, undefined, { signal }).catch(() => signal.throwIfAborted());
}

interface CarryingOut {
  readonly prepared: Prepared;
  readonly made: readonly SynthesisedStack[];
  readonly options: DeployOptions;
  readonly cdk: CdkOptions;
  readonly assembly: string;
  readonly reader: StackReader;
}

async function carriedOut(running: CarryingOut): Promise<RunEnd> {
  const { prepared, options, made } = running;
  let deployed = 0;
  const ports = portsOf(running, () => {
    deployed += 1;
  });
  try {
    return await runStages(prepared.stages, prepared, ports);
  } catch (error) {
    if (!(error instanceof InterruptedError)) throw error;
    // The signal of the run is spent, and this is a last look.
    const looking = { ...running.reader, signal: AbortSignal.timeout(READ_TIMEOUT_MS) };
    const busy = await busyStacks(made, looking).catch(() => []);
    throw new InterruptedError(interruptedText({ deployed, of: prepared.stages.length, busy }), {
      cause: options.signal.reason,
    });
  }
}

function interruptedText({
  deployed,
  of,
  busy,
}: {
  readonly deployed: number;
  readonly of: number;
  readonly busy: readonly string[];
}): string {
  return [
    `Interrupted: the stacks of ${deployed} stages of ${of} are deployed.`,
    ...(busy.length === 0
      ? []
      : [`CloudFormation goes on with ${busy.join(', ')}, and the guard goes on looking.`]),
    'Run the command again: it compares again, and goes on with what is left.',
  ].join(' ');
}

function portsOf(
  { prepared, made, options, cdk, assembly, reader }: CarryingOut,
  onDeployed: () => void,
): RunPorts {
  const { target, clients, nowMs, signal, say, tell } = options;
  const { config, dnsServers } = target;
  const { standby } = config.regions;
  const selectorOf = (name: string): string => made.find((stack) => stack.name === name)?.selector ?? name;
  const table = deployedTable(config, clients);
  const isFirst = !prepared.deployed.has(`${config.name}-standby`);
  return {
    deploy: async (stacks, hosts) => {
      let outDir = assembly;
      if (hosts !== undefined) {
        outDir = `${assembly}-hosts`;
        await synthesised(options, cdk, outDir, hosts);
      }
      await deployStacks(stacks.map(selectorOf), { ...cdk, outDir });
      onDeployed();
    },
    askNames: () => askNames(prepared.names, dnsServers),
    voices: async () => {
      const readings = await readObservers(config, { clients, timeoutMs: READ_TIMEOUT_MS, nowMs });
      return [...readings].map(([region, report]): Voice => {
        if (!report.ok) return { region, said: undefined };
        const { fresh, liveVote: vote, diagnosis, decidedAtMs } = report.value;
        return { region, said: { fresh, vote, diagnosis, decidedAtMs } };
      });
    },
    staleHosts: async () => {
      const [guarded, deployed] = await Promise.all([
        // Before the first deployment has made the table there is nothing to compare with.
        isFirst ? ('absent' as const) : table.read(),
        readStacks(
          made.filter(({ kind }) => ['witness', 'standby'].includes(kind)),
          reader,
        ),
      ]);
      return staleHosts({ made, deployed, guarded, standby });
    },
    sleep: (ms) => pause(ms, signal),
    nowMs,
    say,
    tell,
    throwIfAborted: () => signal.throwIfAborted(),
  };
}
