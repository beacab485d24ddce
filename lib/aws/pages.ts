/** One page of a list that a service returns in pieces. */
export interface Page<Item, Next> {
  readonly items: readonly Item[];
  /** Where the list goes on; undefined: this page is the last one. */
  readonly next: Next | undefined;
}

export interface Paging<Item, Next> {
  /** Asks for one page; `from` is undefined for the first one. */
  readonly ask: (from: Next | undefined) => Promise<Page<Item, Next>>;
  readonly maxPages: number;
  /** No more than this many items are asked for. Default: all. */
  readonly maxItems?: number | undefined;
}

export interface Listed<Item> {
  readonly items: readonly Item[];
  /** False: the list goes on after `maxPages`. Half a list must not pass for a whole one, so callers look at this. */
  readonly complete: boolean;
}

/** Reads a list page by page, in the order of the service. @throws what `ask` throws */
export async function readPages<Item, Next>(paging: Paging<Item, Next>): Promise<Listed<Item>> {
  const { ask, maxPages, maxItems = Number.POSITIVE_INFINITY } = paging;
  const items: Item[] = [];
  let from: Next | undefined;
  for (let page = 0; page < maxPages; page++) {
    const answer = await ask(from);
    items.push(...answer.items);
    from = answer.next;
    if (from === undefined || items.length >= maxItems) return { items, complete: true };
  }
  return { items, complete: false };
}
