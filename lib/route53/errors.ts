/**
 * A health check, or a set of health checks, that this model does not cover or that Route 53 itself would
 * refuse.
 */
export class HealthCheckError extends Error {
  override readonly name = 'HealthCheckError';
}

/** Record sets of a zone that contradict each other, or that this model does not cover. */
export class ZoneError extends Error {
  override readonly name = 'ZoneError';
}

/** The Route 53 API could not be read, or answered with something that is not in its documented form. */
export class SourceError extends Error {
  override readonly name = 'SourceError';
}

/** The DNS server cannot listen. */
export class DnsServerError extends Error {
  override readonly name = 'DnsServerError';
}
