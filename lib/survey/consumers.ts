import {
  type ConsumerDigest,
  digestOf,
  mergedDigest,
  unreadCells,
} from '../../lambda/core/consumer-digest.ts';
import type { ConsumerSpec } from '../../lambda/core/consumers.ts';
import type { Cell } from '../config/config.ts';
import { Asker } from '../consumers/asker.ts';
import { readRegion } from '../consumers/region.ts';
import type { ConsumerClients } from '../consumers/region-question.ts';
import { inStandbyAlone } from '../consumers/together.ts';
import type { SurveyedCell } from '../settings/survey.ts';
import type { ConsumerDigests } from '../state/consumer-digests.ts';
import { CELLS_A_RUN } from './run.ts';

/** A lease is renewed every few seconds: one look, and another one after this. */
const LOOKS_MS = [4_000, 8_000] as const;
const PER_SECOND = 5;
/** Most removed cells whose digest one run deletes. */
const FORGOTTEN_A_RUN = 250;

export interface ConsumerSurveyPorts {
  /** The standby. */
  readonly region: string;
  readonly account: string;
  readonly clients: ConsumerClients;
  readonly digests: Pick<ConsumerDigests, 'read' | 'write' | 'forget'>;
  readonly nowMs: () => number;
  readonly timeoutMs: number;
  /** Ends everything: what is not known by then stays as it was. */
  readonly signal: AbortSignal;
}

export interface ConsumerSurveyResult {
  /** Sentences about cells whose records in the standby somebody would leave unread, as far as it is known. */
  readonly unread: readonly string[];
  /** Services that did not answer, or refused, as sentences. */
  readonly obstacles: readonly string[];
}

/** The cells as they are asked about, from the file beside the function's code. */
export const askedCells = (cells: readonly SurveyedCell[]): readonly Cell[] =>
  cells.map(({ cell: name, streams, consumers }) => ({
    ...{ name, group: name, probe: 'never' as const, services: [] },
    streams: {
      primary: { name: streams.primary, create: false },
      standby: { name: streams.standby, create: false },
    },
    ...(consumers !== undefined && { consumers: consumers as readonly ConsumerSpec[] }),
  }));

/**
 * Stores who would read the cells' streams in the standby. Nothing of the primary is asked: what counts after a move is
 * whether the standby is read.
 *
 * @throws StateUnavailableError
 */
export async function surveyConsumers(
  cells: readonly Cell[],
  ports: ConsumerSurveyPorts,
): Promise<ConsumerSurveyResult> {
  const { region, account, clients, digests, nowMs, timeoutMs, signal } = ports;
  const asker = new Asker({ region, timeoutMs, signal, perSecond: PER_SECOND });
  const question = { role: 'standby', deep: false, looksMs: LOOKS_MS } as const;
  const stored = await digests.read();
  const known = new Map(stored.map((digest) => [digest.cell, digest]));
  const due = cells
    .toSorted((a, b) => (known.get(a.name)?.lookedAtMs ?? 0) - (known.get(b.name)?.lookedAtMs ?? 0))
    .slice(0, CELLS_A_RUN);
  const read = await readRegion({
    ...question,
    region,
    cells: due,
    allCells: cells,
    clients,
    asker,
    nowMs,
    account,
  });
  const atMs = nowMs();
  const fresh = due.flatMap((cell, n): readonly ConsumerDigest[] => {
    const found = read[n];
    if (found === undefined) return [];
    const look = { fresh: digestOf(inStandbyAlone(cell, found), atMs), complete: found.searched };
    return [mergedDigest(look, known.get(cell.name))];
  });
  for (const digest of fresh) await digests.write(digest);
  const names = new Set(cells.map(({ name }) => name));
  const gone = stored.filter(({ cell }) => !names.has(cell)).slice(0, FORGOTTEN_A_RUN);
  for (const { cell } of gone) await digests.forget(cell);
  const all = new Map([...stored, ...fresh].map((digest) => [digest.cell, digest]));
  return {
    unread: unreadCells(
      [...all.values()].filter(({ cell }) => names.has(cell)),
      atMs,
    ),
    obstacles: asker.obstacles.map(({ service, kind, problem }) => `${service}: ${kind}: ${problem}`),
  };
}
