/** A deployment with something broken, and the check that has to notice. */
export interface Mutant {
  readonly kind: string;
  readonly name: string;
  /** The first thing that turns red; undefined: the mutant survives. */
  readonly firstRed: () => Promise<string | undefined>;
}
