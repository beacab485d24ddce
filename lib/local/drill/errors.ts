import type { AbortKind } from './next-step.ts';

/** The drill could not be carried out; this error says nothing about the expectation. */
export class DrillError extends Error {
  override readonly name = 'DrillError';
  readonly kind: AbortKind;

  constructor(message: string, kind: AbortKind = 'other', options?: ErrorOptions) {
    super(message, options);
    this.kind = kind;
  }
}
