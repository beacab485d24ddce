export {
  DeliveryTimeoutError,
  ProducerClosedError,
  ProducerConfigError,
  RecordError,
  RecordFailure,
} from './errors.ts';
export type { ProducerOptions } from './options.ts';
export { FailoverProducer, type ProducerEvents, type ProducerStats, type Receipt } from './producer.ts';
export type { ProducerRecord } from './record.ts';
export type { OutgoingBatch, OutgoingRecord, RecordResult, Transport } from './transport.ts';
