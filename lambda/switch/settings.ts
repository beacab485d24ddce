/** Environment variable that names the state table in the function's own region. */
export const STATE_TABLE = 'SPILLWAY_STATE_TABLE';
/** Environment variable that lists the switch groups, separated by commas: no other path costs a read. */
export const SWITCH_GROUPS = 'SPILLWAY_SWITCH_GROUPS';
