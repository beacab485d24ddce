import type { Readable, Writable } from 'node:stream';
import { confirm, intro, isCancel, log, select, text } from '@clack/prompts';
import { PROBE_KEY_PREFIX } from '../envelope/probe-record.ts';
import { InterruptedError } from '../operate/errors.ts';
import { type Answers, proposalsFor } from '../operate/init-config.ts';
import {
  inWords,
  objectionTo,
  problemsOf,
  type Question,
  questions,
  questionsOf,
} from '../operate/init-problems.ts';

/** Where the questions are shown and answered. */
export interface Terminal {
  readonly input: Readable;
  readonly output: Writable;
}

type Draft = Partial<Answers>;
type Asking = (draft: Draft, terminal: Terminal) => Promise<unknown>;

/**
 * Answers that clash only with each other are asked for again, in at most this many rounds; then the user has
 * to start over.
 */
const MAX_ROUNDS = 20;

const listOf = (names: string): readonly string[] =>
  names
    .split(',')
    .map((name) => name.trim())
    .filter((name) => name !== '');

interface TextQuestion {
  readonly question: Question;
  readonly message: string;
  readonly placeholder?: string;
  readonly parse?: (typed: string) => Draft[Question];
}

/**
 * A line to type. An objection of the config's rules is shown immediately, and the line can be corrected in
 * place.
 */
const typed =
  ({ question, message, placeholder, parse = (line) => line.trim() }: TextQuestion): Asking =>
  (draft, terminal) => {
    const proposed: Draft = proposalsFor(draft);
    const known = draft[question] ?? proposed[question];
    return text({
      ...terminal,
      message,
      ...(placeholder === undefined ? {} : { placeholder }),
      ...(known === undefined ? {} : { initialValue: String(known) }),
      validate: (line = '') => objectionTo(question, { ...draft, [question]: parse(line) }),
    }).then((line) => (isCancel(line) ? line : parse(line)));
  };

const askings: Readonly<Record<Question, Asking>> = {
  name: typed({ question: 'name', message: 'Prefix of every physical name' }),
  zoneName: typed({ question: 'zoneName', message: 'Public hosted zone', placeholder: 'shop.example.com' }),
  zoneId: typed({
    question: 'zoneId',
    message: 'Id of the zone in Route 53',
    placeholder: 'Z0123456789ABCDEFGHIJ',
  }),
  streams: typed({
    question: 'streams',
    message: 'Kinesis streams to protect, separated by commas',
    placeholder: 'orders,clicks',
    parse: listOf,
  }),
  probe: (draft, terminal) =>
    select({
      ...terminal,
      message: [
        'May observers put marked records into these streams?',
        'They show an outage of one stream alone. Consumers see them: under 100 bytes,',
        `with a partition key that begins with ${PROBE_KEY_PREFIX} (docs/envelope.md)`,
      ].join('\n'),
      initialValue: draft.probe ?? 'never',
      options: [
        { value: 'never', label: 'never', hint: 'then only its producers can report such an outage' },
        {
          value: 'onSuspicion',
          label: 'on suspicion',
          hint: 'a few a second, while something looks wrong',
        },
        { value: 'always', label: 'always', hint: 'about one a second, at all times' },
      ],
    }),
  primary: typed({ question: 'primary', message: 'Primary region' }),
  standby: typed({ question: 'standby', message: 'Standby region' }),
  witnesses: typed({ question: 'witnesses', message: 'Witness regions, two or more', parse: listOf }),
  drill: (draft, terminal) =>
    confirm({
      ...terminal,
      message: 'Add a cell without traffic, which is moved each week to prove that a failover works?',
      initialValue: draft.drill ?? proposalsFor(draft).drill,
    }),
  mode: (draft, terminal) =>
    select({
      ...terminal,
      message: 'How autonomous may Spillway be at first?',
      initialValue: draft.mode ?? proposalsFor(draft).mode,
      options: [
        { value: 'observe', label: 'observe', hint: 'diagnoses and logs, never moves anything' },
        { value: 'approve', label: 'approve', hint: 'moves when an operator consents' },
        { value: 'auto', label: 'auto', hint: 'moves by itself, in under a minute' },
      ],
    }),
};

/**
 * Asks the questions of `spillway init` that `given` does not answer already. Ends with answers that make a
 * config that loads: answers that clash are asked for again, and the other answers stay.
 *
 * @throws InterruptedError after Ctrl-C: nothing has been written.
 */
export async function askForConfig(given: Draft, terminal: Terminal): Promise<Answers> {
  intro('spillway init', terminal);
  let draft = given;
  let open: readonly Question[] = questions.filter((question) => given[question] === undefined);
  for (let round = 0; round < MAX_ROUNDS; round++) {
    for (const question of open) {
      const answer = await askings[question](draft, terminal);
      if (isCancel(answer)) throw new InterruptedError('Interrupted. Nothing was written.');
      draft = { ...draft, [question]: answer };
    }
    const problems = problemsOf(draft);
    if (problems.length === 0) return draft as Answers;
    for (const problem of problems) log.error(`${problem.path}: ${inWords(problem)}`, terminal);
    const concerned = new Set(problems.flatMap(questionsOf));
    open = questions.filter((question) => concerned.has(question));
  }
  throw new InterruptedError(
    `The answers do not fit together after ${MAX_ROUNDS} rounds. Nothing was written.`,
  );
}
