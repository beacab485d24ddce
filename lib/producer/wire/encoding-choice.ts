import { throttles } from '../service-codes.ts';
import type { EncodingName } from './encodings.ts';
import { ServiceError, UndecodableAnswerError } from './errors.ts';

/** Doubtful answers in a row after which an endpoint that has taken CBOR before is asked in JSON. */
const DOUBTS_OF_PROVEN = 3;
/** Time after which an endpoint that takes JSON alone, or seemed to, is asked in CBOR again. */
const JSON_FOR_MS = 5 * 60_000;

/** Errors, by their AWS names, that show that the request was understood. */
const understood = new Set([
  ...throttles,
  ...['AccessDeniedException', 'ExpiredTokenException', 'IncompleteSignature', 'InvalidClientTokenId'],
  ...['InvalidSignatureException', 'MissingAuthenticationToken', 'MissingAuthenticationTokenException'],
  ...['NotAuthorized', 'OptInRequired', 'RequestExpired', 'SignatureDoesNotMatch'],
  ...['UnrecognizedClientException', 'ResourceNotFoundException'],
]);
/** Statuses with other causes: authentication, time, size (JSON is larger) and throttling. */
const statusesOfOthers = new Set([401, 403, 407, 408, 413, 429]);

type Doubt = 'none' | 'slight' | 'some' | 'strong';

/**
 * Doubts in order; the first match counts. `slight`: an outage looks the same, so it counts only while CBOR
 * has never worked.
 */
const doubts: readonly (readonly [Doubt, (error: ServiceError) => boolean])[] = [
  ['strong', ({ name, status }) => name === 'SerializationException' || status === 415],
  ['none', ({ name, status }) => understood.has(name) || statusesOfOthers.has(status)],
  ['some', ({ status }) => status === 501 || (status >= 400 && status < 500)],
  ['slight', ({ status }) => status === 500],
];

/**
 * Chooses the encoding for an endpoint: CBOR, or JSON where an answer suggests that CBOR is not understood.
 * Until CBOR has worked once, each such answer is followed by one request in JSON; if that works, JSON stays
 * for some minutes. Once CBOR has worked, a single answer decides nothing, because a load balancer in between
 * may have given it.
 */
export class EncodingChoice {
  readonly #now: () => number;
  #isProven = false;
  #inARow = 0;
  #jsonUntilMs = Number.NEGATIVE_INFINITY;

  /** `now`: monotonic milliseconds. */
  constructor(now: () => number) {
    this.#now = now;
  }

  get current(): EncodingName {
    return this.#now() < this.#jsonUntilMs ? 'json' : 'cbor';
  }

  cborWorked(): void {
    this.#isProven = true;
    this.#inARow = 0;
  }

  /** Whether to send a request in JSON that failed in CBOR. */
  isDoubtful(error: unknown): boolean {
    const doubt = doubtOf(error);
    if (doubt === 'none' || (doubt === 'slight' && this.#isProven)) return false;
    if (!this.#isProven || doubt === 'strong') return true;
    this.#inARow++;
    if (this.#inARow < DOUBTS_OF_PROVEN) return false;
    this.#inARow = 0;
    return true;
  }

  /** Call when JSON worked where CBOR had not. */
  jsonWorked(): void {
    this.#isProven = false;
    this.#inARow = 0;
    this.#jsonUntilMs = this.#now() + JSON_FOR_MS;
  }
}

function doubtOf(error: unknown): Doubt {
  // As with any undecodable answer, the records may have been written.
  if (error instanceof UndecodableAnswerError) return 'some';
  if (!(error instanceof ServiceError)) return 'none';
  return doubts.find(([, holds]) => holds(error))?.[0] ?? 'none';
}
