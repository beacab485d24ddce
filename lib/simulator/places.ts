import type { Role } from '../../lambda/core/role.ts';

export type Place = Role | 'neither';

/** Where DNS has the region, and each cell. */
export interface Places {
  readonly region: Place;
  readonly cells: Readonly<Record<string, Place>>;
}

/** Cells whose signal is elsewhere than before. */
export const cellsMoved = (from: Places, to: Places): readonly string[] =>
  Object.keys(to.cells).filter((cell) => from.cells[cell] !== to.cells[cell]);
