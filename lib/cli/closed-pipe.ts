import { exitCodes } from '../shell/exit-codes.ts';

/** Thrown when nobody reads standard output any more, and there is more to write. */
export class UnreadError extends Error {
  override readonly name = 'UnreadError';
}

/** The other end of a pipe or socket has gone, or the terminal has. */
const goneCodes: readonly unknown[] = ['EPIPE', 'ECONNRESET', 'EIO', 'ERR_STREAM_DESTROYED'];

let unread: AbortSignal | undefined;

/**
 * From now on, treats a reader of standard output or standard error that stops reading (`| head -1`) as no
 * error. What is written after that is dropped, so that an act that changes something is never cut in half.
 *
 * @returns a signal that is aborted, with an UnreadError, once nobody reads standard output: for work that
 *   goes on only to be read.
 */
export function signalUnread(): AbortSignal {
  if (unread !== undefined) return unread;
  const controller = new AbortController();
  process.stdout.on('error', (error: NodeJS.ErrnoException) => {
    if (goneCodes.includes(error.code)) controller.abort(new UnreadError('Nobody reads the output.'));
    else failAtExit(error);
  });
  // There is no other place to report this error.
  process.stderr.on('error', () => {});
  unread = controller.signal;
  return unread;
}

/**
 * Makes the process end with a failure, for instance when the disk is full: a script must not take half of a
 * document for the whole.
 */
function failAtExit({ message }: Error): void {
  if (process.listeners('exit').includes(setFailed)) return;
  process.on('exit', setFailed);
  process.stderr.write(
    `error Standard output cannot be written (${message}): the rest of the output is lost.\n`,
  );
}

function setFailed(): void {
  if ((process.exitCode ?? exitCodes.done) === exitCodes.done) process.exitCode = exitCodes.failed;
}
