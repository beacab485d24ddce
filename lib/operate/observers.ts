import { GetCommand } from '@aws-sdk/lib-dynamodb';
import { z } from 'zod';
import { type BeaconTable, parseBeaconTable } from '../../lambda/core/beacon-table.ts';
import { type CellFinding, cellFindingSchema, MOST_FINDINGS } from '../../lambda/core/cell-findings.ts';
import { diagnosisCodes } from '../../lambda/core/diagnosis.ts';
import { type Memory, parseMemory } from '../../lambda/core/memory.ts';
import { voteTableName } from '../../lambda/core/names.ts';
import { liveVote, observerKey, type Vote, votes } from '../../lambda/core/vote.ts';
import { type Config, observerRegions } from '../config/config.ts';
import { UnusableAnswerError } from '../credentials/errors.ts';
import type { AwsClients } from './clients.ts';
import { type Reading, reading } from './reading.ts';

const itemSchema = z.object({
  vote: z.enum(votes),
  diagnosis: z.enum(diagnosisCodes),
  /**
   * A name for people. Not an enum: an observer of another version may have a name that this version does not
   * know.
   */
  phase: z.string(),
  comment: z.string(),
  decidedAtMs: z.number(),
  expiresAtMs: z.number(),
  voteSinceMs: z.number().nullable(),
  epoch: z.number(),
  refusals: z.array(z.object({ rule: z.string(), reason: z.string(), untilMs: z.number().optional() })),
  cells: z.array(z.unknown()).catch([]),
});
type StoredItem = Readonly<z.infer<typeof itemSchema>>;

/** What an observer last stored in its own region. */
export interface ObserverReport extends Omit<StoredItem, 'cells'> {
  /** What is said about single cells. A finding that this version does not understand is left out. */
  readonly cells: readonly CellFinding[];
  /** How the observer stands with the table of beacons; absent where it reads none. */
  readonly beacons?: BeaconTable;
  /** The vote that the observer's endpoint gives now: a vote that was not renewed reads HOLD. */
  readonly liveVote: Vote;
  readonly fresh: boolean;
  readonly memory: Memory;
}

export type ObserverReadings = ReadonlyMap<string, Reading<ObserverReport>>;

export interface ObserverOptions {
  readonly clients: AwsClients;
  readonly timeoutMs: number;
  readonly nowMs: () => number;
}

/**
 * Asks each observer's own region, all at the same time, each with its own time-out. Never throws, and never
 * asks the primary.
 */
export async function readObservers(config: Config, options: ObserverOptions): Promise<ObserverReadings> {
  const { clients, timeoutMs, nowMs } = options;
  const readings = observerRegions(config.regions).map(async (region) => {
    const documents = clients.documents(region);
    const report = await reading(timeoutMs, async (abortSignal) => {
      const { Item } = await documents.send(
        new GetCommand({ TableName: voteTableName(config.name), Key: observerKey, ConsistentRead: true }),
        { abortSignal },
      );
      return observerReport(Item, nowMs());
    });
    return [region, report] as const;
  });
  return new Map(await Promise.all(readings));
}

/** @throws UnusableAnswerError when the observer has not stored anything that can be read. */
export function observerReport(item: Record<string, unknown> | undefined, nowMs: number): ObserverReport {
  if (item?.vote === undefined) throw new UnusableAnswerError('this observer has not decided anything yet');
  const parsed = itemSchema.safeParse(item);
  if (!parsed.success)
    throw new UnusableAnswerError(
      `the item that this observer stored cannot be read (${parsed.error.issues[0]?.path.join('.')})`,
    );
  const beacons = parseBeaconTable(item.beacons);
  return {
    ...parsed.data,
    ...(beacons === undefined ? {} : { beacons }),
    cells: parsed.data.cells.slice(0, MOST_FINDINGS).flatMap((cell) => {
      const finding = cellFindingSchema.safeParse(cell);
      return finding.success ? [finding.data as CellFinding] : [];
    }),
    liveVote: liveVote(item, nowMs),
    fresh: nowMs < parsed.data.expiresAtMs,
    memory: parseMemory(item.memory),
  };
}
