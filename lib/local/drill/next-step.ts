import type { Expectation } from '../../scenario/expectation.ts';
import { shellLine } from '../../shell/shell-words.ts';

/** The ways in which a drill can fail, each judged separately. */
export type FailureKind =
  | Expectation
  | 'nothing-acknowledged'
  | 'lost'
  | 'order'
  | 'rejected'
  | 'on-disk'
  | 'latch'
  | 'operator-failover'
  | 'failback'
  | 'audit';

/** The reasons why a drill cannot be carried out to its end. */
export type AbortKind =
  | 'install'
  | 'localstack-start'
  | 'deploy'
  | 'localstack-died'
  | 'producer-died'
  | 'unanswered'
  | 'not-at-rest'
  | 'failback-refused'
  | 'too-slow'
  | 'run-folder'
  | 'other';

export interface LookAt {
  readonly file: string;
  /** What the file shows. */
  readonly shows: string;
}

export interface NextStep {
  readonly lookAt: readonly LookAt[];
  /** One command, as it can be pasted into a shell. */
  readonly nextCommand: string;
  /** What the command shows. */
  readonly why: string;
}

export interface StepContext {
  /** Absent when there was none yet. */
  readonly directory?: string;
  /** Files of the run, as paths relative to its directory; only files that exist. */
  readonly files: readonly string[];
  /** Describes the world, if that is left standing. */
  readonly worldFile?: string;
  /** Plays the same scenario in virtual time; absent when that knows no such drill (a blackout, a killed observer). */
  readonly simulate?: string;
  /** Drills again, the same. */
  readonly repeat: string;
  /** Region that the audit needs to know. */
  readonly primary: string;
  /** Whether another drill ran at the same time. */
  readonly disturbed: boolean;
}

const fileTable = {
  events: { pattern: /^events\.jsonl$/, shows: 'what was seen, in order: faults, votes, checks, DNS, puts' },
  observers: {
    pattern: /^localstack\/lambda-.*-observer\.log$/,
    shows: 'what this observer measured and decided',
  },
  conductor: { pattern: /^localstack\/lambda-.*-conductor\.log$/, shows: 'each step of the conductor' },
  switches: { pattern: /^localstack\/lambda-.*-switch\.log$/, shows: 'what the switch endpoint answered' },
  lost: {
    pattern: /^lost\.json$/,
    shows: 'the ids of the records that are missing, and who put them, where and when',
  },
  spools: { pattern: /^spool-[^/]+$/, shows: 'what this producer has on disk' },
  calls: { pattern: /^audit\.jsonl$/, shows: 'every AWS call of the drill' },
  deploy: { pattern: /^deploy\.log$/, shows: 'all that the CDK said' },
  localstack: { pattern: /^localstack\/localstack\.log$/, shows: 'what LocalStack said' },
} as const;
type FileKind = keyof typeof fileTable;

interface Row {
  readonly lookAt: readonly FileKind[];
  readonly next: Next;
}

type Next = (context: StepContext) => Pick<NextStep, 'nextCommand' | 'why'>;

/**
 * Asks the world while it stands; otherwise runs the same drill in virtual time, or again with a world that
 * is kept.
 */
const ask =
  (question: string, why: string): Next =>
  ({ worldFile, simulate, repeat }) => {
    if (worldFile !== undefined) {
      return { nextCommand: shellLine(['spillway', question, '--world', worldFile]), why };
    }
    if (simulate !== undefined) {
      return {
        nextCommand: simulate,
        why: 'the same outage in virtual time, step by step: if it ends like this there too, look at the scenario and the policy; if not, at this machine',
      };
    }
    return { nextCommand: `${repeat} --keep`, why: `once more, and left standing for spillway ${question}` };
  };

const again =
  (why: string): Next =>
  ({ repeat }) => ({ nextCommand: repeat, why });

/** A command on a file or folder of the run; without one, runs the drill again. */
const on =
  (file: RegExp, words: (path: string, context: StepContext) => readonly string[], why: string): Next =>
  (context) => {
    const { directory, files, repeat } = context;
    const found = files.find((one) => file.test(one));
    if (directory === undefined || found === undefined) return { nextCommand: repeat, why: 'once more' };
    return { nextCommand: shellLine(words(`${directory}/${found}`, context)), why };
  };

const tail = (path: string): readonly string[] => ['tail', '-n', '60', path];
const localStackAlone: Next = () => ({
  nextCommand: 'spillway local',
  why: 'LocalStack alone: sets it up, and shows what is in the way',
});

const { deploy, localstack, calls, spools } = fileTable;
const sameDice = again('once more, with the same dice');
const votes = ask('why', 'from the evidence of each observer to its vote, and the rule that decided');
const journal = ask('history', 'what the conductor and the operator did, newest first');

/** The most serious failure first: of several failures the first row's command is the next step. */
const rows: Readonly<Record<FailureKind | AbortKind, Row>> = {
  'too-slow': {
    lookAt: ['events', 'observers'],
    next: again('once more, when this machine has less to do'),
  },
  'run-folder': { lookAt: [], next: again('once there is room, and it can be written to') },
  install: { lookAt: [], next: localStackAlone },
  'localstack-start': { lookAt: ['localstack'], next: localStackAlone },
  deploy: {
    lookAt: ['deploy', 'localstack'],
    next: on(deploy.pattern, tail, 'the resource that failed, and why'),
  },
  'localstack-died': {
    lookAt: ['localstack', 'events'],
    next: on(
      localstack.pattern,
      tail,
      'its last words; none after SIGKILL: then look for memory that ran out',
    ),
  },
  'producer-died': { lookAt: ['events', 'spools'], next: sameDice },
  unanswered: {
    lookAt: ['localstack', 'events'],
    next: again('once more, when this machine has less to do: LocalStack did not answer in time'),
  },
  'not-at-rest': {
    lookAt: ['observers', 'localstack', 'events'],
    next: again('once more: a machine with other work may have been too slow'),
  },
  'failback-refused': {
    lookAt: ['observers', 'events'],
    next: ({ repeat }) => ({
      nextCommand: `${repeat} --keep`,
      why: 'once more, and left standing for spillway status and why',
    }),
  },
  lost: {
    lookAt: ['lost', 'spools', 'events'],
    next: again('once more, with the same dice: a loss that repeats is a bug worth a report'),
  },
  order: { lookAt: ['events', 'calls'], next: sameDice },
  'nothing-acknowledged': {
    lookAt: ['events', 'localstack'],
    next: again('once more: LocalStack took no record'),
  },
  audit: {
    lookAt: ['calls'],
    next: on(
      calls.pattern,
      (path, { primary }) => ['spillway', 'audit', path, '--primary', primary],
      'each call that may not be made, and by which rule',
    ),
  },
  verdict: { lookAt: ['events', 'observers'], next: votes },
  moves: { lookAt: ['events', 'observers', 'switches'], next: votes },
  diagnosis: { lookAt: ['observers', 'events'], next: votes },
  latch: { lookAt: ['conductor', 'switches', 'events'], next: journal },
  end: { lookAt: ['events', 'conductor'], next: journal },
  failback: { lookAt: ['events', 'conductor', 'observers'], next: journal },
  'operator-failover': { lookAt: ['events', 'conductor'], next: journal },
  'on-disk': {
    lookAt: ['spools', 'events'],
    next: on(spools.pattern, (path) => ['spillway', 'spool', 'inspect', path], 'what has not left the disk'),
  },
  rejected: { lookAt: ['events', 'spools'], next: sameDice },
  arrival: {
    lookAt: ['events', 'observers'],
    next: again('once more, alone: an otherwise busy machine is slower'),
  },
  other: { lookAt: ['events', 'localstack'], next: sameDice },
};

/** Where to look, and what to do next, after a drill that failed by these. Pure. */
export function nextStep(kinds: readonly (FailureKind | AbortKind)[], context: StepContext): NextStep {
  const wanted = Object.entries(rows).flatMap(([kind, row]) =>
    kinds.some((one) => one === kind) ? [row] : [],
  );
  const files = [...new Set(wanted.flatMap(({ lookAt }) => lookAt))];
  const lookAt = files.flatMap((kind) => filesOf(kind, context));
  if (context.disturbed) {
    const why = 'once more, alone: another drill ran beside this one, and its timings cannot be trusted';
    return { lookAt, nextCommand: context.repeat, why };
  }
  return { lookAt, ...(wanted[0]?.next ?? again('once more'))(context) };
}

function filesOf(kind: FileKind, { directory, files }: StepContext): readonly LookAt[] {
  const { pattern, shows } = fileTable[kind];
  if (directory === undefined) return [];
  return files.filter((file) => pattern.test(file)).map((file) => ({ file: `${directory}/${file}`, shows }));
}
