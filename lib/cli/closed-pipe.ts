import { exitCodes } from './exit-codes.ts';

/** A trace is often piped into `head`, which stops reading: no reason for a stack trace, nor to go on. */
export function endWhenNobodyReads(): void {
  process.stdout.on('error', (error: NodeJS.ErrnoException) => {
    if (error.code !== 'EPIPE') throw error;
    process.exit(exitCodes.failed);
  });
}
