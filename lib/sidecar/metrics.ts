import { Counter, Gauge, Histogram, Registry } from 'prom-client';
import type { OpenCell } from './cell.ts';

/** Seconds; from a loopback answer to the patience of an SDK. */
const BUCKETS = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30];
const PREFIX = 'spillway_sidecar_';

interface Watched {
  readonly cells: () => readonly OpenCell[];
  readonly requests: () => number;
  readonly bytes: () => number;
  readonly connections: () => number;
}

/** What /metrics shows: counters of requests and records, and what the producers hold at the moment of the question. */
export class SidecarMetrics {
  readonly #registry = new Registry();
  readonly #requests = this.#counter(
    'requests_total',
    'Requests answered, by operation and code (ok, or the error).',
    ['operation', 'code'],
  );
  readonly #seconds = new Histogram({
    name: `${PREFIX}request_seconds`,
    help: 'Time from a whole request to its answer, by operation.',
    labelNames: ['operation'],
    buckets: BUCKETS,
    registers: [this.#registry],
  });
  readonly #records = this.#counter(
    'records_total',
    'Records of clients, by outcome: delivered, spooled or failed.',
    ['cell', 'outcome'],
  );
  readonly #failures = this.#counter(
    'record_failures_total',
    'Records that failed, by the code in the answer.',
    ['cell', 'code'],
  );
  readonly #bytes = this.#counter('bytes_total', 'Bytes of data and keys in requests.', ['cell']);
  readonly #aggregates = this.#counter('aggregates_total', 'KPL aggregates that were taken apart.', ['cell']);
  readonly #userRecords = this.#counter('user_records_total', 'Records given to the producer.', ['cell']);

  constructor(watched: Watched) {
    this.#gauge('requests_in_progress', 'Requests in progress.', watched.requests);
    this.#gauge('request_bytes', 'Bytes of requests in progress.', watched.bytes);
    this.#gauge('connections', 'Open connections.', watched.connections);
    const ofCells = { cells: watched.cells, registry: this.#registry };
    for (const [name, { help, value }] of Object.entries(producerGauges))
      cellGauge({ name, help, value, ...ofCells });
    new Gauge({
      name: 'spillway_producer_region',
      help: 'The region that the records of the cell go to.',
      labelNames: ['cell', 'region'],
      registers: [this.#registry],
      collect() {
        this.reset();
        for (const cell of watched.cells()) {
          const { region } = cell.stats();
          if (region !== undefined) this.set({ cell: cell.name, region }, 1);
        }
      },
    });
  }

  answered(operation: string, code: string, seconds: number): void {
    this.#requests.inc({ operation, code });
    this.#seconds.observe({ operation }, seconds);
  }

  put(cell: string, put: PutCounts): void {
    const { records, spooled, failures, bytes, aggregates, userRecords } = put;
    let failed = 0;
    for (const [code, count] of failures) {
      failed += count;
      this.#failures.inc({ cell, code }, count);
    }
    if (failed > 0) this.#records.inc({ cell, outcome: 'failed' }, failed);
    if (spooled > 0) this.#records.inc({ cell, outcome: 'spooled' }, spooled);
    this.#records.inc({ cell, outcome: 'delivered' }, records - failed - spooled);
    this.#bytes.inc({ cell }, bytes);
    if (aggregates > 0) this.#aggregates.inc({ cell }, aggregates);
    this.#userRecords.inc({ cell }, userRecords);
  }

  get contentType(): string {
    return this.#registry.contentType;
  }

  text(): Promise<string> {
    return this.#registry.metrics();
  }

  #counter(name: string, help: string, labelNames: string[]): Counter {
    return new Counter({ name: `${PREFIX}${name}`, help, labelNames, registers: [this.#registry] });
  }

  #gauge(name: string, help: string, value: () => number): void {
    new Gauge({
      name: `${PREFIX}${name}`,
      help,
      registers: [this.#registry],
      collect() {
        this.set(value());
      },
    });
  }
}

export interface PutCounts {
  readonly records: number;
  readonly spooled: number;
  readonly failures: ReadonlyMap<string, number>;
  readonly bytes: number;
  readonly aggregates: number;
  readonly userRecords: number;
}

type Stats = ReturnType<OpenCell['stats']>;

const producerGauges: Readonly<
  Record<string, { readonly help: string; readonly value: (stats: Stats) => number }>
> = {
  buffered_records: { help: 'Records in memory.', value: ({ bufferedRecords }) => bufferedRecords },
  buffered_bytes: { help: 'Bytes of records in memory.', value: ({ bufferedBytes }) => bufferedBytes },
  in_flight_requests: {
    help: 'Requests to Kinesis in flight.',
    value: ({ inFlightRequests }) => inFlightRequests,
  },
  spooled_records: { help: 'Records on the disk.', value: ({ spooledRecords }) => spooledRecords },
  spooling: {
    help: '1 while every record goes through the disk.',
    value: ({ spooling }) => (spooling ? 1 : 0),
  },
  delivered_records: { help: 'Records in a stream since the start.', value: ({ delivered }) => delivered },
  aggregates: {
    help: 'Kinesis records with more than one record in them since the start.',
    value: ({ aggregates }) => aggregates,
  },
  regrouped_records: {
    help: 'Records written again since the start, because the stream was split or merged.',
    value: ({ regrouped }) => regrouped,
  },
  retries: { help: 'Attempts that failed since the start.', value: ({ retries }) => retries },
};

interface CellGauge {
  readonly name: string;
  readonly help: string;
  readonly value: (stats: Stats) => number;
  readonly cells: () => readonly OpenCell[];
  readonly registry: Registry;
}

function cellGauge({ name, help, value, cells, registry }: CellGauge): void {
  new Gauge({
    name: `spillway_producer_${name}`,
    help,
    labelNames: ['cell'],
    registers: [registry],
    collect() {
      for (const cell of cells()) this.set({ cell: cell.name }, value(cell.stats()));
    },
  });
}
