import '../producer/supported-node.ts';

export { type AggregateRejection, DigestUnavailableError } from '../aggregate/errors.ts';
export type { AggregateTag } from '../aggregate/tag.ts';
export {
  isProbeRecord,
  PROBE_DATA_PREFIX,
  PROBE_KEY_PREFIX,
  type RecordMarks,
  type SdkRecordMarks,
} from '../envelope/probe-record.ts';
export {
  type Bare,
  type Enveloped,
  type EnvelopeRejection,
  type ProbeRecord,
  type RejectedEnvelope,
  type Unwrapped,
  unwrap,
} from '../envelope/unwrap.ts';
export { Deduplicator, type DeduplicatorOptions, type Delivery } from './deduplicator.ts';
export { ConsumerConfigError } from './errors.ts';
export type { HashKeyRange } from './hash-key-range.ts';
export type { LambdaKinesisRecord, SdkKinesisRecord } from './kinesis-record.ts';
export {
  OrderChecker,
  type OrderCheckerOptions,
  type OrderedRecord,
  type OrderVerdict,
} from './order-checker.ts';
export { MemorySeenStore, type MemorySeenStoreOptions, type SeenStore } from './seen-store.ts';
export {
  type RecordPlace,
  type RejectedAggregate,
  type TakeApartOptions,
  takeApart,
  type UserRecord,
} from './take-apart.ts';
