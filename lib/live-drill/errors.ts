import { type DrillRefusal, refusalText } from '../../lambda/core/drill.ts';
import { problemOf } from '../operate/reading.ts';

/**
 * The drill could not go on. The message becomes one of the result's failures; the cell is moved back all the
 * same.
 */
export class LiveDrillError extends Error {
  override readonly name = 'LiveDrillError';
}

/** A guard refuses just before anything would have moved. Nothing was moved. */
export class LiveDrillRefusedError extends Error {
  override readonly name = 'LiveDrillRefusedError';
  readonly refusals: readonly DrillRefusal[];

  constructor(refusals: readonly DrillRefusal[]) {
    super(refusals.map(refusalText).join('; '));
    this.refusals = refusals;
  }
}

/**
 * Describes an error in one line for the result: Spillway's own errors are sentences, others need their name.
 */
export const sayProblem = (error: unknown): string =>
  error instanceof LiveDrillError ? error.message : problemOf(error);
