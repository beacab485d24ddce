/** Exit statuses of every verb; documented in docs/cli.md. */
export const exitCodes = {
  done: 0,
  failed: 1,
  /** A wrong option, config or scenario, or a missing consent: nothing was started. */
  usage: 2,
  /** A guard refused; the message names it and says when or how it gives way. */
  refused: 3,
  /** Something is not as it is in healthy times, or how an act ended is not known. */
  unhealthy: 4,
  interrupted: 130,
  /** What a shell says of a command that SIGPIPE ended; Node ignores that signal. */
  unread: 141,
} as const;
export type ExitCode = (typeof exitCodes)[keyof typeof exitCodes];

export const exitMeanings: Readonly<Record<keyof typeof exitCodes, string>> = {
  done: 'done, and all is well',
  failed: 'failed: it was tried, and did not work',
  usage:
    'usage: a wrong option or config, no reason, or no consent where nobody can be asked. Nothing was done',
  refused: 'refused by a guard. Nothing was done; the message says which guard, and what makes it give way',
  unhealthy: 'unhealthy: something is not as it is in healthy times, or it is not known how an act ended',
  interrupted: 'interrupted by Ctrl-C or SIGTERM',
  unread: 'ended early, without a message, because its output was closed (`status --watch | head`)',
};
