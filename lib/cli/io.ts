import { signalUnread } from './closed-pipe.ts';
import { type Colors, colors } from './colors.ts';

/** The parts of the process that a command may use, so that a test can replace them. */
export interface Io {
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly directory: string;
  /** Somebody can answer: both input and output are a terminal. */
  readonly interactive: boolean;
  /** Standard error is a terminal: spinners may turn there. */
  readonly animated: boolean;
  /** Standard output is a terminal: somebody reads it there. */
  readonly terminal: boolean;
  /** How wide a line of a screen may be; infinite in a pipe or a file, where a row stays a line. */
  readonly columns: number;
  readonly colors: Colors;
  /** Aborted once nobody reads standard output any more. */
  readonly unread: AbortSignal;
  out(text: string): void;
  err(text: string): void;
  nowMs(): number;
  /** Asks a yes-or-no question; called only when `interactive`. */
  confirm(question: string): Promise<boolean>;
}

export function processIo(): Io {
  const { env, stdout, stderr, stdin } = process;
  return {
    env,
    directory: process.cwd(),
    interactive: stdin.isTTY === true && stderr.isTTY === true,
    animated: stderr.isTTY === true,
    terminal: stdout.isTTY === true,
    columns: columnsOf(env, stdout),
    colors,
    unread: signalUnread(),
    out: (text) => void stdout.write(`${text}\n`),
    err: (text) => void stderr.write(`${text}\n`),
    nowMs: () => Date.now(),
    confirm: async (question) => {
      const { confirm } = await import('@clack/prompts');
      // A cancelled prompt is a symbol: only a plain yes is a yes.
      return (await confirm({ message: question, initialValue: false, output: stderr })) === true;
    },
  };
}

/** In fewer columns than this nothing can be laid out: the terminal folds the lines. */
const MIN_COLUMNS = 20;

/**
 * The width of the screen: COLUMNS, when somebody has exported it, in a pipe as well; else the width of the
 * terminal.
 */
export function columnsOf(
  { COLUMNS }: Io['env'],
  { columns }: { readonly columns?: number | undefined },
): number {
  const wanted = /^\d{1,5}$/.test(COLUMNS ?? '') ? Number(COLUMNS) : columns;
  // A terminal that does not know its width says 0.
  return wanted === undefined || wanted === 0 ? Number.POSITIVE_INFINITY : Math.max(wanted, MIN_COLUMNS);
}
