import { isIP } from 'node:net';
import { z } from 'zod';
import { HealthCheckError, SourceError } from './errors.ts';
import { checkerRegions, type HealthCheck, type PassRule } from './health-check.ts';
import { type RecordData, type RecordSet, type Routing, recordTypes } from './records.ts';
import { parseTxtValue } from './txt.ts';

/**
 * What the Route 53 API answers, checked and turned into the model. For a value that was not given,
 * LocalStack writes the word `None`, or NaN; both are read as absent.
 */
const text = z
  .string()
  .optional()
  .transform((value) => (value === '' || value === 'None' ? undefined : value));
const numberOr = <T extends z.ZodType<number | undefined>>(schema: T) =>
  z.preprocess((value) => (Number.isNaN(value) ? undefined : value), schema);
const flag = z.boolean().default(false);

/** Defaults as documented: "HealthCheckConfig" (API Reference). */
const configSchema = z.object({
  Type: z.string(),
  IPAddress: text,
  FullyQualifiedDomainName: text,
  Port: numberOr(z.number().int().min(1).max(65_535).optional()),
  ResourcePath: text,
  SearchString: text,
  RequestInterval: z.literal([10, 30]).default(30),
  FailureThreshold: z.number().int().min(1).max(10).default(3),
  HealthThreshold: numberOr(z.number().int().min(0).max(256).optional()),
  ChildHealthChecks: z.array(z.string()).default([]),
  Regions: z.array(z.string()).default([]),
  Inverted: flag,
  Disabled: flag,
  EnableSNI: flag,
});
type CheckConfig = z.infer<typeof configSchema>;

const healthCheckSchema = z.object({ Id: z.string().min(1), HealthCheckConfig: configSchema });

/**
 * @throws SourceError if the answer is malformed.
 * @throws HealthCheckError if the model does not cover the type of the check.
 */
export function toHealthCheck(answer: unknown): HealthCheck {
  const parsed = healthCheckSchema.safeParse(answer);
  if (!parsed.success) {
    throw new SourceError(`A health check is not in the documented form: ${z.prettifyError(parsed.error)}`);
  }
  const { Id: id, HealthCheckConfig: config } = parsed.data;
  const common = { id, inverted: config.Inverted, disabled: config.Disabled };
  if (config.Type === 'CALCULATED') {
    const healthThreshold = config.HealthThreshold;
    return {
      ...common,
      kind: 'calculated',
      children: config.ChildHealthChecks,
      ...(healthThreshold !== undefined && { healthThreshold }),
    };
  }
  const rule = toPassRule(id, config);
  const tls = rule.type.startsWith('HTTPS');
  const path = config.ResourcePath ?? '/';
  const { FullyQualifiedDomainName: fqdn, IPAddress: ip } = config;
  if (ip !== undefined && isIP(ip) === 0)
    throw new SourceError(`Health check ${id} has the IP address "${ip}".`);
  if (fqdn === undefined && ip === undefined) {
    throw new SourceError(`Health check ${id} names neither a domain nor an IP address.`);
  }
  return {
    ...common,
    ...rule,
    kind: 'endpoint',
    ...(fqdn !== undefined && { fqdn }),
    ...(ip !== undefined && { ip }),
    port: config.Port ?? (tls ? 443 : 80),
    resourcePath: path.startsWith('/') ? path : `/${path}`,
    requestIntervalSeconds: config.RequestInterval,
    failureThreshold: config.FailureThreshold,
    regions: config.Regions.length === 0 ? checkerRegions : config.Regions,
    enableSni: config.EnableSNI,
  };
}

function toPassRule(id: string, config: CheckConfig): PassRule {
  const { Type: type, SearchString: searchString } = config;
  if (type === 'HTTP' || type === 'HTTPS' || type === 'TCP') return { type };
  if (type === 'HTTP_STR_MATCH' || type === 'HTTPS_STR_MATCH') {
    if (searchString !== undefined) return { type, searchString };
    throw new SourceError(`Health check ${id} matches a string but has no SearchString.`);
  }
  throw new HealthCheckError(
    `Health check ${id} is of type ${type}, which is not modelled: use an endpoint check, or a calculated check over endpoint checks.`,
  );
}

const recordSetSchema = z.object({
  Name: z.string().min(1),
  Type: z.string(),
  SetIdentifier: text,
  Weight: z.number().int().min(0).max(255).optional(),
  Failover: z.enum(['PRIMARY', 'SECONDARY']).optional(),
  TTL: z.number().int().min(0).max(2_147_483_647).optional(),
  HealthCheckId: text,
  ResourceRecords: z.array(z.object({ Value: z.string() })).default([]),
  AliasTarget: z
    .object({ HostedZoneId: z.string(), DNSName: z.string(), EvaluateTargetHealth: flag })
    .optional(),
  /** Policies that are known but not modelled. */
  Region: z.unknown().optional(),
  GeoLocation: z.unknown().optional(),
  GeoProximityLocation: z.unknown().optional(),
  CidrRoutingConfig: z.unknown().optional(),
  MultiValueAnswer: z.unknown().optional(),
});
type ApiRecordSet = z.infer<typeof recordSetSchema>;

/**
 * Undefined for a type of record that this model leaves out, MX for example: no answer of Spillway's depends on it.
 * @throws SourceError if the answer is malformed.
 */
export function toRecordSet(answer: unknown, zoneId: string): RecordSet | undefined {
  const parsed = recordSetSchema.safeParse(answer);
  if (!parsed.success) {
    throw new SourceError(`A record set is not in the documented form: ${z.prettifyError(parsed.error)}`);
  }
  const record = parsed.data;
  const type = recordTypes.find((known) => known === record.Type);
  if (type === undefined) return undefined;
  const data = toData(record);
  if (type === 'TXT' && data.kind === 'values' && data.values.some((value) => !parseTxtValue(value))) {
    throw new SourceError(`TXT record ${record.Name} has a value that is not a list of quoted strings.`);
  }
  return {
    name: record.Name,
    type,
    routing: toRouting(record, zoneId),
    ...(record.SetIdentifier !== undefined && { setIdentifier: record.SetIdentifier }),
    ...(record.HealthCheckId !== undefined && { healthCheckId: record.HealthCheckId }),
    data,
  };
}

function toRouting(record: ApiRecordSet, zoneId: string): Routing {
  const policies = [
    'Region',
    'GeoLocation',
    'GeoProximityLocation',
    'CidrRoutingConfig',
    'MultiValueAnswer',
  ] as const;
  const unknown = policies.find((policy) => record[policy] !== undefined && record[policy] !== false);
  if (unknown) return { policy: 'unsupported', reason: `which is routed by ${unknown}` };
  const target = record.AliasTarget;
  if (target && bareId(target.HostedZoneId) !== bareId(zoneId)) {
    return { policy: 'unsupported', reason: 'which is an alias of a resource outside the zone' };
  }
  if (record.Failover !== undefined) return { policy: 'failover', role: record.Failover };
  if (record.Weight !== undefined) return { policy: 'weighted', weight: record.Weight };
  return { policy: 'simple' };
}

function toData(record: ApiRecordSet): RecordData {
  const { AliasTarget: target, TTL: ttl } = record;
  if (target)
    return { kind: 'alias', target: target.DNSName, evaluateTargetHealth: target.EvaluateTargetHealth };
  if (ttl === undefined) throw new SourceError(`Record ${record.Name} ${record.Type} has no TTL.`);
  return { kind: 'values', ttlSeconds: ttl, values: record.ResourceRecords.map(({ Value }) => Value) };
}

/** The API writes zone ids with and without their path. */
const bareId = (zoneId: string): string => zoneId.replace(/^\/?hostedzone\//, '');
