/**
 * The role of a region for the cells: `primary` in normal times, `standby` as the target of an evacuation.
 */
export type Role = 'primary' | 'standby';
