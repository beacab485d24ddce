import type { Expectation } from '../../scenario/expectation.ts';
import { shellLine } from '../../shell/shell-words.ts';

/** The ways in which a drill can fail, each judged separately. */
export type FailureKind =
  | Expectation
  | 'nothing-acknowledged'
  | 'lost'
  | 'order'
  | 'unprocessed'
  | 'consumer-order'
  | 'consumer-arrival'
  | 'rejected'
  | 'on-disk'
  | 'latch'
  | 'operator-failover'
  | 'failback'
  | 'flood'
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
  /** Absent when the run has none yet. */
  readonly directory?: string;
  /** Files of the run, as paths relative to its directory; only files that exist. */
  readonly files: readonly string[];
  /** The file that describes the world, if the world is left standing. */
  readonly worldFile?: string;
  /**
   * Command that plays the same scenario in virtual time; absent when the simulator knows no such drill (a
   * blackout, a killed observer).
   */
  readonly simulate?: string;
  /** Command that repeats the same drill. */
  readonly repeat: string;
  /** The primary region, which the audit needs. */
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
  consumers: {
    pattern: /^localstack\/lambda-.*-drill-consumer\.log$/,
    shows: 'what this consumer said, if anything',
  },
  processed: {
    pattern: /^consumers\/processed-.*\.jsonl$/,
    shows: 'what the consumer of this region has processed, in order',
  },
  deploy: { pattern: /^deploy\.log$/, shows: 'everything that the CDK printed' },
  localstack: { pattern: /^localstack\/localstack\.log$/, shows: 'what LocalStack printed' },
} as const;
type FileKind = keyof typeof fileTable;

interface Row {
  readonly lookAt: readonly FileKind[];
  readonly next: Next;
}

type Next = (context: StepContext) => Pick<NextStep, 'nextCommand' | 'why'>;

/**
 * Asks the world while it is standing; otherwise runs the same drill in virtual time, or again with a world
 * that is kept.
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
        why: 'plays the same outage in virtual time, step by step: if it ends in the same way, look at the scenario and the policy; if not, at this machine',
      };
    }
    return {
      nextCommand: `${repeat} --keep`,
      why: `the drill once more, keeping the world for spillway ${question}`,
    };
  };

const again =
  (why: string): Next =>
  ({ repeat }) => ({ nextCommand: repeat, why });

/** A command on a file or folder of the run; without such a file, runs the drill again. */
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
  why: 'sets up LocalStack alone, and shows what is in the way',
});

const { deploy, localstack, calls, spools } = fileTable;
const sameDice = again('the drill once more, with the same random choices');
const votes = ask('why', 'from the evidence of each observer to its vote, and the rule that decided');
const journal = ask('history', 'what the conductor and the operator did, newest first');

/** The most serious failure first: of several failures the first row's command is the next step. */
const rows: Readonly<Record<FailureKind | AbortKind, Row>> = {
  'too-slow': {
    lookAt: ['events', 'observers'],
    next: again('the drill once more, when this machine has less to do'),
  },
  'run-folder': {
    lookAt: [],
    next: again('the drill once more, when the disk has room and the folder can be written'),
  },
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
      'its last lines; there are none after SIGKILL: then check whether memory ran out',
    ),
  },
  'producer-died': { lookAt: ['events', 'spools'], next: sameDice },
  unanswered: {
    lookAt: ['localstack', 'events'],
    next: again('the drill once more, when this machine has less to do: LocalStack did not answer in time'),
  },
  'not-at-rest': {
    lookAt: ['observers', 'localstack', 'events'],
    next: again('the drill once more: a machine with other work may have been too slow'),
  },
  'failback-refused': {
    lookAt: ['observers', 'events'],
    next: ({ repeat }) => ({
      nextCommand: `${repeat} --keep`,
      why: 'the drill once more, keeping the world for spillway status and why',
    }),
  },
  lost: {
    lookAt: ['lost', 'spools', 'events'],
    next: again(
      'the drill once more, with the same random choices: a loss that repeats is a bug worth a report',
    ),
  },
  order: { lookAt: ['events', 'calls'], next: sameDice },
  unprocessed: {
    lookAt: ['processed', 'consumers', 'localstack'],
    next: ask('consumers', 'whether the consumers of both regions are enabled and read the right streams'),
  },
  'consumer-order': { lookAt: ['processed', 'events'], next: sameDice },
  'nothing-acknowledged': {
    lookAt: ['events', 'localstack'],
    next: again('the drill once more: LocalStack took no record'),
  },
  audit: {
    lookAt: ['calls'],
    next: on(
      calls.pattern,
      (path, { primary }) => ['spillway', 'audit', path, '--primary', primary],
      'each call that must not be made, and the rule that forbids it',
    ),
  },
  verdict: { lookAt: ['events', 'observers'], next: votes },
  moves: { lookAt: ['events', 'observers', 'switches'], next: votes },
  diagnosis: { lookAt: ['observers', 'events'], next: votes },
  latch: { lookAt: ['conductor', 'switches', 'events'], next: journal },
  end: { lookAt: ['events', 'conductor'], next: journal },
  failback: { lookAt: ['events', 'conductor', 'observers'], next: journal },
  flood: { lookAt: ['events', 'switches'], next: sameDice },
  'operator-failover': { lookAt: ['events', 'conductor'], next: journal },
  'on-disk': {
    lookAt: ['spools', 'events'],
    next: on(
      spools.pattern,
      (path) => ['spillway', 'spool', 'inspect', path],
      'the records that are still on the disk',
    ),
  },
  rejected: { lookAt: ['events', 'spools'], next: sameDice },
  arrival: {
    lookAt: ['events', 'observers'],
    next: again('the drill once more, alone: an otherwise busy machine is slower'),
  },
  'consumer-arrival': {
    lookAt: ['processed', 'events'],
    next: again('the drill once more, alone: an otherwise busy machine is slower'),
  },
  other: { lookAt: ['events', 'localstack'], next: sameDice },
};

/** Chooses where to look, and what to do next, after a drill that failed in these ways. Pure. */
export function nextStep(kinds: readonly (FailureKind | AbortKind)[], context: StepContext): NextStep {
  const wanted = Object.entries(rows).flatMap(([kind, row]) =>
    kinds.some((one) => one === kind) ? [row] : [],
  );
  const files = [...new Set(wanted.flatMap(({ lookAt }) => lookAt))];
  const lookAt = files.flatMap((kind) => filesOf(kind, context));
  if (context.disturbed) {
    const why =
      'the drill once more, alone: another drill ran beside this one, so its timings cannot be trusted';
    return { lookAt, nextCommand: context.repeat, why };
  }
  return { lookAt, ...(wanted[0]?.next ?? again('once more'))(context) };
}

function filesOf(kind: FileKind, { directory, files }: StepContext): readonly LookAt[] {
  const { pattern, shows } = fileTable[kind];
  if (directory === undefined) return [];
  return files.filter((file) => pattern.test(file)).map((file) => ({ file: `${directory}/${file}`, shows }));
}
