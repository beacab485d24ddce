import '../producer/supported-node.ts';

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
export {
  OrderChecker,
  type OrderCheckerOptions,
  type OrderedRecord,
  type OrderVerdict,
} from './order-checker.ts';
export { MemorySeenStore, type MemorySeenStoreOptions, type SeenStore } from './seen-store.ts';
