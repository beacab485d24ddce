import { z } from 'zod';
import { stageCount } from '../../lambda/core/failback.ts';
import type { JournalEntry } from '../../lambda/core/journal.ts';
import type { ConductorStart } from '../conductor/input.ts';
import type { Regions } from '../config/config.ts';

/** How far a run has come, in sentences for people. */
export interface StageView {
  /** The stages that are over, oldest first. The list only grows. */
  readonly done: readonly string[];
  readonly doing: string;
}

export interface StagedRun {
  readonly input: ConductorStart;
  readonly regions: Pick<Regions, 'primary' | 'standby'>;
  /** Formats the time at which a watch ends, for people. */
  readonly timeOf: (ms: number) => string;
}

/** The entries that a run's own steps have left, oldest first. The journal is newest first. */
export const entriesOf = (journal: readonly JournalEntry[], epoch: number): readonly JournalEntry[] =>
  journal.filter((entry) => entry.epoch === epoch && entry.who.startsWith('conductor for ')).toReversed();

/** Pure: turns the journal of a run into sentences. */
export function stagesOfRun(entries: readonly JournalEntry[], run: StagedRun): StageView {
  const sinceMs = entries[0]?.atMs ?? 0;
  const after = ({ atMs }: JournalEntry): string => `(${((atMs - sinceMs) / 1_000).toFixed(0)} s)`;
  return run.input.action === 'evacuate'
    ? evacuationView(entries, run, after)
    : failbackView(entries, { ...run, input: run.input }, after);
}

const many = (count: number, one: string, more = `${one}s`): string => `${count} ${count === 1 ? one : more}`;

/** The numbers of a journal entry; a missing number is 0. */
const counts = (after: unknown): Readonly<Record<string, number>> => {
  const parsed = z.record(z.string(), z.unknown()).safeParse(after);
  const numbers = Object.entries(parsed.success ? parsed.data : {}).filter(
    (pair): pair is [string, number] => typeof pair[1] === 'number',
  );
  return Object.fromEntries(numbers);
};

interface EvacuationStage {
  readonly name: string;
  /** The journal's name for the end of the stage. */
  readonly what: string;
  readonly doing: (standby: string) => string;
  readonly done: (numbers: Readonly<Record<string, number>>, standby: string) => string;
  /** What is shown where the run has gone on without this stage. */
  readonly missed?: string;
}

const evacuationStages: readonly EvacuationStage[] = [
  {
    name: 'checks',
    what: 'fitness',
    doing: (standby) => `checking that the move is still wanted, and that ${standby} works`,
    done: (_numbers, standby) => `the move to ${standby} is wanted`,
  },
  {
    name: 'latch',
    what: 'latch',
    doing: () => 'setting the switches, and reading them back',
    done: ({ standby = 0, groups = 0 }) => `${standby} of ${many(groups, 'switch', 'switches')} in STANDBY`,
  },
  {
    name: 'DNS',
    what: 'dns',
    doing: (standby) => `waiting until the zone's name servers answer with ${standby}; usually 20 to 30 s`,
    done: ({ standby: cells = 0 }, standby) => `${standby} is the answer for ${many(cells, 'cell')}`,
    missed: 'has not followed',
  },
  {
    name: 'arrivals',
    what: 'arrivals',
    doing: (standby) => `looking for records that arrive in ${standby}`,
    done: ({ seen = 0, silent = 0 }) =>
      `records arrive in ${many(seen, 'stream')}${silent === 0 ? '' : `; nothing yet in ${silent}`}`,
    missed: 'could not be seen',
  },
  {
    name: 'consumers',
    what: 'consumers',
    doing: (standby) => `looking which consumers take that up in ${standby}; a minute at most`,
    done: ({ seen = 0, unseen = 0, unknown = 0 }) =>
      [
        `${many(seen, 'consumer')} took up`,
        ...(unseen === 0 ? [] : [`nothing seen of ${unseen}`]),
        ...(unknown === 0 ? [] : [`${unknown} not known`]),
      ].join('; '),
    missed: 'could not be seen',
  },
  {
    name: 'message',
    what: 'notify',
    doing: () => 'notifying the topic',
    done: () => 'the topic is notified',
  },
];

function evacuationView(
  entries: readonly JournalEntry[],
  { regions }: StagedRun,
  after: (entry: JournalEntry) => string,
): StageView {
  const total = evacuationStages.length;
  const found = evacuationStages.map(({ what }) => entries.find((entry) => entry.what === what));
  const last = found.findLastIndex((entry) => entry !== undefined);
  const titled = (at: number, name: string): string => `stage ${at + 1} of ${total}, ${name}`;
  const done = evacuationStages.slice(0, last + 1).flatMap((stage, at) => {
    const entry = found[at];
    const title = titled(at, stage.name);
    if (entry === undefined) return stage.missed === undefined ? [] : [`${title}: ${stage.missed}`];
    return [`${title}: ${stage.done(counts(entry.after), regions.standby)} ${after(entry)}`];
  });
  const next = evacuationStages[last + 1];
  const doing =
    next === undefined
      ? 'writing the last journal entry'
      : `${titled(last + 1, next.name)}: ${next.doing(regions.standby)}`;
  return { done, doing };
}

type FailbackStart = Extract<ConductorStart, { readonly action: 'failback' }>;

function failbackView(
  entries: readonly JournalEntry[],
  { input, regions, timeOf }: StagedRun & { readonly input: FailbackStart },
  after: (entry: JournalEntry) => string,
): StageView {
  const { primary, standby } = regions;
  const { percent = 100, pauseSeconds = 300 } = input;
  const done: string[] = [];
  let doing = 'checks: asking the guards';
  let title = 'stage 1';
  let watchUntilMs = 0;
  for (const entry of entries) {
    const numbers = counts(entry.after);
    switch (entry.what) {
      case 'guards':
        done.push(`checks: ${guardsSaid(entry.after)} ${after(entry)}`);
        doing = 'stage 1, release: setting switches back';
        break;
      case 'release': {
        const { stage = 0, released = 0, of = 0 } = numbers;
        title = `stage ${stage + 1} of ${stageCount({ total: of, percent })}`;
        watchUntilMs = entry.atMs + pauseSeconds * 1_000;
        done.push(`${title}, release: ${released} of ${many(of, 'switch', 'switches')} back ${after(entry)}`);
        doing = `${title}, DNS: waiting until the zone's name servers answer with ${primary}`;
        break;
      }
      case 'dns':
        done.push(
          `${title}, DNS: ${primary} is the answer for ${many(numbers.primary ?? 0, 'cell')} ${after(entry)}`,
        );
        doing = `${title}, watch: whether ${primary} stays healthy, until ${timeOf(watchUntilMs)}`;
        break;
      case 'take back':
        done.push(
          `taken back: ${many(numbers.returned ?? 0, 'switch', 'switches')} in ${standby} again ${after(entry)}`,
        );
        doing = 'notifying the topic';
        break;
      case 'notify':
        doing = 'writing the last journal entry';
        break;
      default:
        break;
    }
  }
  return { done, doing };
}

const guardsSchema = z.object({ refusals: z.array(z.string()) });

function guardsSaid(after: unknown): string {
  const parsed = guardsSchema.safeParse(after);
  const refusals = parsed.success ? parsed.data.refusals : [];
  return refusals.length === 0 ? 'no guard refuses' : `--force overrules ${refusals.join('; ')}`;
}
