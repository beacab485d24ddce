import { setTimeout as sleep } from 'node:timers/promises';
import type { CloudWatchClient } from '@aws-sdk/client-cloudwatch';
import type { KinesisClient } from '@aws-sdk/client-kinesis';
import pMap from 'p-map';
import type { Role } from '../../lambda/core/role.ts';
import type { CellReading, StreamReading } from '../../lambda/core/survey.ts';
import type { SurveyedCell } from '../settings/survey.ts';
import { LOOK_BACK_MS } from '../settings/survey.ts';
import { CircuitBreaker } from './circuit-breaker.ts';
import { readPeaks, type Window } from './stream-peaks.ts';
import { readStreamSize } from './stream-size.ts';

/**
 * Cells of one look: few, so that a run that is out of time has stored the earlier looks, and so that two
 * weeks of these cells in a region, 96,768 points, are one answer of CloudWatch, about 3 MB.
 */
export const CELLS_AT_ONCE = 12;
const PARALLEL = 4;

export interface RegionClients {
  readonly kinesis: KinesisClient;
  readonly cloudWatch: CloudWatchClient;
}

export interface SurveyorOptions {
  readonly primary: RegionClients;
  readonly standby: RegionClients;
  readonly nowMs: () => number;
  /** DescribeStreamSummary may be called 20 times a second in an account and region, by everybody together. */
  readonly describesPerSecond: number;
  /** Default: two weeks. */
  readonly lookBackMs?: number;
  readonly warn?: (warning: string, failure: { readonly role: Role; readonly error: unknown }) => void;
}

/**
 * Reads the streams of cells in both regions in parallel: neither region waits for the other beyond a look.
 * One per run.
 */
export class Surveyor {
  readonly #options: SurveyorOptions;
  readonly #breakers: Readonly<Record<Role, Readonly<Record<keyof RegionClients, CircuitBreaker>>>>;

  constructor(options: SurveyorOptions) {
    this.#options = options;
    this.#breakers = { primary: this.#breakersWith('primary'), standby: this.#breakersWith('standby') };
  }

  /**
   * Reads the cells in the order given, `CELLS_AT_ONCE` at a time. Never throws: what does not answer is
   * absent in the readings.
   */
  async *look(cells: readonly SurveyedCell[]): AsyncGenerator<readonly CellReading[]> {
    for (let n = 0; n < cells.length; n += CELLS_AT_ONCE) {
      yield await this.#lookAt(cells.slice(n, n + CELLS_AT_ONCE));
    }
  }

  async #lookAt(cells: readonly SurveyedCell[]): Promise<readonly CellReading[]> {
    const { nowMs, lookBackMs = LOOK_BACK_MS } = this.#options;
    const atMs = nowMs();
    const window = { fromMs: atMs - lookBackMs, untilMs: atMs };
    const of = (role: Role) =>
      this.#region(role, { streams: cells.map(({ streams }) => streams[role]), window });
    const [primary, standby] = await Promise.all([of('primary'), of('standby')]);
    return cells.map(({ cell }, n) => ({
      cell,
      atMs,
      primary: primary[n] ?? {},
      standby: standby[n] ?? {},
    }));
  }

  async #region(
    role: Role,
    { streams, window }: { readonly streams: readonly string[]; readonly window: Window },
  ): Promise<readonly StreamReading[]> {
    const { [role]: clients, describesPerSecond } = this.#options;
    const breakers = this.#breakers[role];
    const [sizes, peaks] = await Promise.all([
      paced(streams, describesPerSecond, (stream) =>
        breakers.kinesis.call(() => readStreamSize(clients.kinesis, stream)),
      ),
      breakers.cloudWatch.call(() => readPeaks(clients.cloudWatch, streams, window)),
    ]);
    return streams.map((_stream, n) => {
      const [size, peak] = [sizes[n], peaks?.[n]];
      return { ...(size === undefined ? {} : { size }), ...(peak === undefined ? {} : { peak }) };
    });
  }

  #breakersWith(role: Role): Record<keyof RegionClients, CircuitBreaker> {
    const warn = (service: string) => (error: unknown) =>
      this.#options.warn?.(`${service} of the ${role} does not answer: ${String(error)}`, { role, error });
    return {
      kinesis: new CircuitBreaker(warn('Kinesis')),
      cloudWatch: new CircuitBreaker(warn('CloudWatch')),
    };
  }
}

/** Runs the task over the items, in order, a few at a time and at a limited rate per second. */
function paced<Item, Result>(
  items: readonly Item[],
  perSecond: number,
  task: (item: Item) => Promise<Result>,
): Promise<readonly Result[]> {
  const pauseMs = (PARALLEL * 1_000) / perSecond;
  const pausing = async (item: Item, index: number): Promise<Result> => {
    const [result] = await Promise.all([task(item), sleep(index === items.length - 1 ? 0 : pauseMs)]);
    return result;
  };
  return pMap(items, pausing, { concurrency: PARALLEL });
}
