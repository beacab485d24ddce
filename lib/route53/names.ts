/**
 * Domain names as Route 53's API writes them: with a trailing dot, lower case, and every character other than a-z,
 * 0-9, `-`, `_` as an octal escape (`\052` for `*`). Source: "DNS domain name format" (Route 53 Developer Guide).
 */
const octalEscape = /\\([0-3][0-7]{2})/g;
/** An escaped dot is part of a label and must not become a separator. */
const ESCAPED_DOT = '056';

/** Brings a name into the form used inside: no trailing dot, lower case, escapes resolved. */
export function normaliseName(name: string): string {
  const unescaped = name.replace(octalEscape, (escaped, digits: string) =>
    digits === ESCAPED_DOT ? escaped : String.fromCharCode(Number.parseInt(digits, 8)),
  );
  return (unescaped.endsWith('.') ? unescaped.slice(0, -1) : unescaped).toLowerCase();
}

/** Whether a name is in a zone; both names must be normalised. */
export function isInZone(name: string, zoneName: string): boolean {
  return name === zoneName || name.endsWith(`.${zoneName}`);
}

/** The name without its first label; undefined at the top. */
export function parentName(name: string): string | undefined {
  const dot = name.indexOf('.');
  return dot === -1 ? undefined : name.slice(dot + 1);
}
