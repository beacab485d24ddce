import { z } from 'zod';
import { type ProbeMode, probeModes } from '../../lambda/core/watched-cells.ts';
import { object, oneOf, say } from '../config/fields.ts';
import { parseDuration } from './duration.ts';
import { cellName, duration, fraction, MAX_CELLS_NAMED, orZero } from './fields.ts';

// Producers as sources: what a fleet of them reports about its cell, and who among them does not say what it sees.

const MAX_INSTANCES = 10_000;
const DEFAULT_INSTANCES = 40;

const instancesError = say(
  `must be a whole number of instances from 1 to ${MAX_INSTANCES}`,
  'Write a number in that range.',
);
const fleetShape = {
  instances: z
    .int({ error: instancesError })
    .min(1, { error: instancesError })
    .max(MAX_INSTANCES, { error: instancesError })
    .optional()
    .describe(`Processes that put to a cell, in the primary; each is a source. Default ${DEFAULT_INSTANCES}`),
  beacons: z
    .boolean({ error: say('is not true or false', 'Write true or false.') })
    .optional()
    .describe('Whether they report what they see. Default true'),
  probe: oneOf(probeModes)
    .optional()
    .describe('When observers put marked records into the stream of the cell. Default onSuspicion'),
};

export const producers = object({
  ...fleetShape,
  cells: z
    .record(cellName, object(fleetShape))
    .refine((cells) => Object.keys(cells).length <= MAX_CELLS_NAMED, {
      message: say('has too many cells', `Name at most ${MAX_CELLS_NAMED}.`),
    })
    .optional()
    .describe('What differs for one cell, by its name'),
}).describe('The fleet of each cell');

export const lie = object({
  at: duration,
  for: duration.optional().describe('Default: until the scenario ends'),
  cells: z.array(cellName).min(1).max(MAX_CELLS_NAMED).optional().describe('Default: every cell'),
  share: fraction.describe('Fraction of the sources of each cell, like 0.3 or 30%'),
  say: oneOf(['failing', 'healthy']).describe('What these sources report, whatever they see'),
});

/** The producers of one cell. */
export interface Fleet {
  readonly instances: number;
  readonly beacons: boolean;
  readonly probe: ProbeMode;
}

export interface Producers extends Fleet {
  /** Cells whose fleet is another. */
  readonly cells: Readonly<Record<string, Fleet>>;
}

export interface Lie {
  readonly atMs: number;
  readonly untilMs: number;
  /** Absent: those of every cell. */
  readonly cells?: readonly string[];
  readonly share: number;
  readonly says: 'failing' | 'healthy';
}

export const defaultFleet: Fleet = { instances: DEFAULT_INSTANCES, beacons: true, probe: 'onSuspicion' };

export const fleetOf = (all: Producers, cell: string): Fleet =>
  Object.hasOwn(all.cells, cell) ? (all.cells[cell] ?? all) : all;

export function toProducers({ cells = {}, ...common }: z.output<typeof producers>): Producers {
  const all = filledIn(common, defaultFleet);
  const own = Object.entries(cells).map(([cell, given]) => [cell, filledIn(given, all)] as const);
  return { ...all, cells: Object.fromEntries(own) };
}

type Given = { readonly [Key in keyof Fleet]?: Fleet[Key] | undefined };

const filledIn = (given: Given, { instances, beacons, probe }: Fleet): Fleet => ({
  instances: given.instances ?? instances,
  beacons: given.beacons ?? beacons,
  probe: given.probe ?? probe,
});

export function toLie(input: z.output<typeof lie>, durationMs: number): Lie {
  const atMs = parseDuration(input.at);
  const endMs = input.for === undefined ? durationMs : atMs + parseDuration(input.for);
  return {
    atMs,
    untilMs: Math.min(endMs, durationMs),
    ...(input.cells === undefined ? {} : { cells: input.cells }),
    share: input.share,
    says: input.say,
  };
}

interface LieProblem {
  readonly path: (string | number)[];
  readonly message: string;
}

/** What a schema of one lie cannot say. */
export function* lieProblems(scenario: {
  readonly duration: string;
  readonly producers?: z.output<typeof producers> | undefined;
  readonly lies?: readonly z.output<typeof lie>[] | undefined;
}): Generator<LieProblem> {
  const { duration: length, producers: given, lies = [] } = scenario;
  const endMs = orZero(length);
  const all = given === undefined ? undefined : toProducers(given);
  const reporting = all !== undefined && [all, ...Object.values(all.cells)].some(({ beacons }) => beacons);
  if (lies.length > 0 && !reporting) {
    const message = say('need producers that report', 'Write producers: { beacons: true }.');
    yield { path: ['lies'], message };
  }
  for (const [index, one] of lies.entries()) {
    for (const cell of one.cells ?? []) {
      // Without anybody who reports, the problem of all lies says so.
      if (!reporting || fleetOf(all, cell).beacons) continue;
      const message = say(
        `names ${cell}, whose producers do not report`,
        `Let them: producers: { cells: { ${cell}: { beacons: true } } }.`,
      );
      yield { path: ['lies', index, 'cells'], message };
    }
    if (endMs > 0 && orZero(one.at) >= endMs) {
      const message = say(`begins when the scenario has ended (${length})`, 'Let the lie begin earlier.');
      yield { path: ['lies', index, 'at'], message };
    }
    if (one.for !== undefined && orZero(one.for) === 0)
      yield { path: ['lies', index, 'for'], message: say('is zero', 'Give the lie a duration.') };
  }
}
