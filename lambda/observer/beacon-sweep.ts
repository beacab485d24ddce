import { type DynamoDBDocumentClient, ScanCommand } from '@aws-sdk/lib-dynamodb';
import { LAST_SORT_KEY, MOST_BEACONS_OF_A_SOURCE } from '../core/beacon-memory.ts';

export interface SweepOptions {
  readonly client: DynamoDBDocumentClient;
  readonly table: string;
  /** Absent: the table itself. */
  readonly index?: string;
  /** Called for a source most of whose items are skipped. */
  readonly onFlooding?: (source: string) => void;
}

type Key = Record<string, unknown>;

/** A page is 1 MB: more than a thousand beacons. What does not fit is read by the next reading, from there on. */
const MOST_PAGES = 20;
/** Whole pages in a row of one source: its thousand items fill less than one. */
const MOST_PAGES_OF_A_SOURCE = 2;

/** Goes through the table, or an index, part by part; begins again when it has come to the end. */
export class BeaconSweep {
  readonly #options: SweepOptions;
  #from: Key | undefined;
  #run = { source: '', items: 0, pages: 0 };

  constructor(options: SweepOptions) {
    this.#options = options;
  }

  get isAtStart(): boolean {
    return this.#from === undefined;
  }

  /**
   * Reads the next part, page by page; true at the end. @throws when the table does not answer in time: then the next
   * reading goes on after the last page
   */
  async read(timeoutMs: number, onPage: (items: readonly Key[]) => void): Promise<boolean> {
    const { client, table, index } = this.#options;
    const abortSignal = AbortSignal.timeout(timeoutMs);
    for (let page = 0; page < MOST_PAGES; page++) {
      const command = new ScanCommand({
        TableName: table,
        ...(index === undefined ? {} : { IndexName: index }),
        ...(this.#from === undefined ? {} : { ExclusiveStartKey: this.#from }),
      });
      const { Items: items = [], LastEvaluatedKey: last } = await client.send(command, { abortSignal });
      onPage(items);
      this.#from = last === undefined ? undefined : this.#nextFrom(last, items);
      if (this.#from === undefined) return true;
    }
    return false;
  }

  /**
   * Where the next page begins. A scan gives all items of a source in a row, so past a source with far more items than are
   * believed it can go on at the end of that source: nobody keeps it from the others. The index has no such order.
   */
  #nextFrom(last: Key, items: readonly Key[]): Key {
    const { index, onFlooding } = this.#options;
    const source = last.pk;
    if (index !== undefined || typeof source !== 'string') return last;
    const before = items.findLastIndex(({ pk }) => pk !== source);
    const isOneSource = before < 0 && this.#run.source === source;
    const run = isOneSource ? this.#run : { source, items: 0, pages: 0 };
    this.#run = {
      source,
      items: run.items + items.length - 1 - before,
      pages: run.pages + (isOneSource ? 1 : 0),
    };
    if (this.#run.items <= MOST_BEACONS_OF_A_SOURCE && this.#run.pages < MOST_PAGES_OF_A_SOURCE) return last;
    onFlooding?.(source);
    return { pk: source, sk: LAST_SORT_KEY };
  }
}
