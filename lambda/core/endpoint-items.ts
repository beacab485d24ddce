import { z } from 'zod';
import { switchPath, votePath } from './names.ts';

/**
 * What Route 53's health checks ask: one item of the state table for each vote and for each switch group. A
 * deployment writes the items, as the checks are configured then; whoever watches the endpoints reads them, and
 * so asks what the checkers ask, and not what they should ask.
 */
export const ENDPOINT_PARTITION = 'endpoints';

/** The vote of a region's observer, or the switch of a group of cells. */
export const endpointKinds = ['vote', 'switch'] as const;
export type EndpointKind = (typeof endpointKinds)[number];

export interface EndpointId {
  readonly kind: EndpointKind;
  /** The region of a vote; the group of a switch. */
  readonly of: string;
}

/** What a health check asks: `https://HOST/PATH`. */
export interface CheckedEndpoint extends EndpointId {
  /** Host name, as in the check; with a port only in the local world. */
  readonly host: string;
  readonly path: string;
  /** Id of the health check. */
  readonly checkId: string;
  /** When the deployment wrote this. */
  readonly atMs: number;
}

/** `vote us-west-2`, `switch orders`: for people. */
export const endpointName = ({ kind, of }: EndpointId): string => `${kind} ${of}`;

export const endpointKey = ({ kind, of }: EndpointId) => ({ pk: ENDPOINT_PARTITION, sk: `${kind}#${of}` });

/** The path that a deployment gives to the check of an endpoint. */
export const endpointPath = ({ kind, of }: EndpointId): string =>
  kind === 'vote' ? votePath : switchPath(of);

export const endpointItem = ({ host, path, checkId, atMs, ...id }: CheckedEndpoint) => ({
  ...endpointKey(id),
  host,
  path,
  checkId,
  atMs,
});

const MOST_HOST_CHARACTERS = 255;
/** Of a health check's ResourcePath ("HealthCheckConfig"). */
const MOST_PATH_CHARACTERS = 255;

const itemSchema = z.object({
  sk: z.string(),
  host: z
    .string()
    .max(MOST_HOST_CHARACTERS)
    .regex(/^[a-z0-9-]+(?:\.[a-z0-9-]+)+(?::[1-9][0-9]{0,4})?$/i)
    .refine((host) => URL.canParse(`https://${host}`)),
  path: z
    .string()
    .max(MOST_PATH_CHARACTERS)
    .regex(/^\/[!-~]*$/),
  checkId: z.string().min(1),
  atMs: z.number().int().positive(),
});

export interface CheckedEndpoints {
  readonly endpoints: readonly CheckedEndpoint[];
  /** Sort keys of the items that cannot be understood. */
  readonly damaged: readonly string[];
}

/** Reads the items of the partition. Never throws: an item that cannot be understood is named. */
export function parseEndpointItems(items: readonly unknown[]): CheckedEndpoints {
  const endpoints: CheckedEndpoint[] = [];
  const damaged: string[] = [];
  for (const item of items) {
    const endpoint = endpointOf(item);
    if (endpoint === undefined) damaged.push(sortKeyOf(item));
    else endpoints.push(endpoint);
  }
  return { endpoints, damaged };
}

function endpointOf(item: unknown): CheckedEndpoint | undefined {
  const parsed = itemSchema.safeParse(item);
  if (!parsed.success) return undefined;
  const { sk, host, path, checkId, atMs } = parsed.data;
  const id = idOf(sk);
  return id === undefined ? undefined : { ...id, host, path, checkId, atMs };
}

function idOf(sk: string): EndpointId | undefined {
  const at = sk.indexOf('#');
  const of = sk.slice(at + 1);
  const kind = endpointKinds.find((one) => one === sk.slice(0, at));
  return kind === undefined || of === '' ? undefined : { kind, of };
}

function sortKeyOf(item: unknown): string {
  const sk = typeof item === 'object' && item !== null && 'sk' in item ? item.sk : undefined;
  return typeof sk === 'string' ? sk : 'an item without a key';
}
