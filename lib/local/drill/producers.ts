import { type ChildProcess, fork } from 'node:child_process';
import { ownFile } from '../../files/own-files.ts';
import { DrillError } from './errors.ts';
import type { Acknowledgement } from './events.ts';
import type { ProducerProcessOptions, ProducerReport } from './producer-process.ts';

const entry = ownFile('lib/local/drill/producer-process.ts');
const STOP_TIMEOUT_MS = 25_000;

interface Running {
  readonly options: ProducerProcessOptions;
  readonly child: ChildProcess;
  offered: number;
  rejected: number;
  acknowledged: number;
  exited: boolean;
}

export interface ProducerFleet {
  readonly names: readonly string[];
  readonly spoolDirectories: readonly string[];
  /** Every receipt so far, in the order of arrival. */
  readonly acknowledgements: readonly Acknowledgement[];
  pending(): number;
  /** Takes the receipts since the last call and forgets them: for a fleet that goes on for hours. */
  takeAcknowledgements(): readonly Acknowledgement[];
  rejected(): number;
  /** Ends the producers in order: they flush what they hold, then exit. */
  stop(): Promise<void>;
  /** Ends the producers immediately. */
  kill(): void;
}

/** Starts one process per producer, as applications would run: they share nothing with the drill but what they report. */
export function startProducers(
  list: readonly ProducerProcessOptions[],
  hooks: { readonly environment: NodeJS.ProcessEnv; readonly onDeath: (error: DrillError) => void },
): ProducerFleet {
  const acknowledgements: Acknowledgement[] = [];
  let stopping = false;

  const running = list.map((options): Running => {
    const child = fork(entry, [JSON.stringify(options)], {
      env: hooks.environment,
      stdio: ['ignore', 'ignore', 'pipe', 'ipc'],
    });
    const one: Running = { options, child, offered: 0, rejected: 0, acknowledged: 0, exited: false };
    let errors = '';
    child.stderr?.on('data', (chunk: Buffer) => {
      errors = (errors + chunk.toString()).slice(-2_000);
    });
    child.on('message', (message) => {
      const report = message as ProducerReport;
      one.offered = report.offered;
      one.rejected = report.rejected;
      one.acknowledged += report.acknowledged.length;
      for (const ack of report.acknowledged) acknowledgements.push({ ...ack, producer: options.producer });
    });
    child.on('exit', (code, signal) => {
      one.exited = true;
      if (stopping) return;
      hooks.onDeath(
        new DrillError(
          `Producer ${options.producer} ended (${signal ?? code}): ${errors.trim()}`,
          'producer-died',
        ),
      );
    });
    return one;
  });

  const kill = (): void => {
    stopping = true;
    for (const { child, exited } of running) if (!exited) child.kill('SIGKILL');
  };
  return {
    names: list.map((options) => options.producer),
    spoolDirectories: list.map((options) => options.spoolDirectory),
    acknowledgements,
    pending: () => running.reduce((sum, one) => sum + one.offered - one.rejected - one.acknowledged, 0),
    takeAcknowledgements: () => acknowledgements.splice(0),
    rejected: () => running.reduce((sum, one) => sum + one.rejected, 0),
    kill,
    stop: async () => {
      stopping = true;
      const exits = running.map((one) => exitOf(one));
      for (const { child } of running) if (child.connected) child.send('stop');
      const timer = setTimeout(kill, STOP_TIMEOUT_MS);
      await Promise.all(exits);
      clearTimeout(timer);
    },
  };
}

function exitOf({ child, exited }: Running): Promise<void> {
  return exited ? Promise.resolve() : new Promise((resolve) => child.once('exit', () => resolve()));
}
