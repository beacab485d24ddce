/** Why a file that a person has named cannot be read, and what to do: `problem` follows the file's name in a sentence. */
export class SmallFileError extends Error {
  override readonly name = 'SmallFileError';
  readonly problem: string;
  readonly fix: string;

  constructor({ problem, fix }: { readonly problem: string; readonly fix: string }, options?: ErrorOptions) {
    super(problem, options);
    this.problem = problem;
    this.fix = fix;
  }
}
