import type { Role } from '../../lambda/core/role.ts';
/** Where DNS says that a cell is. */
export interface CellAnswer {
  readonly cell: string;
  readonly region: Role | 'unknown';
}
