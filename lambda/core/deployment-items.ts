import { z } from 'zod';

/** What the last guarded deployments put in force, in the state table, beside the endpoints' own items. */
export const DEPLOYMENT_PARTITION = 'deployment';
export const deployedVotesKey = { pk: DEPLOYMENT_PARTITION, sk: 'votes' } as const;
const CELLS = 'cells#';
/** One item for each stack of cells. */
export const deployedCellsKey = (stack: string) => ({ pk: DEPLOYMENT_PARTITION, sk: `${CELLS}${stack}` });

const ACCEPTED = 'accepted#';
/** One item for the votes, and one for each stack of cells. */
export const acceptedKey = (guarded: string) => ({ pk: DEPLOYMENT_PARTITION, sk: `${ACCEPTED}${guarded}` });

const votesItem = z.object({ votesToEvacuate: z.number().int().positive() });
const cellsItem = z.object({ sk: z.string().startsWith(CELLS), groups: z.record(z.string(), z.string()) });

/** The number of votes that evacuate, as deployed; undefined when it was never stored, or is damaged. */
export function deployedVotesToEvacuate(items: readonly unknown[]): number | undefined {
  const item = items.find((each) => keyOf(each) === deployedVotesKey.sk);
  const parsed = votesItem.safeParse(item);
  return parsed.success ? parsed.data.votesToEvacuate : undefined;
}

/** The group of each cell, by stack; damaged items are left out, as if that stack had never been deployed. */
export function deployedGroups(items: readonly unknown[]): ReadonlyMap<string, ReadonlyMap<string, string>> {
  return new Map(
    items.flatMap((item) => {
      const parsed = cellsItem.safeParse(item);
      if (!parsed.success) return [];
      return [[parsed.data.sk.slice(CELLS.length), new Map(Object.entries(parsed.data.groups))] as const];
    }),
  );
}

const acceptedItem = z.object({
  sk: z.string().startsWith(ACCEPTED),
  atMs: z.number(),
  current: z.string(),
  previous: z.string().optional(),
});
/** A state that the guard has accepted, and the one before, as the texts that were stored. */
export type AcceptedTexts = Omit<z.infer<typeof acceptedItem>, 'sk'>;

/** By what was guarded; damaged items are left out, as if nothing had been accepted. */
export function acceptedTexts(items: readonly unknown[]): ReadonlyMap<string, AcceptedTexts> {
  return new Map(
    items.flatMap((item) => {
      const parsed = acceptedItem.safeParse(item);
      if (!parsed.success) return [];
      const { sk, ...texts } = parsed.data;
      return [[sk.slice(ACCEPTED.length), texts] as const];
    }),
  );
}

function keyOf(item: unknown): unknown {
  return typeof item === 'object' && item !== null && 'sk' in item ? item.sk : undefined;
}
