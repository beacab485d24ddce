import { type Colors, colors } from './colors.ts';

/** What a command may touch of the process, so that a test can stand in for it. */
export interface Io {
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly directory: string;
  /** Somebody sits there and can answer: both ends are a terminal. */
  readonly interactive: boolean;
  /** Standard error is a terminal: spinners may turn there. */
  readonly animated: boolean;
  readonly columns: number;
  readonly colors: Colors;
  out(text: string): void;
  err(text: string): void;
  nowMs(): number;
  /** Asks a yes-or-no question; called only when `interactive`. */
  confirm(question: string): Promise<boolean>;
}

const DEFAULT_COLUMNS = 120;

export function processIo(): Io {
  const { env, stdout, stderr, stdin } = process;
  return {
    env,
    directory: process.cwd(),
    interactive: stdin.isTTY === true && stderr.isTTY === true,
    animated: stderr.isTTY === true,
    columns: stdout.columns ?? DEFAULT_COLUMNS,
    colors,
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
