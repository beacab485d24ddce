import { createHash } from 'node:crypto';
import { checkedGroups } from '../config/checked-groups.ts';
import type { Cell, Config } from '../config/config.ts';
import { RECORDS_PER_TREE } from '../constructs/failover-tree.ts';
import { PlacementError } from './errors.ts';

/** CloudFormation takes 500 resources in a stack ("CloudFormation quotas"); some room is left. */
export const MAX_RESOURCES = 480;
/** Stacks that cells are spread over when one does not hold them all. */
export const SPREAD = 32;
const MAX_STACKS = 256;

export interface Part<T> {
  /** Number of the stack, from 1. */
  readonly stack: number;
  readonly items: readonly T[];
}

/**
 * Chooses the stack of a name, from the name and the number of stacks alone. Adding or removing another cell
 * must not move a name: a record that changes its stack is deleted by one stack and created by the other, in
 * any order, and a health check that is created again begins unhealthy.
 */
export function stackOf(name: string, stacks: number): number {
  if (stacks === 1) return 1;
  return (createHash('sha256').update(name).digest().readUInt32BE(0) % stacks) + 1;
}

/** Items by stack; stacks without any are left out. @throws PlacementError when one holds more than CloudFormation takes. */
export function placed<T>(
  items: readonly T[],
  {
    stacks,
    nameOf,
    resourcesOf,
  }: {
    readonly stacks: number;
    readonly nameOf: (item: T) => string;
    readonly resourcesOf: (item: T) => number;
  },
): readonly Part<T>[] {
  const byStack = Map.groupBy(items, (item) => stackOf(nameOf(item), stacks));
  const largest = Math.max(0, ...[...byStack.values()].map((part) => sum(part.map(resourcesOf))));
  if (largest > MAX_RESOURCES) throw tooMany(largest, { items, stacks, nameOf, resourcesOf });
  return [...byStack].map(([stack, part]) => ({ stack, items: part })).toSorted((a, b) => a.stack - b.stack);
}

/**
 * Number of stacks that cells are spread over: as configured, else one as long as everything fits into one.
 * Another number gives stacks with other names, so that changing the number deletes nothing: what exists
 * stays, and CloudFormation refuses to create it twice.
 */
export function cellStacks(config: Config): number {
  if (config.cellStacks !== undefined) return config.cellStacks;
  const groups = checkedGroups(config).length;
  const records = sum(config.cells.map(recordsOf));
  const streams = Math.max(
    ...(['primary', 'standby'] as const).map(
      (role) => config.cells.filter(({ streams: of }) => of[role].create).length,
    ),
  );
  // Beside the streams, the standby's stack has some sixty resources of its own.
  return groups + records <= MAX_RESOURCES && streams <= MAX_RESOURCES / 2 ? 1 : SPREAD;
}

export const recordsOf = ({ services }: Cell): number => RECORDS_PER_TREE * (1 + services.length);

const sum = (numbers: readonly number[]): number => numbers.reduce((total, one) => total + one, 0);

function tooMany<T>(
  largest: number,
  of: {
    readonly items: readonly T[];
    readonly stacks: number;
    readonly nameOf: (item: T) => string;
    readonly resourcesOf: (item: T) => number;
  },
): PlacementError {
  const fits = (stacks: number): boolean =>
    [...Map.groupBy(of.items, (item) => stackOf(of.nameOf(item), stacks)).values()].every(
      (part) => sum(part.map(of.resourcesOf)) <= MAX_RESOURCES,
    );
  const counts = Array.from({ length: MAX_STACKS }, (_, n) => n + 1);
  const enough = counts.find((stacks) => stacks > of.stacks && fits(stacks));
  return new PlacementError(
    `A stack would hold ${largest} resources, and CloudFormation takes 500. ${
      enough === undefined ? 'Give fewer cells, or fewer services.' : `Set cellStacks: ${enough}.`
    }`,
  );
}
