/** A character-string of a TXT record holds 255 bytes (RFC 1035, 3.3). */
export const MAX_TXT_STRING_BYTES = 255;

/**
 * Parses the value of a TXT record as Route 53 stores it: one or more strings in double quotes, separated by spaces,
 * with `\"`, `\\` and three-digit octal escapes. Source: "Supported DNS record types", TXT record type.
 * A string of more than 255 bytes is cut into several, as it can only be served that way.
 * Returns undefined if the value is not in that form.
 */
export function parseTxtValue(value: string): readonly Buffer[] | undefined {
  const strings: Buffer[] = [];
  const quoted = /\s*"((?:[^"\\]|\\.)*)"\s*/gsy;
  while (quoted.lastIndex < value.length) {
    const match = quoted.exec(value);
    if (match?.[1] === undefined) return undefined;
    strings.push(...cut(decodeEscapes(match[1])));
  }
  return strings.length === 0 ? undefined : strings;
}

function decodeEscapes(text: string): Buffer {
  const parts = text.match(/\\[0-3][0-7]{2}|\\.|[^\\]+/gs) ?? [];
  return Buffer.concat(
    parts.map((part) => {
      if (!part.startsWith('\\')) return Buffer.from(part, 'utf8');
      const octal = part.length === 4;
      return octal ? Buffer.from([Number.parseInt(part.slice(1), 8)]) : Buffer.from(part.slice(1), 'utf8');
    }),
  );
}

function cut(bytes: Buffer): Buffer[] {
  const count = Math.max(1, Math.ceil(bytes.length / MAX_TXT_STRING_BYTES));
  return Array.from({ length: count }, (_, index) =>
    bytes.subarray(index * MAX_TXT_STRING_BYTES, (index + 1) * MAX_TXT_STRING_BYTES),
  );
}
