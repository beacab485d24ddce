import { ConfigError, type ConfigProblem } from '../config/errors.ts';
import { type Answers, configFile } from './init-config.ts';

/** The questions of `spillway init`, in this order. */
export const questions = [
  'name',
  'zoneName',
  'zoneId',
  'streams',
  'probe',
  'primary',
  'standby',
  'witnesses',
  'drill',
  'mode',
] as const satisfies readonly (keyof Answers)[];
export type Question = (typeof questions)[number];

/** The questions whose answers can solve a problem, by the path of the problem. First match wins. */
const owners: readonly (readonly [path: RegExp, questions: readonly Question[]])[] = [
  [/^zone\.id/, ['zoneId']],
  [/^zone/, ['zoneName']],
  [/^regions/, ['primary', 'standby', 'witnesses']],
  [/^drill/, ['drill']],
  [/^policy\.mode/, ['mode']],
  // If the timing does not fit, there are too many observers.
  [/^(policy|delivery)/, ['witnesses']],
  [/^healthCheckQuota/, ['streams']],
  // A cell's name and its zone's make a DNS name.
  [/^cells\[\d+\]\.name/, ['zoneName', 'streams']],
  [/^cells\[\d+\]\.probe/, ['probe']],
  // Spillway's own streams are called by the prefix.
  [/^cells/, ['name', 'streams']],
  [/^/, ['name']],
];

export const questionsOf = ({ path }: ConfigProblem): readonly Question[] =>
  owners.find(([pattern]) => pattern.test(path))?.[1] ?? [];

/** Earlier answers that an answer is judged with: of two regions that clash, the later one is wrong. */
const companions: Readonly<Partial<Record<Question, readonly Question[]>>> = {
  standby: ['primary'],
  witnesses: ['primary', 'standby'],
};

/** Answers that break no rule, for questions that have not been asked yet. */
const standIns: Answers = {
  zoneId: 'Z0123456789ABCDEFGHIJ',
  zoneName: 'shop.example.com',
  streams: ['orders'],
};

/**
 * The problems that the config's own rules find in these answers, each alone and all together; none when the
 * answers load.
 */
export function problemsOf(answers: Partial<Answers>): readonly ConfigProblem[] {
  try {
    configFile({ ...standIns, ...answers }, 'spillway.config.json');
    return [];
  } catch (error) {
    if (error instanceof ConfigError) return error.problems;
    throw error;
  }
}

/** The objection to one answer by itself, as a sentence for whoever has just typed the answer. */
export function objectionTo(question: Question, answers: Partial<Answers>): string | undefined {
  const judged = new Set<string>([question, ...(companions[question] ?? [])]);
  const [found] = problemsOf(
    Object.fromEntries(Object.entries(answers).filter(([name]) => judged.has(name))),
  );
  return found === undefined ? undefined : inWords(found);
}

export const inWords = ({ problem, fix }: ConfigProblem): string => `${problem}. ${fix}`;
