import { once } from 'node:events';
import { chmod, mkdir } from 'node:fs/promises';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { assertSafe, isLoopback, removeStale } from './addresses.ts';
import { Budget } from './budget.ts';
import { Cells } from './cells.ts';
import { Handler } from './handler.ts';
import { Listener } from './listener.ts';
import { SidecarMetrics } from './metrics.ts';
import { defaultLimits, type SidecarLimits, type SidecarOptions, type TcpAddress } from './options.ts';
import { SyntheticNumbers } from './synthetic.ts';
import { Upstream } from './upstream.ts';

/** Where a sidecar listens. */
export interface SidecarAddresses {
  readonly host: string | undefined;
  readonly port: number | undefined;
  readonly socket: string | undefined;
  readonly adminPort: number | undefined;
}

const MAX_RECORD_BYTES = 1024 * 1024;
/** How long the start waits for the first signal, so that the first request is not refused. */
const FIRST_SIGNAL_MS = 3_000;
/** After the last answer, for requests that were under way to a connection. */
const QUIET_MS = 100;
const OWNER_ONLY = 0o600;

/** A local process that speaks Kinesis' API and writes through the producer, for programs in any language. */
export class Sidecar {
  readonly #options: SidecarOptions;
  readonly #limits: SidecarLimits;
  readonly #cells: Cells;
  readonly #upstream: Upstream;
  readonly #budget: Budget;
  readonly #metrics: SidecarMetrics;
  readonly #handler: Handler;
  readonly #listeners: Listener[] = [];
  #admin: Server | undefined;
  #draining = false;
  #idle: (() => void) | undefined;

  /** @throws UsageError */
  constructor(options: SidecarOptions) {
    assertSafe(options);
    this.#options = options;
    const tell = options.onEvent ?? (() => {});
    const limits = { ...defaultLimits, ...options.limits };
    this.#limits = limits;
    this.#cells = new Cells({
      cells: options.cells,
      producer: options.producer,
      maxCells: limits.maxCells,
      tell,
    });
    this.#upstream = new Upstream({
      ...options.producer,
      timeoutMs: limits.passOnTimeoutMs,
      maxRequests: limits.maxPassedOn,
      maxWaiting: limits.maxPassOnWaiting,
    });
    this.#budget = new Budget({ maxRequests: limits.maxRequests, maxBytes: limits.maxRequestBytes });
    this.#metrics = new SidecarMetrics({
      cells: () => this.#cells.opened,
      requests: () => this.#budget.requests,
      bytes: () => this.#budget.bytes,
      connections: () => this.#listeners.reduce((sum, { connections }) => sum + connections, 0),
    });
    this.#handler = new Handler({
      cells: this.#cells,
      upstream: this.#upstream,
      budget: this.#budget,
      metrics: this.#metrics,
      numbers: new SyntheticNumbers(Date.now),
      limits,
      maxRecordBytes: options.producer.maxRecordBytes ?? MAX_RECORD_BYTES,
      isDraining: () => this.#draining,
      onEnd: () => this.#ended(),
    });
  }

  /** @throws UsageError, ProducerConfigError, and what listening throws */
  async start(): Promise<SidecarAddresses> {
    const { producer, listen, socket, admin } = this.#options;
    if (producer.spoolDirectory !== undefined)
      await mkdir(producer.spoolDirectory, { recursive: true, mode: 0o700 });
    this.#cells.openAtStart();
    await Promise.all(this.#cells.opened.map((cell) => cell.settled(FIRST_SIGNAL_MS)));
    const address = listen === undefined ? undefined : await this.#listen(listen);
    if (socket !== undefined) {
      await removeStale(socket);
      await this.#listener().listen({ path: socket });
      await chmod(socket, OWNER_ONLY);
    }
    const adminPort = admin === undefined ? undefined : await this.#listenAdmin(admin);
    return { host: address?.address, port: address?.port, socket, adminPort };
  }

  /**
   * Takes no more connections, answers what is in progress, and lets the producers deliver what they hold, all within the time.
   *
   * @returns records that are left on the disk
   */
  async close({ timeoutMs }: { readonly timeoutMs: number }): Promise<number> {
    const untilMs = performance.now() + timeoutMs;
    this.#draining = true;
    this.#options.onEvent?.({ event: 'draining', requests: this.#budget.requests });
    for (const listener of this.#listeners) listener.stopAccepting();
    await this.#untilIdle(timeoutMs);
    await this.#cells.close(Math.max(0, untilMs - performance.now()));
    for (const listener of this.#listeners) listener.destroy();
    this.#admin?.close();
    this.#admin?.closeAllConnections();
    this.#upstream.close();
    const left = this.#cells.opened.reduce((sum, cell) => sum + cell.stats().spooledRecords, 0);
    this.#options.onEvent?.({ event: 'closed', left });
    return left;
  }

  async #listen({ host, port }: TcpAddress): Promise<AddressInfo> {
    return (await this.#listener(!isLoopback(host)).listen({ host, port })) as AddressInfo;
  }

  #listener(remote = false): Listener {
    const { tls } = this.#options;
    const listener = new Listener({
      tls,
      tlsOnly: remote || tls.clientCa !== undefined,
      maxConnections: this.#limits.maxConnections,
      onRequest: (request, response, arrivals) => {
        if (request.method === 'GET' && this.#answerAdmin(request, response)) return;
        this.#handler.handle(request, response, arrivals);
      },
    });
    this.#listeners.push(listener);
    return listener;
  }

  async #listenAdmin({ host, port }: TcpAddress): Promise<number> {
    const server = createServer((request, response) => {
      if (!this.#answerAdmin(request, response)) response.writeHead(404).end();
    });
    this.#admin = server;
    server.maxConnections = this.#limits.maxConnections;
    server.listen({ host, port });
    await once(server, 'listening');
    return (server.address() as AddressInfo).port;
  }

  #answerAdmin({ url }: IncomingMessage, response: ServerResponse): boolean {
    if (url === '/healthz') {
      const health = this.health();
      response.writeHead(health.ok ? 200 : 503, { 'content-type': 'application/json' });
      response.end(JSON.stringify(health));
      return true;
    }
    if (url !== '/metrics') return false;
    void this.#metrics.text().then((text) => {
      response.writeHead(200, { 'content-type': this.#metrics.contentType });
      response.end(text);
    });
    return true;
  }

  health(): SidecarHealth {
    const cells = this.#cells.opened.map((cell) => {
      const { region, spooling, spooledRecords } = cell.stats();
      const { isRefusing: refusing } = cell;
      return { cell: cell.name, region: region ?? null, spooling, spooledRecords, refusing };
    });
    const ok = !this.#draining && cells.every(({ region, refusing }) => region !== null && !refusing);
    return { ok, draining: this.#draining, cells };
  }

  #ended(): void {
    if (this.#budget.requests === 0) this.#idle?.();
  }

  /** Resolves when no request has been in progress for a moment, or after the time. */
  async #untilIdle(timeoutMs: number): Promise<void> {
    const idle = Promise.withResolvers<void>();
    const deadline = setTimeout(idle.resolve, timeoutMs);
    let quiet: NodeJS.Timeout | undefined;
    this.#idle = () => {
      clearTimeout(quiet);
      quiet = setTimeout(() => {
        if (this.#budget.requests === 0) idle.resolve();
      }, QUIET_MS);
    };
    if (this.#budget.requests === 0) this.#idle();
    await idle.promise;
    clearTimeout(deadline);
    clearTimeout(quiet);
    this.#idle = undefined;
  }
}

export interface SidecarHealth {
  readonly ok: boolean;
  readonly draining: boolean;
  readonly cells: readonly {
    readonly cell: string;
    readonly region: string | null;
    readonly spooling: boolean;
    readonly spooledRecords: number;
    /** No record is taken, because of the stream: service-managed distribution. */
    readonly refusing: boolean;
  }[];
}
