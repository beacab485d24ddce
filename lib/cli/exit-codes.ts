/** Exit statuses of every verb; documented in the README. */
export const exitCodes = {
  done: 0,
  failed: 1,
  /** A wrong option, config or scenario: nothing was started. */
  usage: 2,
  interrupted: 130,
} as const;
