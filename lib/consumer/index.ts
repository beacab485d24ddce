import '../producer/supported-node.ts';

export {
  type Bare,
  type Enveloped,
  type EnvelopeRejection,
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
