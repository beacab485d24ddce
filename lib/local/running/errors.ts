import type { Registered } from './run-entry.ts';

/** The register of this machine's runs cannot be used. This does not prevent a drill. */
export class RegisterError extends Error {
  override readonly name = 'RegisterError';
}

/** Other drills run on this machine, and did not end within the given time. */
export class OtherDrillError extends Error {
  override readonly name = 'OtherDrillError';
  readonly others: readonly Registered[];

  constructor(others: readonly Registered[]) {
    super('Another drill runs on this machine.');
    this.others = others;
  }
}
