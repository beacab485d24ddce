import { setTimeout as sleep } from 'node:timers/promises';
import { z } from 'zod';
import { isSynthetic } from '../../lib/sidecar/synthetic.ts';
import { nameToText } from './ledger.ts';

export interface SidecarClientOptions {
  readonly port: number;
  readonly onAcknowledged: (how: 'spooled' | 'delivered', text: string) => void;
}

export interface SidecarClient {
  /** Resolves when no request is in progress. */
  stop(): Promise<void>;
}

/** Keys of one worker, and records of each key in one of its requests. */
interface Pace {
  readonly workers: number;
  readonly keys: number;
  readonly records: number;
  readonly pauseMs: number;
}
const quiet: Pace = { workers: 12, keys: 4, records: 2, pauseMs: 50 };
/** A key with more than its share, so that it overflows onto the disk even while the region is well; not so much that the disk is never empty. */
const busy: Pace = { workers: 1, keys: 1, records: 60, pauseMs: 500 };
/** Longer than the sidecar takes to turn to the disk; shorter than anyone would wait. */
const REQUEST_TIMEOUT_MS = 5_000;
const RETRY_MS = 20;

const answerSchema = z.object({
  Records: z.array(z.object({ SequenceNumber: z.string().optional(), ErrorCode: z.string().optional() })),
});

interface Item {
  readonly key: string;
  readonly text: string;
}

/**
 * A client that lives on while the sidecar is killed: it puts the records of a key in order, several in a request, and puts again
 * what has no answer, or is refused, before anything else of the key.
 */
export function startSidecarClient({ port, onAcknowledged }: SidecarClientOptions): SidecarClient {
  let stopped = false;
  const work = async (name: string, { keys, records, pauseMs }: Pace): Promise<void> => {
    for (let first = 1; !stopped; first += records) {
      let left = itemsOf(name, { keys, records, first });
      while (left.length > 0 && !stopped) {
        left = await put(left, { port, onAcknowledged });
        await sleep(left.length > 0 ? RETRY_MS : pauseMs);
      }
    }
  };
  const all = ([quiet, busy] as const).flatMap((pace, kind) =>
    Array.from({ length: pace.workers }, (_, n) => work(`${kind === 0 ? 'quiet' : 'busy'}-${n}`, pace)),
  );
  return {
    stop: async () => {
      stopped = true;
      await Promise.all(all);
    },
  };
}

function itemsOf(
  name: string,
  { keys, records, first }: Pick<Pace, 'keys' | 'records'> & { readonly first: number },
): Item[] {
  return Array.from({ length: keys * records }, (_, n) => {
    const key = `${name}-${n % keys}`;
    return { key, text: nameToText({ key, life: 1, sequence: first + Math.floor(n / keys) }) };
  });
}

/** One attempt. @returns what has to be put again: all from the first failure of a key on, which keeps its order */
async function put(items: readonly Item[], { port, onAcknowledged }: SidecarClientOptions): Promise<Item[]> {
  const Records = items.map(({ key, text }) => ({
    PartitionKey: key,
    Data: Buffer.from(text).toString('base64'),
  }));
  let answer: z.infer<typeof answerSchema>;
  try {
    const response = await fetch(`http://127.0.0.1:${port}`, {
      method: 'POST',
      headers: {
        'content-type': 'application/x-amz-json-1.1',
        'x-amz-target': 'Kinesis_20131202.PutRecords',
      },
      body: JSON.stringify({ StreamName: 'orders', Records }),
      signal: AbortSignal.timeout(REQUEST_TIMEOUT_MS),
    });
    answer = answerSchema.parse(await response.json());
  } catch {
    // Killed, or refused as a whole.
    return [...items];
  }
  const failed = new Set<string>();
  return items.filter(({ key, text }, n) => {
    const number = answer.Records[n]?.SequenceNumber;
    if (number === undefined) failed.add(key);
    else onAcknowledged(isSynthetic(number) ? 'spooled' : 'delivered', text);
    return failed.has(key);
  });
}
