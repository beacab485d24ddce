import { exitCodes } from './exit-codes.ts';

export interface Interruption {
  readonly signal: AbortSignal;
  dispose(): void;
}

/** npm passes on the SIGINT that the terminal has sent to its children already: so soon, it is the same key press. */
const SAME_KEY_PRESS_MS = 500;

/** The first Ctrl-C (or SIGTERM) asks for an orderly end, the second ends at once. */
export function interruption(onFirst: () => void): Interruption {
  const controller = new AbortController();
  let firstAtMs = 0;
  const onSignal = (): void => {
    if (controller.signal.aborted) {
      if (performance.now() - firstAtMs < SAME_KEY_PRESS_MS) return;
      process.exit(exitCodes.interrupted);
    }
    firstAtMs = performance.now();
    onFirst();
    controller.abort(new Error('interrupted'));
  };
  process.on('SIGINT', onSignal);
  process.on('SIGTERM', onSignal);
  return {
    signal: controller.signal,
    dispose: () => {
      process.off('SIGINT', onSignal);
      process.off('SIGTERM', onSignal);
    },
  };
}
