import { join } from 'node:path';
import { execa } from 'execa';
import { pythonWith } from '../../../lib/local/clients/python.ts';

const JUDGE_TIMEOUT_MS = 60_000;
const here = import.meta.dirname;

/** A Python with `aws_kinesis_agg`. */
export const judgingPython = (): Promise<string> =>
  pythonWith({ name: 'aws-kinesis-agg', requirements: join(here, 'requirements.lock') });

/** Asks the judge, in one process for all questions. */
export async function judge(python: string, questions: readonly object[]): Promise<readonly unknown[]> {
  const { stdout } = await execa(python, [join(here, 'judge.py')], {
    input: questions.map((question) => `${JSON.stringify(question)}\n`).join(''),
    env: { PYTHONDONTWRITEBYTECODE: '1' },
    timeout: JUDGE_TIMEOUT_MS,
  });
  return stdout.split('\n').map((line) => JSON.parse(line));
}
