/** Where DNS says that a cell is. */
export interface CellAnswer {
  readonly cell: string;
  readonly region: 'primary' | 'standby' | 'unknown';
}
