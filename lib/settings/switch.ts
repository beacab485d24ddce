/** Environment variable that names the state table in the function's own region. */
export const STATE_TABLE = 'SPILLWAY_STATE_TABLE';
