import { z } from 'zod';
import {
  BEACON_VERSION,
  type Beacon,
  COUNTS,
  MOST_DOMAIN_CHARACTERS,
  MOST_INTERVAL_MS,
  MOST_REGIONS,
  tallyOf,
} from './beacon-item.ts';
import { isRegionName, isStreamName } from './signal.ts';

/** Characters of a whole item in JSON. An honest one has some 700; a larger one is not read any further. */
const MOST_ITEM_CHARACTERS = 4_000;
/** No process puts a million records a second for a quarter of an hour. */
const MOST_COUNT = 1e9;

const count = z.number().int().min(0).max(MOST_COUNT);
const time = z.number().int().positive();
const tally = z.array(count).length(COUNTS);
const itemSchema = z.object({
  pk: z.string().min(1).max(256),
  sk: z
    .string()
    .regex(/^[0-9a-f-]{36}\//)
    .refine((key) => isStreamName(key.slice(37))),
  v: z.literal(BEACON_VERSION),
  seq: count,
  at: time,
  every: z.number().int().min(1_000).max(MOST_INTERVAL_MS),
  lag: z.number().min(0).max(MOST_COUNT),
  domain: z.string().min(1).max(MOST_DOMAIN_CHARACTERS),
  trouble: z.string().optional(),
  regions: z
    .record(z.string().refine(isRegionName), tally)
    .refine((regions) => Object.keys(regions).length >= 1 && Object.keys(regions).length <= MOST_REGIONS),
});

export type ReadBeacon =
  | { readonly ok: true; readonly beacon: Beacon }
  | { readonly ok: false; readonly because: 'oversized' | 'malformed' };

/** Reads a stored item. Anybody with the right to write may have written anything. */
export function readBeacon(item: unknown): ReadBeacon {
  try {
    if (JSON.stringify(item).length > MOST_ITEM_CHARACTERS) return { ok: false, because: 'oversized' };
  } catch {
    return { ok: false, because: 'malformed' };
  }
  const parsed = itemSchema.safeParse(item);
  if (!parsed.success) return { ok: false, because: 'malformed' };
  const { pk, sk, seq, at, every, lag, domain, trouble, regions } = parsed.data;
  return {
    ok: true,
    beacon: {
      source: pk,
      process: sk.slice(0, 36),
      stream: sk.slice(37),
      sequence: seq,
      atMs: at,
      intervalMs: every,
      lagMs: lag,
      domain,
      trouble: trouble !== undefined,
      regions: Object.fromEntries(
        Object.entries(regions).map(([region, numbers]) => [region, tallyOf(numbers)]),
      ),
    },
  };
}
