/** A place in a text; line and column begin at 1, as in editors. */
export interface Position {
  readonly line: number;
  readonly column: number;
}

/**
 * Finds where `JSON.parse(text)` failed with `message`. V8 gives the place in some of its messages, but not
 * in all.
 */
export function positionIn(text: string, message: string): Position {
  const before = text.slice(0, offsetIn(text, message));
  const lines = before.split('\n');
  return { line: lines.length, column: (lines.at(-1)?.length ?? 0) + 1 };
}

function offsetIn(text: string, message: string): number {
  const stated = / JSON at position (\d+)/.exec(message)?.[1];
  if (!message.startsWith(UNEXPECTED_TOKEN)) return stated === undefined ? text.length : Number(stated);
  // A beginning of the text has the wrong token only if it is long enough, so a binary search finds the
  // token.
  let [low, high] = [0, text.length];
  while (low < high) {
    const middle = Math.floor((low + high) / 2);
    if (hasWrongToken(text.slice(0, middle + 1))) high = middle;
    else low = middle + 1;
  }
  return low;
}

const UNEXPECTED_TOKEN = 'Unexpected token';

function hasWrongToken(text: string): boolean {
  try {
    JSON.parse(text);
    return false;
  } catch (error) {
    return error instanceof SyntaxError && error.message.startsWith(UNEXPECTED_TOKEN);
  }
}
