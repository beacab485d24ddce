import './supported-node.ts';

export { EnvelopeError } from '../envelope/errors.ts';
export type { BeaconEndpoints, BeaconOptions } from './beacons/beacon-options.ts';
export type { PutOutcome, Receipt } from './entry.ts';
export {
  BufferFullError,
  DeliveryTimeoutError,
  ProducerClosedError,
  ProducerConfigError,
  RecordError,
  RecordFailure,
  SpoolUnavailableError,
  StreamDistributionError,
} from './errors.ts';
export { type FollowedClient, type FollowSignalOptions, followSignal } from './middleware.ts';
export { RedirectError, SignalUnavailableError } from './middleware-errors.ts';
export type { ProducerOptions } from './options.ts';
export { FailoverProducer, type ProducerEvents, type ProducerStats } from './producer.ts';
export type { ProducerRecord } from './record.ts';
export { SpoolDirectoryError, SpoolFullError, SpoolLockedError, SpoolWriteError } from './spool/errors.ts';
export type { OutgoingBatch, RecordResult, Transport } from './transport.ts';
