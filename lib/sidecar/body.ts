import type { IncomingMessage } from 'node:http';
import type { Budget } from './budget.ts';
import { KinesisError } from './kinesis-error.ts';

/** 10 MiB in base64, and what surrounds the records. */
export const MAX_BODY_BYTES = 16 * 1024 * 1024;

export interface BodyReading {
  readonly budget: Budget;
  readonly timeoutMs: number;
  /** Called once. Bytes are held in the budget until `release`. */
  readonly done: (end: BodyEnd) => void;
}

export type BodyEnd =
  | { readonly kind: 'whole'; readonly body: Buffer }
  | { readonly kind: 'refused'; readonly error: KinesisError }
  /** The client went away, or took too long. */
  | { readonly kind: 'gone' };

/** The bytes of one request, as they arrive. */
export class Body {
  readonly #reading: BodyReading;
  readonly #chunks: Buffer[] = [];
  #bytes = 0;
  #ended = false;
  #timer: NodeJS.Timeout | undefined;

  constructor(request: IncomingMessage, reading: BodyReading) {
    this.#reading = reading;
    request.on('data', (chunk: Buffer) => this.#take(chunk));
    request.once('end', () => this.#end({ kind: 'whole', body: this.#whole() }));
    request.once('error', () => this.#end({ kind: 'gone' }));
    request.once('close', () => this.#end({ kind: 'gone' }));
    this.#timer = setTimeout(() => {
      this.#end({ kind: 'gone' });
      request.destroy();
    }, reading.timeoutMs);
  }

  /** Bytes that the budget holds for it. */
  get held(): number {
    return this.#bytes;
  }

  #take(chunk: Buffer): void {
    if (this.#ended) return;
    if (this.#bytes + chunk.length > MAX_BODY_BYTES) {
      this.#refuse(
        new KinesisError('RequestEntityTooLargeException', `A request has at most ${MAX_BODY_BYTES} bytes.`),
      );
      return;
    }
    if (!this.#reading.budget.hold(chunk.length)) {
      const message = 'The sidecar holds as many bytes of requests as it may: try again later.';
      this.#refuse(new KinesisError('ProvisionedThroughputExceededException', message));
      return;
    }
    this.#bytes += chunk.length;
    this.#chunks.push(chunk);
  }

  #whole(): Buffer {
    const [only, ...more] = this.#chunks;
    return only !== undefined && more.length === 0 ? only : Buffer.concat(this.#chunks, this.#bytes);
  }

  #refuse(error: KinesisError): void {
    this.#chunks.length = 0;
    this.#end({ kind: 'refused', error });
  }

  #end(end: BodyEnd): void {
    if (this.#ended) return;
    this.#ended = true;
    clearTimeout(this.#timer);
    this.#reading.done(end);
  }
}
