declare module 'asl-validator' {
  /** Checks a state machine against the schemas of the Amazon States Language, and its transitions. Writes to its argument. */
  export default function validate(definition: object): {
    readonly isValid: boolean;
    readonly errors: readonly object[];
  };
}
