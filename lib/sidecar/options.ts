import type { ProducerOptions } from '../producer/options.ts';
import type { SidecarEvent } from './events.ts';

/** A stream in one region. */
export interface CellStream {
  readonly name: string;
  /** Of a stream in another account. */
  readonly arn?: string | undefined;
}

/** One workload that moves as a unit: the names by which clients may call its stream, and its signal. */
export interface SidecarCell {
  readonly name: string;
  readonly signal: ProducerOptions['signal'];
  readonly regions: readonly string[];
  /** By region. Absent: the stream that the signal names. */
  readonly streams?: Readonly<Record<string, CellStream>> | undefined;
}

/** Settings that every producer behind the sidecar shares. */
export interface SharedProducerOptions
  extends Pick<
    ProducerOptions,
    | 'endpoint'
    | 'credentials'
    | 'proxy'
    | 'acknowledge'
    | 'aggregate'
    | 'order'
    | 'maxRecordBytes'
    | 'maxBufferedRecords'
    | 'maxBufferedBytes'
    | 'deliveryTimeoutMs'
    | 'requestTimeoutMs'
    | 'retryBaseMs'
    | 'retryMaxMs'
  > {
  /** Where each cell has a spool, in a directory of its own below this one. */
  readonly spoolDirectory?: string | undefined;
  /** Of the spool of each cell: `spool.afterMs` of the producer. */
  readonly spoolAfterMs?: number | undefined;
  /** Bytes of each spool. */
  readonly maxSpoolBytes?: number | undefined;
}

export interface TcpAddress {
  readonly host: string;
  readonly port: number;
}

/** PEM texts. */
export interface SidecarTls {
  readonly key: string;
  readonly cert: string;
  /** Authority of client certificates: each client must show one. */
  readonly clientCa?: string | undefined;
}

export interface SidecarLimits {
  readonly maxConnections: number;
  /** Requests in progress. */
  readonly maxRequests: number;
  /** Bytes of requests in progress. */
  readonly maxRequestBytes: number;
  /** Cells that are written to, each with a producer of its own. */
  readonly maxCells: number;
  /** For a request to arrive as a whole. */
  readonly bodyTimeoutMs: number;
  /** For an answer to a request that is passed on. */
  readonly passOnTimeoutMs: number;
  /** Requests that are passed on at the same time, and that wait for that. */
  readonly maxPassedOn: number;
  readonly maxPassOnWaiting: number;
}

export const defaultLimits: SidecarLimits = {
  maxConnections: 1_024,
  maxRequests: 4_096,
  maxRequestBytes: 128 * 1024 * 1024,
  maxCells: 64,
  bodyTimeoutMs: 30_000,
  passOnTimeoutMs: 5_000,
  maxPassedOn: 8,
  maxPassOnWaiting: 64,
};

export interface SidecarOptions {
  readonly cells: readonly SidecarCell[];
  readonly producer: SharedProducerOptions;
  readonly listen?: TcpAddress | undefined;
  /** Path of a Unix socket. */
  readonly socket?: string | undefined;
  /** A listener for /healthz and /metrics alone. */
  readonly admin?: TcpAddress | undefined;
  readonly tls: SidecarTls;
  /** Take connections from other machines: then with TLS and a client's certificate alone. */
  readonly allowRemote?: boolean | undefined;
  readonly limits?: Partial<SidecarLimits> | undefined;
  readonly onEvent?: ((event: SidecarEvent) => void) | undefined;
}
