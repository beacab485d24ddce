interface Hint {
  readonly matches: RegExp;
  readonly step: (env: Readonly<Record<string, string | undefined>>) => string;
}

/** What no error of the SDK or of Node says, looked at in order. */
const hints: readonly Hint[] = [
  {
    matches: /ECONNREFUSED|ECONNRESET|ENOTFOUND|EAI_AGAIN|ETIMEDOUT|E(?:HOST|NET)UNREACH|TimeoutError/,
    step: ({ AWS_ENDPOINT_URL: url }) =>
      `Look at the network here${url ? `, and at AWS_ENDPOINT_URL (${url})` : ''}; spillway status shows who answers.`,
  },
  {
    matches: /AccessDenied|not authorized to perform/,
    step: () => 'docs/cli.md lists the rights that it needs.',
  },
];

/** The message with what to do next, where it is about an answer that did not come. */
export function withNextStep(message: string, env: Readonly<Record<string, string | undefined>>): string {
  const hint = hints.find(({ matches }) => matches.test(message));
  if (hint === undefined || /[Ll]ook at/.test(message)) return message;
  return `${message}${/[.!?]$/.test(message) ? '' : '.'} ${hint.step(env)}`;
}
