interface Hint {
  readonly matches: RegExp;
  readonly step: (env: Readonly<Record<string, string | undefined>>) => string;
}

/** The next steps that no error of the SDK or of Node says; the first match wins. */
const hints: readonly Hint[] = [
  {
    matches: /ECONNREFUSED|ECONNRESET|ENOTFOUND|EAI_AGAIN|ETIMEDOUT|E(?:HOST|NET)UNREACH|TimeoutError/,
    step: ({ AWS_ENDPOINT_URL: url }) =>
      `Look at the network here${url ? `, and at AWS_ENDPOINT_URL (${url})` : ''}; spillway status shows who answers.`,
  },
  {
    matches: /AccessDenied|not authorized to perform/,
    step: () => 'docs/cli.md lists the rights that each command needs.',
  },
];

/** Adds to a message what to do next, where a hint matches. */
export function withNextStep(message: string, env: Readonly<Record<string, string | undefined>>): string {
  const hint = hints.find(({ matches }) => matches.test(message));
  if (hint === undefined || /[Ll]ook at/.test(message)) return message;
  return `${message}${/[.!?]$/.test(message) ? '' : '.'} ${hint.step(env)}`;
}
