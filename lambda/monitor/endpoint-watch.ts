import { type ExamineLimits, examineEndpoints } from '../../lib/endpoint/examine.ts';
import type { StateTable } from '../../lib/state/state-table.ts';
import { type EndpointFinding, isTrouble } from '../core/endpoint-findings.ts';
import { type EndpointId, endpointName } from '../core/endpoint-items.ts';
import { endpointsDue, endpointsOf } from '../core/endpoint-rounds.ts';
import type { StoredPositions } from '../core/endpoint-stored.ts';

export interface EndpointSources {
  readonly state: Pick<StateTable, 'readEndpoints'>;
  /** Every vote and switch that is deployed: records of removed ones do not count. */
  readonly deployed: readonly EndpointId[];
  readonly limits: ExamineLimits;
  readonly nowMs: () => number;
  readonly origin?: URL | undefined;
}

/** How often the monitor runs. */
const ROUND_MS = 60_000;

/**
 * Watches the endpoints that Route 53's checkers ask, by asking them. Each round asks every vote, and of many
 * switches some in turn, which the clock gives: a new instance of the function goes on where the last one was.
 */
export class EndpointWatch {
  readonly #sources: EndpointSources;
  /** Names of those in trouble when they were last asked. */
  #troubled: ReadonlySet<string> = new Set();

  constructor(sources: EndpointSources) {
    this.#sources = sources;
  }

  /**
   * What was found of those that this round asks, and of those that nobody can ask. Never throws; undefined when it
   * is not known what the checks ask.
   */
  async look(stored: () => Promise<StoredPositions>): Promise<readonly EndpointFinding[] | undefined> {
    const { state, deployed, ...asking } = this.#sources;
    const records = await state.readEndpoints().catch(() => undefined);
    if (records === undefined) return undefined;
    const { known, unasked } = endpointsOf(deployed, records);
    const round = Math.floor(asking.nowMs() / ROUND_MS);
    const endpoints = endpointsDue(known, { round, troubled: this.#troubled });
    const found = await examineEndpoints({ ...asking, endpoints, stored });
    this.#remember(found);
    return [...unasked, ...found];
  }

  /** Those that were not asked stay as they were. */
  #remember(found: readonly EndpointFinding[]): void {
    const troubled = new Set(this.#troubled);
    for (const one of found) {
      if (one.finding === 'waiting') continue;
      if (isTrouble(one)) troubled.add(endpointName(one));
      else troubled.delete(endpointName(one));
    }
    this.#troubled = troubled;
  }
}
