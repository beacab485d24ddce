import { type BeaconClass, beaconClassOf } from '../../../lambda/core/beacon-item.ts';
import { classifyError } from '../../../lambda/core/probe.ts';

/** Errors that are made here, by name; those of the service and of sockets are known to `classifyError`. */
const ownErrors: Readonly<Record<string, BeaconClass>> = {
  UndecodableAnswerError: 'server',
  CredentialsError: 'access',
  EncodingError: 'validation',
  EndpointError: 'validation',
  RequestTooLargeError: 'validation',
};

interface ErrorLike {
  readonly name?: string;
  readonly code?: string;
  readonly status?: number;
  readonly $metadata?: { readonly httpStatusCode?: number };
  readonly cause?: { readonly code?: string; readonly isRefusal?: boolean };
}

/** Whose fault a failed request or record is: an error of either transport, of the SDK, or the code of one record. */
export function failureClassOf(error: unknown): BeaconClass {
  const { name = '', code, status, $metadata, cause } = (error ?? {}) as ErrorLike;
  const own = ownErrors[name];
  if (own !== undefined) return own;
  // A proxy's refusal is its own. What else keeps a proxy from a region, while it lets this beacon through, is the region's.
  if (cause?.isRefusal === true) return 'access';
  const found = classifyError({
    name,
    code: code ?? cause?.code,
    status: status ?? $metadata?.httpStatusCode,
  });
  // Undici has codes of its own for a connection that broke.
  return found === 'unclassified' && name === 'ConnectionError' ? 'reset' : beaconClassOf[found];
}
