import stringWidth from 'fast-string-width';
import { wrapAnsi } from 'fast-wrap-ansi';
import type { Io } from './io.ts';
import { wrapped } from './wrap.ts';

export interface Progress {
  say(text: string): void;
  /** A line that stays. */
  tell(text: string): void;
  stop(): void;
}

const FRAMES = ['⠋', '⠙', '⠹', '⠸', '⠼', '⠴', '⠦', '⠧', '⠇', '⠏'] as const;
const FRAME_MS = 100;
const DEFAULT_COLUMNS = 80;
const CLEAR_LINE = '\r\u001b[2K';

/**
 * Shows progress on standard error: on a terminal one line with a spinner and the seconds; elsewhere a line
 * each time that there is something new.
 */
export function progress(
  io: Io,
  write: (text: string) => void = (text) => void process.stderr.write(text),
): Progress {
  if (!io.animated) {
    let last = '';
    return {
      say: (text) => {
        if (text !== last) io.err(text);
        last = text;
      },
      tell: (text) => io.err(wrapped(text, io.columns)),
      stop: () => {},
    };
  }
  let text = '';
  let frame = 0;
  const startedMs = performance.now();
  const draw = (): void => {
    frame = (frame + 1) % FRAMES.length;
    const seconds = Math.round((performance.now() - startedMs) / 1_000);
    write(`${CLEAR_LINE}${oneLine(`${FRAMES[frame]} ${text}`, ` (${seconds} s)`)}`);
  };
  const timer = setInterval(draw, FRAME_MS);
  return {
    say: (next) => {
      text = next;
      draw();
    },
    tell: (line) => write(`${CLEAR_LINE}${wrapped(line, io.columns)}\n`),
    stop: () => {
      clearInterval(timer);
      write(CLEAR_LINE);
    },
  };
}

/**
 * Cuts the text to one line, because a line that the terminal folds could not be removed again. The full text
 * is printed at the end.
 */
function oneLine(text: string, after: string): string {
  const room = (process.stderr.columns ?? DEFAULT_COLUMNS) - after.length - 1;
  const line = text.replaceAll('\n', ' ');
  return (
    (stringWidth(line) <= room ? line : `${wrapAnsi(line, room - 1, { hard: true }).split('\n')[0]}…`) + after
  );
}
