import {
  type HealthCheck as AwsHealthCheck,
  ListHealthChecksCommand,
  ListResourceRecordSetsCommand,
  type ListResourceRecordSetsCommandInput,
  ListTagsForResourcesCommand,
  type Route53Client,
} from '@aws-sdk/client-route-53';
import { readPages } from '../aws/pages.ts';
import { toHealthCheck, toRecordSet } from './convert.ts';
import { SourceError } from './errors.ts';
import type { HealthCheck } from './health-check.ts';
import { createZone, type RecordSet, type Zone } from './records.ts';

/** One reading of the control plane, from which the data plane then works on its own. */
export interface ZoneReading {
  readonly zone: Zone;
  /**
   * The checks that the zone's records use, and the children of those; then every other check that is
   * modelled, because checkers begin when a check is created, and not when a record refers to it.
   */
  readonly checks: readonly HealthCheck[];
  /** Values of the checks' `Name` tags, by id. For display alone: empty if tags cannot be read. */
  readonly checkNames: ReadonlyMap<string, string>;
}

export interface SourceOptions {
  readonly client: Route53Client;
  readonly zoneId: string;
  readonly zoneName: string;
  readonly signal?: AbortSignal;
}

/** 10,000 record sets are a zone's default quota and 300 make a page; health checks come 100 a page. */
const MAX_PAGES = 100;
/** ListTagsForResources takes ten resources a call. */
const TAG_BATCH = 10;

type SendOptions = { readonly abortSignal?: AbortSignal };

/**
 * Reads a zone's records and the health checks they use.
 * @throws SourceError if the API cannot be read or answers in another form than documented.
 * @throws ZoneError, HealthCheckError if the answers contradict each other, or are not modelled.
 */
export async function readZone(options: SourceOptions): Promise<ZoneReading> {
  const send: SendOptions = options.signal ? { abortSignal: options.signal } : {};
  const { recordSets, configured } = await readAll(options, send);
  const zone = createZone(options.zoneName, recordSets);
  const checks = usedChecks(zone, configured);
  return { zone, checks, checkNames: await readNames(options, send, checks) };
}

interface Readable {
  readonly recordSets: readonly RecordSet[];
  /**
   * Not converted yet, because the account may hold checks of other owners, of types that are not modelled.
   */
  readonly configured: ReadonlyMap<string, unknown>;
}

async function readAll(options: SourceOptions, send: SendOptions): Promise<Readable> {
  try {
    const recordSets = await readRecordSets(options, send);
    return { recordSets, configured: await readHealthChecks(options, send) };
  } catch (cause) {
    if (cause instanceof SourceError) throw cause;
    throw new SourceError(
      `Route 53 could not be read for zone ${options.zoneName} (${options.zoneId}): ${String(cause)}. Check the zone id and that the endpoint answers.`,
      { cause },
    );
  }
}

async function readRecordSets(options: SourceOptions, send: SendOptions): Promise<readonly RecordSet[]> {
  const { items, complete } = await readPages<RecordSet, Partial<ListResourceRecordSetsCommandInput>>({
    maxPages: MAX_PAGES,
    ask: async (start = {}) => {
      const answer = await options.client.send(
        new ListResourceRecordSetsCommand({ HostedZoneId: options.zoneId, ...start }),
        send,
      );
      const next = {
        StartRecordName: answer.NextRecordName,
        StartRecordType: answer.NextRecordType,
        StartRecordIdentifier: answer.NextRecordIdentifier,
      };
      const records = (answer.ResourceRecordSets ?? []).map((each) => toRecordSet(each, options.zoneId));
      return {
        items: records.filter((record) => record !== undefined),
        next: answer.IsTruncated ? next : undefined,
      };
    },
  });
  if (complete) return items;
  throw new SourceError(
    `Zone ${options.zoneName} has more than ${MAX_PAGES} pages of records; use a smaller zone.`,
  );
}

async function readHealthChecks(
  options: SourceOptions,
  send: SendOptions,
): Promise<ReadonlyMap<string, unknown>> {
  const { items, complete } = await readPages<AwsHealthCheck, string>({
    maxPages: MAX_PAGES,
    ask: async (Marker) => {
      const answer = await options.client.send(new ListHealthChecksCommand({ Marker }), send);
      return { items: answer.HealthChecks ?? [], next: answer.IsTruncated ? answer.NextMarker : undefined };
    },
  });
  if (!complete) throw new SourceError(`The account has more than ${MAX_PAGES} pages of health checks.`);
  return new Map(items.flatMap((check) => (check.Id === undefined ? [] : [[check.Id, check] as const])));
}

function usedChecks(zone: Zone, configured: ReadonlyMap<string, unknown>): readonly HealthCheck[] {
  const used = new Map<string, HealthCheck>();
  const take = (id: string, user: string): HealthCheck => {
    const known = used.get(id);
    if (known) return known;
    if (!configured.has(id)) {
      throw new SourceError(
        `${user} uses health check ${id}, which does not exist: create it or remove the reference.`,
      );
    }
    const check = toHealthCheck(configured.get(id));
    used.set(id, check);
    return check;
  };
  for (const id of zone.healthCheckIds) {
    const check = take(id, `A record of zone ${zone.name}`);
    if (check.kind !== 'calculated') continue;
    for (const child of check.children) take(child, `Calculated check ${id}`);
  }
  return [...used.values(), ...unusedChecks(configured, used)];
}

/** Endpoint checks that nothing refers to yet. Others than these have no data of their own, or are somebody else's. */
function unusedChecks(
  configured: ReadonlyMap<string, unknown>,
  used: ReadonlyMap<string, HealthCheck>,
): readonly HealthCheck[] {
  return [...configured].flatMap(([id, raw]) => {
    if (used.has(id)) return [];
    try {
      const check = toHealthCheck(raw);
      return check.kind === 'endpoint' ? [check] : [];
    } catch {
      return []; // of a type that is not modelled: nothing here depends on it
    }
  });
}

async function readNames(
  options: SourceOptions,
  send: SendOptions,
  checks: readonly HealthCheck[],
): Promise<ReadonlyMap<string, string>> {
  const names = new Map<string, string>();
  try {
    for (let start = 0; start < checks.length; start += TAG_BATCH) {
      const ids = checks.slice(start, start + TAG_BATCH).map((check) => check.id);
      const answer = await options.client.send(
        new ListTagsForResourcesCommand({ ResourceType: 'healthcheck', ResourceIds: ids }),
        send,
      );
      for (const { ResourceId: id, Tags: tags } of answer.ResourceTagSets ?? []) {
        const name = tags?.find((tag) => tag.Key === 'Name')?.Value;
        if (id && name) names.set(id, name);
      }
    }
  } catch {
    // Names are only for display: a reader without the permission for tags still gets the checks.
  }
  return names;
}
