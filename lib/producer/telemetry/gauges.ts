import type { MeterProvider, Observable } from '@opentelemetry/api';
import { type Api, SCOPE } from './api.ts';

/** What is observed of a producer when somebody collects. */
export interface Observed {
  readonly bufferedRecords: number;
  readonly bufferedBytes: number;
  readonly inFlightRequests: number;
  readonly spooledRecords: number;
  readonly spooling: boolean;
  readonly retries: number;
}

export interface ObservedProducer {
  /** The name of the signal. Producers of the same one are added up. */
  readonly signal: string;
  readonly stats: () => Observed;
}

interface Row {
  readonly name: string;
  readonly kind: 'upDown' | 'counter';
  readonly unit: string;
  readonly description: string;
  readonly value: (stats: Observed) => number;
}

/** In the order of docs/telemetry.md. */
export const gaugeRows: readonly Row[] = [
  {
    name: 'spillway.producer.buffered_records',
    kind: 'upDown',
    unit: '{record}',
    description: 'Records in memory that no stream has acknowledged.',
    value: ({ bufferedRecords }) => bufferedRecords,
  },
  {
    name: 'spillway.producer.buffered_bytes',
    kind: 'upDown',
    unit: 'By',
    description: 'Bytes of these records.',
    value: ({ bufferedBytes }) => bufferedBytes,
  },
  {
    name: 'spillway.producer.in_flight_requests',
    kind: 'upDown',
    unit: '{request}',
    description: 'Requests without an answer yet.',
    value: ({ inFlightRequests }) => inFlightRequests,
  },
  {
    name: 'spillway.producer.spooled_records',
    kind: 'upDown',
    unit: '{record}',
    description: 'Records on disk that no stream has acknowledged.',
    value: ({ spooledRecords }) => spooledRecords,
  },
  {
    name: 'spillway.producer.spooling',
    kind: 'upDown',
    unit: '{producer}',
    description: 'Producers that acknowledge every record from the disk.',
    value: ({ spooling }) => (spooling ? 1 : 0),
  },
  {
    name: 'spillway.producer.retries',
    kind: 'counter',
    unit: '{record}',
    description: 'Records that were sent again.',
    value: ({ retries }) => retries,
  },
];

const live = new Set<ObservedProducer>();
/**
 * Retries of producers that were closed, by signal: a counter never falls. A signal stays here, since an SDK that is not told another
 * value reports the last one for ever.
 */
const signals = new Map<string, number>();
/** Signals that are told apart; more are left out. */
const MOST_SIGNALS = 1_000;

let registered: MeterProvider | undefined;

/** Observes a producer until it is closed. All producers of a process share the instruments. Returns what ends it. */
export function observe(api: Api, producer: ObservedProducer): () => void {
  const { signal, stats } = producer;
  if (!signals.has(signal)) {
    if (signals.size >= MOST_SIGNALS) return () => {};
    signals.set(signal, 0);
  }
  live.add(producer);
  register(api);
  return () => {
    if (live.delete(producer)) signals.set(signal, (signals.get(signal) ?? 0) + stats().retries);
  };
}

/** Registers with the provider that is in force; does nothing while it is the same. */
export function register(api: Api): void {
  const provider = api.metrics.getMeterProvider();
  if (registered === provider) return;
  registered = provider;
  const meter = provider.getMeter(SCOPE);
  const observables: Observable[] = gaugeRows.map(({ name, kind, unit, description }) =>
    kind === 'counter'
      ? meter.createObservableCounter(name, { unit, description })
      : meter.createObservableUpDownCounter(name, { unit, description }),
  );
  meter.addBatchObservableCallback((result) => {
    const bySignal = Map.groupBy(live, ({ signal }) => signal);
    for (const [signal, closedRetries] of signals) {
      const all = (bySignal.get(signal) ?? []).map(({ stats }) => stats());
      for (const [at, { kind, value }] of gaugeRows.entries()) {
        const before = kind === 'counter' ? closedRetries : 0;
        const sum = all.reduce((total, stats) => total + value(stats), before);
        result.observe(observables[at] as Observable, sum, { 'spillway.signal': signal });
      }
    }
  }, observables);
}
