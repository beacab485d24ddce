/** A cache may round up. */
const MARGIN_SECONDS = 1;

/** Whether an answer with this TTL is from a cache that keeps it for longer than the record's own TTL says. */
export const isStretched = (ttlSeconds: number, recordTtlSeconds: number): boolean =>
  ttlSeconds > recordTtlSeconds + MARGIN_SECONDS;

/** Why a cache does that, as the manuals of those that are common call it. */
export const STRETCHING_OPTIONS =
  'unbound: cache-min-ttl, serve-expired; dnsmasq: min-cache-ttl; BIND: min-cache-ttl, stale-answer-ttl; CoreDNS: cache’s MINTTL';
