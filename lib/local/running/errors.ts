import type { Registered } from './run-entry.ts';

/** Where the runs of this machine say that they are there cannot be used. It keeps nobody from drilling. */
export class RegisterError extends Error {
  override readonly name = 'RegisterError';
}

/** Other drills run on this machine, and have not ended within the time that was to be waited. */
export class OtherDrillError extends Error {
  override readonly name = 'OtherDrillError';
  readonly others: readonly Registered[];

  constructor(others: readonly Registered[]) {
    super('Another drill runs on this machine.');
    this.others = others;
  }
}
