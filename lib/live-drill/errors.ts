import { type DrillRefusal, refusalText } from '../../lambda/core/drill.ts';
import { problemOf } from '../operate/reading.ts';

/** The drill could not go on. Its message is one of the result's failures; the cell is put back all the same. */
export class LiveDrillError extends Error {
  override readonly name = 'LiveDrillError';
}

/** A guard refuses just before anything would have moved. Nothing was. */
export class LiveDrillRefusedError extends Error {
  override readonly name = 'LiveDrillRefusedError';
  readonly refusals: readonly DrillRefusal[];

  constructor(refusals: readonly DrillRefusal[]) {
    super(refusals.map(refusalText).join('; '));
    this.refusals = refusals;
  }
}

/** One line for the result: our own errors are sentences, others need their name. */
export const sayProblem = (error: unknown): string =>
  error instanceof LiveDrillError ? error.message : problemOf(error);
