import { createColors } from 'picocolors';

export type Colors = ReturnType<typeof createColors>;

type Environment = Readonly<Record<string, string | undefined>>;

/**
 * Whether to colour: https://no-color.org (present and not empty, whatever its value), then FORCE_COLOR, then
 * the terminal. The library's own guess also colours pipes when `CI` is set, which spoils output that a
 * program reads.
 */
export function coloured(env: Environment, terminal: boolean): boolean {
  if (env.NO_COLOR !== undefined && env.NO_COLOR !== '') return false;
  if (env.FORCE_COLOR !== undefined && env.FORCE_COLOR !== '' && env.FORCE_COLOR !== '0') return true;
  return terminal && env.TERM !== 'dumb';
}

/** The colours of this process' output. */
export const colors: Colors = createColors(coloured(process.env, process.stdout.isTTY === true));
