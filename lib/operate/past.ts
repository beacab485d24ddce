import { FilterLogEventsCommand } from '@aws-sdk/client-cloudwatch-logs';
import { z } from 'zod';
import type { JournalEntry } from '../../lambda/core/journal.ts';
import { observerFunctionName } from '../../lambda/core/names.ts';
import { readPages } from '../aws/pages.ts';
import { type Config, observerRegions } from '../config/config.ts';
import { UnusableAnswerError } from '../credentials/errors.ts';
import type { AwsClients } from './clients.ts';
import { type Reading, reading } from './reading.ts';

/** The line that an observer logs each round. */
const lineSchema = z.object({
  message: z.string(),
  diagnosis: z.string(),
  phase: z.string(),
  vote: z.string(),
  epoch: z.number().optional(),
  refusals: z.array(z.string()).optional(),
  primary: z.record(z.string(), z.string()).optional(),
  standby: z.record(z.string(), z.string()).optional(),
  cells: z
    .array(z.object({ cell: z.string(), kind: z.string(), reason: z.string() }))
    .optional()
    .catch(undefined),
});

export interface PastRound extends Readonly<z.infer<typeof lineSchema>> {
  readonly atMs: number;
}

export interface PastOptions {
  readonly clients: AwsClients;
  readonly atMs: number;
  readonly timeoutMs: number;
}

/** Rounds are seconds apart: an observer that logged nothing for this long was not running. */
const LOOK_BACK_MS = 120_000;
const MAX_EVENTS = 500;
const MAX_PAGES = 5;

/** The last round of each observer up to that time, from its log in its own region. Never throws. */
export async function readPast(
  config: Config,
  options: PastOptions,
): Promise<ReadonlyMap<string, Reading<PastRound>>> {
  const rounds = observerRegions(config.regions).map(
    async (region) =>
      [
        region,
        await reading(options.timeoutMs, (signal) => lastRound(config, region, { ...options, signal })),
      ] as const,
  );
  return new Map(await Promise.all(rounds));
}

async function lastRound(
  config: Config,
  region: string,
  { clients, atMs, signal }: PastOptions & { readonly signal: AbortSignal },
): Promise<PastRound> {
  const logs = clients.logs(region);
  const { items } = await readPages<PastRound, string>({
    maxPages: MAX_PAGES,
    ask: async (nextToken) => {
      const answer = await logs.send(
        new FilterLogEventsCommand({
          logGroupName: `/aws/lambda/${observerFunctionName(config.name)}`,
          startTime: atMs - LOOK_BACK_MS,
          endTime: atMs + 1,
          filterPattern: '{ $.diagnosis = * }',
          limit: MAX_EVENTS,
          ...(nextToken === undefined ? {} : { nextToken }),
        }),
        { abortSignal: signal },
      );
      const rounds = (answer.events ?? []).map(({ message = '', timestamp = 0 }) =>
        parseRound(message, timestamp),
      );
      return { items: rounds.filter((round) => round !== undefined), next: answer.nextToken };
    },
  });
  const last = items.reduce<PastRound | undefined>(
    (latest, round) => (round.atMs >= (latest?.atMs ?? 0) ? round : latest),
    undefined,
  );
  if (last === undefined)
    throw new UnusableAnswerError(`the observer logged no round in the ${LOOK_BACK_MS / 1_000} s before`);
  return last;
}

export function parseRound(message: string, timestampMs: number): PastRound | undefined {
  try {
    return { ...lineSchema.parse(JSON.parse(message)), atMs: timestampMs };
  } catch {
    return undefined;
  }
}

/** The journal entries of people and the conductor up to that time, newest first, at most the last few. */
export function journalBefore(entries: readonly JournalEntry[], atMs: number): readonly JournalEntry[] {
  return entries.filter((entry) => entry.atMs <= atMs).slice(0, 10);
}
