/** Environment variable that names the table of the observer in the function's own region. */
export const VOTE_TABLE = 'SPILLWAY_VOTE_TABLE';
