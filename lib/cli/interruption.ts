import { InterruptedError } from '../operate/errors.ts';
import { exitCodes } from '../shell/exit-codes.ts';

export interface Interruption {
  /** The reason of this signal is an InterruptedError, or the reason of `unread`. */
  readonly signal: AbortSignal;
  dispose(): void;
}

/**
 * npm passes on the SIGINT that the terminal has already sent to npm's children: a second SIGINT so soon is
 * the same key press.
 */
const SAME_KEY_PRESS_MS = 500;

/**
 * The first Ctrl-C (or SIGTERM) asks for an orderly end, the second ends immediately. With `unread`, a verb
 * that only prints also ends in order when nobody reads its output any more; then `onFirst` is not called,
 * because there is nobody to tell.
 */
export function interruption(
  onFirst: () => void,
  { unread }: { readonly unread?: AbortSignal } = {},
): Interruption {
  const controller = new AbortController();
  let firstAtMs: number | undefined;
  const onSignal = (): void => {
    if (firstAtMs !== undefined) {
      if (performance.now() - firstAtMs < SAME_KEY_PRESS_MS) return;
      process.exit(exitCodes.interrupted);
    }
    firstAtMs = performance.now();
    onFirst();
    controller.abort(new InterruptedError('Interrupted.'));
  };
  const onUnread = (): void => controller.abort(unread?.reason);
  if (unread?.aborted) onUnread();
  unread?.addEventListener('abort', onUnread, { once: true });
  process.on('SIGINT', onSignal);
  process.on('SIGTERM', onSignal);
  return {
    signal: controller.signal,
    dispose: () => {
      unread?.removeEventListener('abort', onUnread);
      process.off('SIGINT', onSignal);
      process.off('SIGTERM', onSignal);
    },
  };
}
