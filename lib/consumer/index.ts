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
export type { DynamoClient } from './dynamo-client.ts';
export { DynamoSeenStore, type DynamoSeenStoreOptions } from './dynamo-seen-store.ts';
export {
  BadRecordError,
  CheckpointError,
  ClaimedElsewhereError,
  ConsumerConfigError,
  SeenStoreError,
} from './errors.ts';
export type { HashKeyRange } from './hash-key-range.ts';
export type { LambdaKinesisRecord, SdkKinesisRecord } from './kinesis-record.ts';
export type { EventPlace, LambdaEventRecord, LambdaKinesisEvent } from './lambda-event.ts';
export {
  type MovedRecord,
  MoveOrderChecker,
  type MoveOrderCheckerOptions,
  type MoveVerdict,
  type WrongOrder,
} from './move-order-checker.ts';
export {
  OrderChecker,
  type OrderCheckerOptions,
  type OrderedRecord,
  type OrderVerdict,
} from './order-checker.ts';
export {
  type CheckpointHint,
  checkpointOf,
  type HandledRecord,
  type PortableCheckpoint,
  parseCheckpoint,
  type StartOptions,
  type StartPosition,
  type StreamPlace,
  serializeCheckpoint,
  startPosition,
  wasHandled,
} from './portable-checkpoint.ts';
export {
  type Handle,
  type ProcessedBatch,
  type ProcessRecordOptions,
  type ProcessRecordsOptions,
  processRecord,
  processRecords,
  type RecordFailure,
} from './process-records.ts';
export {
  type BadReason,
  type BadRecord,
  type BatchItemFailure,
  type EventRecord,
  type RecordsOfEvent,
  type RecordsOfOptions,
  recordsOf,
} from './records-of.ts';
export {
  type Claim,
  type ClaimResult,
  MemorySeenStore,
  type MemorySeenStoreOptions,
  type SeenStore,
} from './seen-store.ts';
export {
  type RecordPlace,
  type RejectedAggregate,
  type TakeApartOptions,
  takeApart,
  type UserRecord,
} from './take-apart.ts';
