/** One problem in a scenario file. */
export interface ScenarioProblem {
  /** The place, such as `faults[2].effect.kind`. Empty = the whole file. */
  readonly path: string;
  /** Line of that place, when the text has one. */
  readonly line?: number;
  /** What is wrong there, completing "<path> ...". No full stop. */
  readonly problem: string;
  /** What to do about it. A sentence. */
  readonly fix: string;
}

/**
 * A scenario cannot be found, read or understood. Carries every problem found, and lists them one per line.
 */
export class ScenarioError extends Error {
  override readonly name = 'ScenarioError';
  readonly file: string;
  readonly problems: readonly ScenarioProblem[];

  constructor(file: string, problems: readonly ScenarioProblem[], options?: ErrorOptions) {
    super(problems.map((problem) => `${file}${textOf(problem)}`).join('\n'), options);
    this.file = file;
    this.problems = problems;
  }
}

function textOf({ path, line, problem, fix }: ScenarioProblem): string {
  const place = line === undefined ? '' : `:${line}`;
  return `${place}: ${path === '' ? '' : `${path} `}${problem}. ${fix}`;
}
