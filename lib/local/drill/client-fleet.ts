import { join } from 'node:path';
import { isSynthetic } from '../../sidecar/synthetic.ts';
import {
  type ClientLine,
  type ForeignClient,
  type Launch,
  type prepareClient,
  startClient,
} from '../clients/foreign-client.ts';
import { localCredentials } from './clients.ts';
import { DrillError } from './errors.ts';
import { type Acknowledgement, SPOOLED } from './events.ts';
import type { ProducerProcessOptions } from './producer-process.ts';
import type { ProducerFleet } from './producers.ts';
import { type SidecarProcess, startSidecar } from './sidecar-process.ts';

/** What `prepareClient` gives. */
export type LaunchClient = Awaited<ReturnType<typeof prepareClient>>;

export interface ClientFleetHooks {
  readonly environment: NodeJS.ProcessEnv;
  readonly onDeath: (error: DrillError) => void;
}

/** Of the cell that the sidecar opens by a signal. */
const CELL = 'default';
const STOP_TIMEOUT_MS = 25_000;
/** As a producer of ours in a drill. */
const MAX_PENDING = 20_000;

/**
 * Starts, in place of each producer, a sidecar and a client that is not ours: the client writes to the sidecar as it would to
 * Kinesis, and knows nothing of regions. A record counts as acknowledged when the client says so.
 */
export async function startClientFleet(
  list: readonly (ProducerProcessOptions & { readonly streamName: string })[],
  { launch, ...hooks }: ClientFleetHooks & { readonly launch: LaunchClient },
): Promise<ProducerFleet> {
  const acknowledgements: Acknowledgement[] = [];
  const members: Member[] = [];
  const kill = (): void => {
    for (const member of members) member.kill();
  };
  try {
    for (const options of list) {
      const sidecar = await startSidecar(options, hooks);
      const settings = {
        endpoint: sidecar.endpoint,
        caFile: sidecar.caFile,
        stream: options.streamName,
        region: options.regions[0] ?? '',
        ...localCredentials,
      };
      const told = (ack: Acknowledgement): void => void acknowledgements.push(ack);
      members.push(new Member(options, { sidecar, launch: await launch(settings), told, ...hooks }));
    }
  } catch (error) {
    kill();
    throw error;
  }
  return {
    names: list.map(({ producer }) => producer),
    spoolDirectories: list.map(({ spoolDirectory }) => join(spoolDirectory, CELL)),
    acknowledgements,
    pending: () => members.reduce((sum, { pending }) => sum + pending, 0),
    takeAcknowledgements: () => acknowledgements.splice(0),
    rejected: () => members.reduce((sum, { rejected }) => sum + rejected, 0),
    kill,
    stop: async () => {
      const timer = setTimeout(kill, STOP_TIMEOUT_MS);
      await Promise.all(members.map((member) => member.stop()));
      clearTimeout(timer);
    },
  };
}

interface MemberParts extends ClientFleetHooks {
  readonly sidecar: SidecarProcess;
  readonly launch: Launch;
  readonly told: (ack: Acknowledgement) => void;
}

/** One client with its sidecar. */
class Member {
  rejected = 0;
  #offered = 0;
  #acknowledged = 0;
  #ending = false;
  readonly #options: ProducerProcessOptions;
  readonly #sidecar: SidecarProcess;
  readonly #client: ForeignClient;
  readonly #told: MemberParts['told'];
  readonly #timer: NodeJS.Timeout;
  readonly #startedMs = performance.now();
  /** Of records without an answer, by their id. */
  readonly #putAtMs = new Map<string, number>();

  constructor(options: ProducerProcessOptions, { sidecar, launch, told, environment, onDeath }: MemberParts) {
    this.#options = options;
    this.#sidecar = sidecar;
    this.#told = told;
    this.#client = startClient(launch, { base: environment, onLine: (line) => this.#hear(line) });
    this.#timer = setInterval(() => this.#offer(), options.putEveryMs);
    void this.#client.exited.then(() => {
      if (this.#ending) return;
      const why = this.#client.complaints().trim();
      onDeath(new DrillError(`The client ${options.producer} ended: ${why}`, 'producer-died'));
    });
  }

  get pending(): number {
    return this.#offered - this.rejected - this.#acknowledged;
  }

  kill(): void {
    this.#ending = true;
    clearInterval(this.#timer);
    this.#client.child.kill('SIGKILL');
    this.#sidecar.kill();
  }

  /** The client first, so that the sidecar gets what the client holds. */
  async stop(): Promise<void> {
    this.#ending = true;
    clearInterval(this.#timer);
    this.#client.end();
    await this.#client.exited;
    this.#sidecar.terminate();
    await this.#sidecar.exited;
  }

  #offer(): void {
    const { putEveryMs, idPrefix, producer, keys } = this.#options;
    const due = Math.floor((performance.now() - this.#startedMs) / putEveryMs);
    while (this.#offered < due && this.pending < MAX_PENDING) {
      const sequence = this.#offered++;
      const id = `${idPrefix}-${sequence}`;
      const data = Buffer.from(id).toString('base64');
      this.#putAtMs.set(id, Date.now());
      this.#client.put({ id, partitionKey: `${producer}-${sequence % keys}`, data });
    }
  }

  #hear(line: ClientLine): void {
    if ('problem' in line) return;
    const nowMs = Date.now();
    const putAtMs = this.#putAtMs.get(line.id) ?? nowMs;
    this.#putAtMs.delete(line.id);
    if ('failed' in line) {
      this.rejected++;
      return;
    }
    this.#acknowledged++;
    const region = isSynthetic(line.sequenceNumber ?? '') ? SPOOLED : this.#sidecar.region;
    this.#told({ id: line.id, producer: this.#options.producer, region, putAtMs, atMs: nowMs });
  }
}
