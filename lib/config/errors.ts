/** One problem in a configuration. */
export interface ConfigProblem {
  /** The place, as one would write it in code: `cells[2].stream`. Empty = the whole file. */
  readonly path: string;
  /** What is wrong there, completing "<path> ...". No full stop. */
  readonly problem: string;
  /** What to write instead. A sentence. */
  readonly fix: string;
}

/** The configuration cannot be used. Carries every problem found, and lists them one per line. */
export class ConfigError extends Error {
  override readonly name = 'ConfigError';
  readonly file: string;
  readonly problems: readonly ConfigProblem[];

  constructor(file: string, problems: readonly ConfigProblem[], options?: ErrorOptions) {
    const lines = problems.map(({ path, problem, fix }) => `${path || 'config'}: ${problem}. Fix: ${fix}`);
    const count = problems.length === 1 ? '1 problem' : `${problems.length} problems`;
    super([`${file}: ${count}`, ...lines].join('\n'), options);
    this.file = file;
    this.problems = problems;
  }
}

const MAX_QUOTE = 60;

/** A value as the user wrote it, cut where it would fill the screen. */
export function quote(value: unknown): string {
  const text = JSON.stringify(value) ?? String(value);
  return text.length > MAX_QUOTE ? `${text.slice(0, MAX_QUOTE)}…` : text;
}
