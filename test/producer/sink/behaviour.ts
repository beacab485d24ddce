/** An identity that the sink knows. */
export interface KnownIdentity {
  readonly accessKeyId: string;
  readonly secretAccessKey: string;
  readonly sessionToken?: string;
  /** Answered with ExpiredTokenException, whatever it signs. */
  readonly expired?: boolean;
}

/** What the sink does with one request, in place of taking it. */
export type Behaviour =
  | { readonly kind: 'serve' }
  /** The exception of AWS JSON 1.1; `raw` is sent as the body as it is. */
  | {
      readonly kind: 'error';
      readonly status: number;
      readonly type?: string;
      /** `header`: the name is in x-amzn-errortype alone. */
      readonly where?: 'body' | 'header';
      readonly raw?: string;
    }
  /** Every `nth` entry fails with `code`; the others are taken. */
  | { readonly kind: 'failEntries'; readonly nth: number; readonly code: string }
  /** Takes the request, and never answers. */
  | { readonly kind: 'hang' }
  /** Breaks the connection without an answer. */
  | { readonly kind: 'reset' }
  /** Status 200 with this body, said to be in the encoding of the request. */
  | { readonly kind: 'raw'; readonly body: string }
  /** Takes the records, and answers for that many fewer (or more, if negative). */
  | { readonly kind: 'short'; readonly by: number }
  /** Headers and half the body at once, the rest after `ms`. */
  | { readonly kind: 'slow'; readonly ms: number };

export interface SinkSettings {
  readonly tls: boolean;
  /** Verifies signatures against these; absent: any request that has an Authorization header is taken. */
  readonly identities?: readonly KnownIdentity[];
  /** Takes no CBOR, as servers that were written for tests alone. */
  readonly jsonOnly?: boolean;
  /** Keeps the records of the last request, or of all, for `last()`. */
  readonly remember?: boolean | 'all';
  /** Answers ListShards and DescribeStreamSummary, and places records as Kinesis does; absent: places them in a cheaper way. */
  readonly shards?: number;
  /** Each answer to PutRecords leaves so late, as over a long way. */
  readonly answerAfterMs?: number;
}

export interface Received {
  readonly requests: number;
  readonly records: number;
  readonly bytes: number;
  /** Records and those in aggregates; counted with `shards`. */
  readonly userRecords: number;
  /** TCP connections accepted so far. */
  readonly connections: number;
  /** CPU time of the sink's process. */
  readonly cpuMs: number;
}

export interface RememberedRecord {
  readonly partitionKey: string;
  readonly explicitHashKey?: string;
  /** Base64. */
  readonly data: string;
}

/** To the sink's process. */
export type Command =
  | { readonly kind: 'behave'; readonly next: readonly Behaviour[] }
  | { readonly kind: 'accept'; readonly identities: readonly KnownIdentity[] }
  | { readonly kind: 'received' }
  | { readonly kind: 'last' };

/** From it. Commands are answered in their order. */
export type Reply =
  | { readonly kind: 'ready'; readonly url: string; readonly ca: string | undefined }
  | { readonly kind: 'done' }
  | { readonly kind: 'received'; readonly received: Received }
  | { readonly kind: 'last'; readonly records: readonly RememberedRecord[] };
