import { exitCodes } from '../shell/exit-codes.ts';

/** Nobody reads standard output any more, and there was more to come. */
export class UnreadError extends Error {
  override readonly name = 'UnreadError';
}

/** The other end of a pipe or socket has gone, or the terminal has. */
const goneCodes: readonly unknown[] = ['EPIPE', 'ECONNRESET', 'EIO', 'ERR_STREAM_DESTROYED'];

let unread: AbortSignal | undefined;

/**
 * Makes a reader that stops reading (`| head -1`) no error, of standard output and of standard error, from now on. What
 * is written past it is dropped, so that an act which changes something is never cut in half.
 *
 * @returns a signal that is aborted, with an UnreadError, once nobody reads standard output: for what would go on for
 *   long only to be read.
 */
export function signalUnread(): AbortSignal {
  if (unread !== undefined) return unread;
  const controller = new AbortController();
  process.stdout.on('error', (error: NodeJS.ErrnoException) => {
    if (goneCodes.includes(error.code)) controller.abort(new UnreadError('Nobody reads the output.'));
    else failAtExit(error);
  });
  // There is no other place where one could say so.
  process.stderr.on('error', () => {});
  unread = controller.signal;
  return unread;
}

/** A full disk, for instance: a script must not take the half of a document for the whole. */
function failAtExit({ message }: Error): void {
  if (process.listeners('exit').includes(setFailed)) return;
  process.on('exit', setFailed);
  process.stderr.write(
    `error Standard output cannot be written (${message}): what was to be read is lost.\n`,
  );
}

function setFailed(): void {
  if ((process.exitCode ?? exitCodes.done) === exitCodes.done) process.exitCode = exitCodes.failed;
}
