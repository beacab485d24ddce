import { type ChildProcess, spawn } from 'node:child_process';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { ownFile } from '../../files/own-files.ts';
import type { SidecarEvent } from '../../sidecar/events.ts';
import { DrillError } from './errors.ts';
import type { ProducerProcessOptions } from './producer-process.ts';

const START_TIMEOUT_MS = 30_000;
const KEPT_CHARACTERS = 2_000;

/** The event that the verb adds to those of the sidecar. */
interface Listening {
  readonly event: 'listening';
  readonly port: number;
  readonly ca: string;
}

/** `spillway sidecar`, as an operator starts it. */
export interface SidecarProcess {
  /** With TLS. */
  readonly endpoint: string;
  /** File of the authority that clients trust. */
  readonly caFile: string;
  /** Where its records go now, by its own events. */
  readonly region: string;
  /** SIGTERM: it delivers what it holds. */
  terminate(): void;
  kill(): void;
  readonly exited: Promise<void>;
}

type Given = Pick<
  ProducerProcessOptions,
  'producer' | 'signalName' | 'dnsServer' | 'regions' | 'endpoint' | 'spoolDirectory'
>;

/** Starts a sidecar for the cell of one producer. @throws DrillError when it does not listen in time */
export async function startSidecar(
  given: Given,
  {
    environment,
    onDeath,
  }: { readonly environment: NodeJS.ProcessEnv; readonly onDeath: (error: DrillError) => void },
): Promise<SidecarProcess> {
  const child = launch(given, environment);
  const listening = Promise.withResolvers<Listening>();
  let region = '';
  let errors = '';
  child.stderr?.on('data', (chunk: Buffer) => {
    errors = `${errors}${chunk}`.slice(-KEPT_CHARACTERS);
  });
  createInterface({ input: child.stdout as NodeJS.ReadableStream }).on('line', (line) => {
    const event = JSON.parse(line) as SidecarEvent | Listening;
    if (event.event === 'listening') listening.resolve(event);
    if (event.event === 'regionChanged') region = event.to;
  });
  let ends = false;
  const exited = new Promise<void>((resolve) => child.once('close', () => resolve()));
  child.once('exit', (code, signal) => {
    const death = new DrillError(
      `The sidecar of ${given.producer} ended (${signal ?? code}): ${errors.trim()}`,
      'producer-died',
    );
    listening.reject(death);
    if (!ends) onDeath(death);
  });
  const late = new DrillError(
    `The sidecar of ${given.producer} does not listen: ${errors.trim()}`,
    'producer-died',
  );
  const timer = setTimeout(() => listening.reject(late), START_TIMEOUT_MS);
  const { port, ca } = await listening.promise.finally(() => clearTimeout(timer));
  const end = (signal: NodeJS.Signals) => (): void => {
    ends = true;
    child.kill(signal);
  };
  return {
    endpoint: `https://127.0.0.1:${port}`,
    caFile: ca,
    get region() {
      return region;
    },
    terminate: end('SIGTERM'),
    kill: end('SIGKILL'),
    exited,
  };
}

function launch(
  { signalName, dnsServer, regions, endpoint, spoolDirectory }: Given,
  environment: NodeJS.ProcessEnv,
): ChildProcess {
  const flags = [
    ...['--json', '--signal', signalName, '--regions', regions.join(','), '--dns', dnsServer],
    ...['--endpoint', endpoint, '--listen', '127.0.0.1:0'],
    ...['--spool', spoolDirectory, '--tls-dir', join(spoolDirectory, 'tls')],
  ];
  return spawn(process.execPath, [ownFile('bin/spillway.ts'), 'sidecar', ...flags], {
    env: environment,
    stdio: ['ignore', 'pipe', 'pipe'],
  });
}
