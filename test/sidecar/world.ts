import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { ownCertificate } from '../../lib/sidecar/certificate.ts';
import type { SidecarEvent } from '../../lib/sidecar/events.ts';
import type { SidecarOptions } from '../../lib/sidecar/options.ts';
import { Sidecar } from '../../lib/sidecar/sidecar.ts';
import { type SignalServer, startSignalServer } from '../producer/signal-server.ts';
import { type FakeKinesis, startFakeKinesis } from './fake-kinesis.ts';

export const credentials = { accessKeyId: 'test', secretAccessKey: 'test' };

/** Two regions, the signal between them, and a sidecar in front. */
export interface SidecarWorld {
  readonly url: string;
  readonly tlsUrl: string;
  readonly adminPort: number | undefined;
  /** File of the authority of the sidecar's certificate. */
  readonly caFile: string;
  readonly directory: string;
  readonly east: FakeKinesis;
  readonly west: FakeKinesis;
  readonly dns: SignalServer;
  readonly sidecar: Sidecar;
  readonly events: SidecarEvent[];
  /** Lets the signal name the standby. */
  move(): void;
  close(): Promise<void>;
}

const CLOSE_MS = 2_000;
/** The stream has another name in the standby. */
export const EAST = 'v=1; region=us-east-1; stream=orders';
export const WEST = 'v=1; region=us-west-2; stream=orders-west';

export interface WorldOptions extends Partial<Omit<SidecarOptions, 'cells' | 'producer'>> {
  readonly producer?: Partial<SidecarOptions['producer']>;
  readonly cells?: (dns: string) => SidecarOptions['cells'];
  readonly spool?: boolean;
}

export const ordersCell = (dns: string): SidecarOptions['cells'][number] => ({
  name: 'orders',
  signal: { name: 'signal.orders.example.com', servers: [dns], pollMs: 50 },
  regions: ['us-east-1', 'us-west-2'],
  streams: { 'us-east-1': { name: 'orders' }, 'us-west-2': { name: 'orders-west' } },
});

export async function startSidecarWorld({
  producer,
  cells,
  spool,
  ...options
}: WorldOptions = {}): Promise<SidecarWorld> {
  const directory = await mkdtemp(join(tmpdir(), 'spillway-sidecar-'));
  const [east, west, dns] = await Promise.all([
    startFakeKinesis(),
    startFakeKinesis({ firstShard: 7 }),
    startSignalServer(EAST),
  ]);
  const { caFile, ...tls } = await ownCertificate(join(directory, 'tls'), Date.now());
  const events: SidecarEvent[] = [];
  const sidecar = new Sidecar({
    cells: cells?.(dns.address) ?? [ordersCell(dns.address)],
    listen: { host: '127.0.0.1', port: 0 },
    tls,
    onEvent: (event) => events.push(event),
    ...options,
    producer: {
      endpoint: (region) => (region === 'us-east-1' ? east.url : west.url),
      credentials,
      ...(spool ? { spoolDirectory: join(directory, 'spool') } : {}),
      ...producer,
    },
  });
  const { port, adminPort } = await sidecar.start();
  return {
    url: `http://127.0.0.1:${port}`,
    adminPort,
    tlsUrl: `https://127.0.0.1:${port}`,
    caFile,
    directory,
    east,
    west,
    dns,
    sidecar,
    events,
    move: () => {
      dns.answer = WEST;
    },
    close: async () => {
      for (const region of [east, west]) region.mode = 'serve';
      await sidecar.close({ timeoutMs: CLOSE_MS });
      await Promise.all([east.close(), west.close(), dns.close()]);
      await rm(directory, { recursive: true, force: true });
    },
  };
}
