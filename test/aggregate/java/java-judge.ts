import { execa } from 'execa';
import { type JavaPrograms, javaPrograms } from '../../../lib/local/clients/java.ts';

const JUDGE_TIMEOUT_MS = 60_000;

/** The first run in a clone fetches the judges. */
export const INSTALL_TIMEOUT_MS = 600_000;

export const judgingJava = (): Promise<JavaPrograms> => javaPrograms({ sources: [import.meta.dirname] });

export interface Asking {
  readonly programs: JavaPrograms;
  /** The class with `main`. */
  readonly main: string;
  readonly settings?: object;
}

/** Asks a program in Java, in one process for all questions. */
export async function ask(
  { programs, main, settings = {} }: Asking,
  questions: readonly object[],
): Promise<readonly unknown[]> {
  const { stdout } = await execa('java', ['-cp', programs.classPath, main, JSON.stringify(settings)], {
    input: questions.map((question) => `${JSON.stringify(question)}\n`).join(''),
    timeout: JUDGE_TIMEOUT_MS,
  });
  return stdout.split('\n').map((line) => JSON.parse(line));
}
