import type { RecurringTable } from '../../lib/state/recurring-table.ts';
import type { StateTable } from '../../lib/state/state-table.ts';
import { lastDrillAtMs } from '../core/monitor.ts';
import { type Recurring, type RecurringWork, recurringWork } from '../core/recurring.ts';

export interface RecurringSources {
  readonly state: Pick<StateTable, 'history'>;
  readonly recurring: Pick<RecurringTable, 'read' | 'expect' | 'done'>;
  /** What the deployment asks for. */
  readonly expected: readonly RecurringWork[];
  readonly nowMs: () => number;
}

export type KnownWork = Readonly<Record<RecurringWork, Recurring | undefined>>;

/**
 * Recurring work takes hours and days, so the journal with its hundreds of entries is not read every minute.
 */
const READ_EVERY_MS = 10 * 60_000;
/**
 * About a page of a megabyte. A drill that was seen once is also remembered separately, however many entries
 * follow.
 */
const JOURNAL_ENTRIES = 1_000;

/**
 * Tracks recurring work. It records since when the deployment has asked for the work, because a template
 * cannot: a time in a template would change with each synth.
 */
export class RecurringWatch {
  readonly #sources: RecurringSources;
  readonly #known = new Map<RecurringWork, { readonly work: Recurring; readonly readAtMs: number }>();

  constructor(sources: RecurringSources) {
    this.#sources = sources;
  }

  /**
   * What is known now. Never throws: a value that was never read is undefined, and one that cannot be read
   * now is unchanged.
   */
  async look(): Promise<KnownWork> {
    const found = await Promise.all(
      recurringWork.map(async (work) => [work, await this.#look(work)] as const),
    );
    return Object.fromEntries(found) as KnownWork;
  }

  async #look(work: RecurringWork): Promise<Recurring | undefined> {
    const nowMs = this.#sources.nowMs();
    const known = this.#known.get(work);
    if (known !== undefined && nowMs - known.readAtMs < READ_EVERY_MS) return known.work;
    try {
      const read = await this.#read(work, nowMs);
      this.#known.set(work, { work: read, readAtMs: nowMs });
      return read;
    } catch (error) {
      console.warn(
        JSON.stringify({ message: `the record of the ${work} is not up to date`, error: String(error) }),
      );
      return known?.work;
    }
  }

  async #read(work: RecurringWork, nowMs: number): Promise<Recurring> {
    const { recurring, expected } = this.#sources;
    const isExpected = expected.includes(work);
    const stored = await recurring.read(work);
    if (isExpected !== (stored.expectedSinceMs !== undefined)) {
      await recurring.expect(work, isExpected ? nowMs : null);
    }
    if (!isExpected) return {};
    const expectedSinceMs = stored.expectedSinceMs ?? nowMs;
    const doneAtMs = work === 'drill' ? await this.#drilledAtMs(stored.doneAtMs) : stored.doneAtMs;
    return { expectedSinceMs, ...(doneAtMs === undefined ? {} : { doneAtMs }) };
  }

  /**
   * The newest drill that succeeded: in the journal until later entries push it beyond the page that is read.
   */
  async #drilledAtMs(storedMs: number | undefined): Promise<number | undefined> {
    const { state, recurring } = this.#sources;
    const seenMs = lastDrillAtMs(await state.history(JOURNAL_ENTRIES));
    if (seenMs === null || (storedMs !== undefined && storedMs >= seenMs)) return storedMs;
    await recurring.done('drill', seenMs);
    return seenMs;
  }
}
