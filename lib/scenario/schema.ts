import { z } from 'zod';
import { diagnosisCodes } from '../../lambda/core/diagnosis.ts';
import { quote } from '../config/errors.ts';
import { object, say } from '../config/fields.ts';
import { nearest } from '../config/nearest.ts';
import { operationNames } from './aws-names.ts';
import { parseDuration } from './duration.ts';
import { cellName, duration, fraction, MAX_CELLS_NAMED, orZero, place, sourcePlace } from './fields.ts';
import { type PolicyOverride, policyOverride } from './policy.ts';
import { isServiceName, type ServiceName, serviceNames } from './services.ts';
import { type Lie, lie, lieProblems, type Producers, producers, toLie, toProducers } from './sources.ts';

// The scenario format. One file drives the drill in real time and the simulator in virtual time. Durations are texts
// like `90s` or `4h52m`; a loaded scenario holds milliseconds.

const MAX_FAULTS = 1_000;
const MAX_LIES = 100;
const where = object({
  region: place.default('*'),
  service: z
    .string()
    .superRefine((name, context) => {
      if (isServiceName(name)) return;
      const message = say('is no service that a fault can name', meant(name, serviceNames));
      context.addIssue({ code: 'custom', message });
    })
    .transform((name) => name as ServiceName)
    .meta({ enum: serviceNames })
    .optional()
    .describe('Default: every service'),
  operations: z
    .array(z.string().min(1))
    .min(1)
    .max(100)
    .optional()
    .describe('Names as in the API reference of the service. Default: every operation'),
  streams: z
    .array(cellName)
    .min(1)
    .max(MAX_CELLS_NAMED)
    .optional()
    .describe('Names of cells, or `canary`: calls to other streams are not hit. Default: every stream'),
}).superRefine(({ service, operations = [], streams }, context) => {
  if (streams !== undefined && service !== undefined && service !== 'kinesis') {
    const message = say(`is for kinesis, and the fault is of ${service}`, 'Leave streams out.');
    context.addIssue({ code: 'custom', path: ['streams'], message });
  }
  // A service that does not exist has a complaint of its own.
  if (service !== undefined && !isServiceName(service)) return;
  const known = service === undefined ? Object.values(operationNames).flat() : operationNames[service];
  for (const [index, name] of operations.entries()) {
    if (known.includes(name)) continue;
    const problem = `is no operation of ${service ?? 'any service that a fault can name'}`;
    context.addIssue({
      code: 'custom',
      path: ['operations', index],
      message: say(problem, meant(name, known)),
    });
  }
});

/** What to write instead of a name that does not exist. */
function meant(name: string, known: readonly string[]): string {
  const near = nearest(name, known);
  if (near !== undefined) return `Did you mean ${near}?`;
  if (known.length === 0)
    return 'Leave operations out: a request of this service does not name its operation.';
  return known.length > 60 ? 'Look it up in the API reference.' : `Write one of ${known.join(', ')}.`;
}

const errorCode = z
  .string()
  .regex(/^[A-Za-z][A-Za-z0-9.]{0,100}$/, say('is not an error code', 'Write a code like InternalFailure.'))
  .default('InternalFailure');

/** A word out of a list. A wrong one is told with the word that was probably meant. */
const wordOf = <const Words extends readonly string[]>(words: Words, what: string) =>
  z.enum(words, { error: ({ input }) => wrongWord(input, { words, what }) });

function wrongWord(
  input: unknown,
  { words, what }: { readonly words: readonly string[]; readonly what: string },
): string {
  if (input === undefined) return say('is missing', `Write one of ${words.join(', ')}.`);
  return say(`${quote(input)} is no ${what}`, meant(typeof input === 'string' ? input : '', words));
}

const effectKinds = [
  'error',
  'throttle',
  'timeout',
  'reset',
  'latency',
  'blackhole',
  'partial',
  'dns',
] as const;
const wrongEffect = { words: effectKinds, what: 'effect' };
/** The library names the key in the issue, and hands over the whole effect. */
const kindIn = (input: unknown): unknown =>
  typeof input === 'object' && input !== null && 'kind' in input ? input.kind : undefined;

const effect = z.discriminatedUnion(
  'kind',
  [
    object({
      kind: z.literal('error'),
      status: z.int().min(400).max(599).default(500),
      code: errorCode,
      message: z.string().max(1_000).optional(),
    }),
    object({ kind: z.literal('throttle') }),
    object({ kind: z.literal('timeout') }),
    object({ kind: z.literal('reset') }),
    object({ kind: z.literal('latency'), ms: z.number().positive().max(3_600_000) }),
    object({ kind: z.literal('blackhole') }),
    object({
      kind: z.literal('partial'),
      code: errorCode,
      rate: fraction.default(1).describe('Fraction of the entries of a call that fail'),
    }).describe('PutRecords answers with status 200, and with entries that failed. Other calls are not hit'),
    object({ kind: z.literal('dns') }).describe('The name of the region does not resolve'),
  ],
  {
    error: ({ code, input }) =>
      code === 'invalid_union' ? wrongWord(kindIn(input), wrongEffect) : undefined,
  },
);

const fault = object({
  at: duration,
  for: duration.optional().describe('Default: until the scenario ends'),
  where,
  effect,
  rate: z
    .union([fraction, object({ from: fraction, to: fraction })])
    .default(1)
    .describe(
      'Fraction of the calls that the fault hits; with from and to, a ramp over the duration of the fault',
    ),
  seenFrom: z
    .array(sourcePlace)
    .min(1)
    .optional()
    .describe('Source regions or roles, or `producers`, wherever they run. Default: everyone'),
});

const expectation = object({
  verdict: wordOf(['failover', 'hold'], 'verdict'),
  diagnosis: wordOf(diagnosisCodes, 'diagnosis').optional(),
  cells: z
    .array(cellName)
    .min(1)
    .max(MAX_CELLS_NAMED)
    .optional()
    .describe('Names of the cells that move; the others stay. Default: all of them'),
  within: duration.optional().describe('Longest recovery time, from the first fault, or from `after`'),
  after: duration
    .optional()
    .describe(
      'The moment from which `within` counts, and before which nothing may move. Default: the first fault',
    ),
}).describe(
  'What is to come of it. Where the verdict is hold, nothing moves, and the keys about a move have no effect',
);

export const scenarioSchema = object({
  name: z
    .string()
    .regex(/^[a-z0-9][a-z0-9-]{0,62}$/, say('is not a name', 'Use lower case letters, digits and hyphens.')),
  title: z.string().min(1).max(200).optional().describe('Default: the name'),
  source: z.string().min(1).optional().describe('Source of the facts'),
  start: z.iso
    .datetime({ error: say('is not a time', 'Write a time like 2020-11-25T13:15:00Z.') })
    .optional()
    .describe('The time of t = 0'),
  duration,
  faults: z.array(fault).max(MAX_FAULTS).default([]),
  producers: producers.optional(),
  lies: z
    .array(lie)
    .min(1)
    .max(MAX_LIES)
    .optional()
    .describe('What producers report though they see something else'),
  policy: policyOverride.optional(),
  expect: expectation,
}).superRefine((scenario, context) => {
  const endMs = orZero(scenario.duration);
  if (scenario.faults.length + (scenario.lies?.length ?? 0) === 0) {
    const message = say('is empty', 'A scenario has at least one fault, or one lie.');
    context.addIssue({ code: 'custom', path: ['faults'], message });
  }
  for (const { path, message } of lieProblems(scenario)) context.addIssue({ code: 'custom', path, message });
  if (scenario.expect.after !== undefined && endMs > 0 && orZero(scenario.expect.after) >= endMs) {
    const message = say(`is when the scenario has ended (${scenario.duration})`, 'Name an earlier moment.');
    context.addIssue({ code: 'custom', path: ['expect', 'after'], message });
  }
  scenario.faults.forEach((one, index) => {
    if (one.effect.kind === 'partial' && !canBePartial(one.where)) {
      const message = say(
        'hits PutRecords of kinesis alone, which this fault leaves out',
        'Name PutRecords, or leave service and operations out.',
      );
      context.addIssue({ code: 'custom', path: ['faults', index, 'effect'], message });
    }
    for (const key of ['streams', 'operations'] as const) {
      if (one.effect.kind !== 'dns' || one.where[key] === undefined) continue;
      const message = say(
        `cannot be chosen: a name fails for every ${key === 'streams' ? 'stream' : 'operation'} of its service`,
        `Leave ${key} out, or write another effect.`,
      );
      context.addIssue({ code: 'custom', path: ['faults', index, 'where', key], message });
    }
    if (endMs > 0 && orZero(one.at) >= endMs) {
      const message = say(
        `begins when the scenario has ended (${scenario.duration})`,
        'Let the fault begin earlier.',
      );
      context.addIssue({ code: 'custom', path: ['faults', index, 'at'], message });
    }
    if (one.for !== undefined && orZero(one.for) === 0) {
      const message = say('is zero', 'Give the fault a duration, or leave the fault out.');
      context.addIssue({ code: 'custom', path: ['faults', index, 'for'], message });
    }
  });
});

const canBePartial = ({
  service = 'kinesis',
  operations = ['PutRecords'],
}: {
  readonly service?: string | undefined;
  readonly operations?: readonly string[] | undefined;
}): boolean => service === 'kinesis' && operations.includes('PutRecords');

export type ScenarioInput = z.input<typeof scenarioSchema>;
type Checked = z.output<typeof scenarioSchema>;

export type Effect = Checked['faults'][number]['effect'];
export type EffectKind = Effect['kind'];
export type Rate = Checked['faults'][number]['rate'];

export interface Fault {
  readonly atMs: number;
  /** End of the fault, not later than the scenario's end. */
  readonly untilMs: number;
  readonly where: Readonly<Checked['faults'][number]['where']>;
  readonly effect: Effect;
  readonly rate: Rate;
  readonly seenFrom?: readonly string[];
}

export interface Scenario {
  readonly name: string;
  readonly title: string;
  readonly source?: string;
  /** The time of t = 0 in ISO 8601, for a scenario that happened. */
  readonly startsAt?: string;
  readonly durationMs: number;
  readonly faults: readonly Fault[];
  /** The fleets of producers; absent: the config's own in-band probes, and no beacons. */
  readonly producers?: Producers;
  readonly lies?: readonly Lie[];
  /** Settings that take the place of those of the config. */
  readonly policy?: PolicyOverride;
  readonly expect: {
    readonly verdict: 'failover' | 'hold';
    readonly diagnosis?: string;
    /** Cells that move. Absent: all of them. */
    readonly cells?: readonly string[];
    /** From the first fault, or from `afterMs`. */
    readonly withinMs?: number;
    /** From t = 0. */
    readonly afterMs?: number;
  };
}

/** Turns a checked file into the form that the code uses. */
export function toScenario(input: Checked): Scenario {
  const durationMs = parseDuration(input.duration);
  const { verdict, diagnosis, cells, within, after } = input.expect;
  return {
    name: input.name,
    title: input.title ?? input.name,
    ...(input.source === undefined ? {} : { source: input.source }),
    ...(input.start === undefined ? {} : { startsAt: input.start }),
    durationMs,
    faults: input.faults.map((one) => toFault(one, durationMs)),
    ...(input.producers === undefined ? {} : { producers: toProducers(input.producers) }),
    ...(input.lies === undefined ? {} : { lies: input.lies.map((one) => toLie(one, durationMs)) }),
    ...(input.policy === undefined ? {} : { policy: input.policy as PolicyOverride }),
    expect: {
      verdict,
      ...(diagnosis === undefined ? {} : { diagnosis }),
      ...(cells === undefined ? {} : { cells }),
      ...(within === undefined ? {} : { withinMs: parseDuration(within) }),
      ...(after === undefined ? {} : { afterMs: parseDuration(after) }),
    },
  };
}

function toFault(input: Checked['faults'][number], durationMs: number): Fault {
  const atMs = parseDuration(input.at);
  const endMs = input.for === undefined ? durationMs : atMs + parseDuration(input.for);
  return {
    atMs,
    untilMs: Math.min(endMs, durationMs),
    where: input.where,
    effect: input.effect,
    rate: input.rate,
    ...(input.seenFrom === undefined ? {} : { seenFrom: input.seenFrom }),
  };
}
