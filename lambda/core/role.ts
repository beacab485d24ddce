/** What a region is to the cells: where they are in health, or where they go. */
export type Role = 'primary' | 'standby';
