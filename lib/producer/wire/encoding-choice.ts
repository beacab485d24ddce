import { throttles } from '../service-codes.ts';
import type { EncodingName } from './encodings.ts';
import { ServiceError, UndecodableAnswerError } from './errors.ts';

/** Answers in a row that may be due to CBOR before an endpoint that has taken it is asked in JSON. */
const DOUBTS_OF_PROVEN = 3;
/** After which an endpoint that takes JSON alone, or seemed to, is asked in CBOR again. */
const JSON_FOR_MS = 5 * 60_000;

/** What shows that the request was understood, by the names of AWS. */
const understood = new Set([
  ...throttles,
  ...['AccessDeniedException', 'ExpiredTokenException', 'IncompleteSignature', 'InvalidClientTokenId'],
  ...['InvalidSignatureException', 'MissingAuthenticationToken', 'MissingAuthenticationTokenException'],
  ...['NotAuthorized', 'OptInRequired', 'RequestExpired', 'SignatureDoesNotMatch'],
  ...['UnrecognizedClientException', 'ResourceNotFoundException'],
]);
/** Authentication, time, size (JSON is larger) and throttling. */
const statusesOfOthers = new Set([401, 403, 407, 408, 413, 429]);

type Doubt = 'none' | 'slight' | 'some' | 'strong';

/** In order; the first that holds. `slight`: an outage looks the same, and only a link where CBOR never worked is doubted. */
const doubts: readonly (readonly [Doubt, (error: ServiceError) => boolean])[] = [
  ['strong', ({ name, status }) => name === 'SerializationException' || status === 415],
  ['none', ({ name, status }) => understood.has(name) || statusesOfOthers.has(status)],
  ['some', ({ status }) => status === 501 || (status >= 400 && status < 500)],
  ['slight', ({ status }) => status === 500],
];

/**
 * Which encoding an endpoint is asked in: CBOR, and JSON where an answer may be due to that. Until CBOR has worked once
 * each such answer is followed by one request in JSON, and JSON stays for some minutes where it works. After that a single
 * answer decides nothing: a balancer in between may have given it.
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

  /** A request in CBOR failed: whether to send it in JSON. */
  isDoubtful(error: unknown): boolean {
    const doubt = doubtOf(error);
    if (doubt === 'none' || (doubt === 'slight' && this.#isProven)) return false;
    if (!this.#isProven || doubt === 'strong') return true;
    this.#inARow++;
    if (this.#inARow < DOUBTS_OF_PROVEN) return false;
    this.#inARow = 0;
    return true;
  }

  /** JSON worked where CBOR had not. */
  jsonWorked(): void {
    this.#isProven = false;
    this.#inARow = 0;
    this.#jsonUntilMs = this.#now() + JSON_FOR_MS;
  }
}

function doubtOf(error: unknown): Doubt {
  // The records may have been written, as with any answer that is not understood.
  if (error instanceof UndecodableAnswerError) return 'some';
  if (!(error instanceof ServiceError)) return 'none';
  return doubts.find(([, holds]) => holds(error))?.[0] ?? 'none';
}
