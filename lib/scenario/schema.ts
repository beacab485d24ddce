import { z } from 'zod';
import { diagnosisCodes } from '../../lambda/core/diagnosis.ts';
import { say } from '../config/fields.ts';
import { parseDuration } from './duration.ts';
import { serviceNames } from './services.ts';

// The scenario format. One file drives the drill in real time and the simulator in virtual time. Durations are texts
// like `90s` or `4h52m`; a loaded scenario holds milliseconds.

const MAX_FAULTS = 1_000;

const duration = z
  .string({ error: say('is not a duration', 'Write a duration like 90s, 4h52m or 500ms.') })
  .superRefine((text, context) => {
    try {
      parseDuration(text);
    } catch (error) {
      const reason = error instanceof Error ? error.message : String(error);
      context.addIssue({
        code: 'custom',
        message: say(`is not usable: ${reason}`, 'Write a duration like 90s or 4h52m.'),
      });
    }
  })
  .meta({
    pattern: '^(\\d+d)?(\\d+h)?(\\d+m)?(\\d+s)?(\\d+ms)?$',
    description: 'A duration: 90s, 4h52m, 500ms',
  });

const fraction = z
  .number({ error: say('is not a number', 'Write a fraction from 0 to 1.') })
  .min(0, say('is below 0', 'Write a fraction from 0 to 1.'))
  .max(1, say('is above 1', 'Write a fraction from 0 to 1.'));

const place = z
  .string({ error: say('is not a text', 'Name a role, a region, or "*".') })
  .regex(
    /^(?:\*|primary|standby|witness|[a-z]{2}(?:-[a-z]+)+-\d{1,2})$/,
    say(
      'is neither a role nor a region',
      'Write primary, standby, witness, a region like us-east-1, or "*".',
    ),
  )
  .describe('primary, standby, witness (every witness), a region, or "*"');

const where = z.strictObject({
  region: place.default('*'),
  service: z.enum(serviceNames).optional().describe('Default: every service'),
  operations: z.array(z.string().min(1)).min(1).max(100).optional().describe('Default: every operation'),
});

const effect = z.discriminatedUnion('kind', [
  z.strictObject({
    kind: z.literal('error'),
    status: z.int().min(400).max(599).default(500),
    code: z
      .string()
      .regex(
        /^[A-Za-z][A-Za-z0-9.]{0,100}$/,
        say('is not an error code', 'Write a code like InternalFailure.'),
      )
      .default('InternalFailure'),
    message: z.string().max(1_000).optional(),
  }),
  z.strictObject({ kind: z.literal('throttle') }),
  z.strictObject({ kind: z.literal('timeout') }),
  z.strictObject({ kind: z.literal('reset') }),
  z.strictObject({ kind: z.literal('latency'), ms: z.number().positive().max(3_600_000) }),
  z.strictObject({ kind: z.literal('blackhole') }),
]);

const fault = z.strictObject({
  at: duration,
  for: duration.optional().describe('Default: until the scenario ends'),
  where,
  effect,
  rate: z
    .union([fraction, z.strictObject({ from: fraction, to: fraction })])
    .default(1)
    .describe(
      'Fraction of the calls that the fault hits; with from and to, a ramp over the duration of the fault',
    ),
  seenFrom: z.array(place).min(1).optional().describe('Source regions or roles. Default: everyone'),
});

const expectation = z.strictObject({
  verdict: z.enum(['failover', 'hold']),
  diagnosis: z.enum(diagnosisCodes).optional(),
  within: duration.optional().describe('Longest recovery time, from the first fault'),
});

export const scenarioSchema = z
  .strictObject({
    name: z
      .string()
      .regex(
        /^[a-z0-9][a-z0-9-]{0,62}$/,
        say('is not a name', 'Use lower case letters, digits and hyphens.'),
      ),
    title: z.string().min(1).max(200).optional().describe('Default: the name'),
    source: z.string().min(1).optional().describe('Source of the facts'),
    start: z.iso
      .datetime({ error: say('is not a time', 'Write a time like 2020-11-25T13:15:00Z.') })
      .optional()
      .describe('The time of t = 0'),
    duration,
    faults: z.array(fault).min(1, say('is empty', 'A scenario has at least one fault.')).max(MAX_FAULTS),
    expect: expectation,
  })
  .superRefine((scenario, context) => {
    const endMs = orZero(scenario.duration);
    scenario.faults.forEach((one, index) => {
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

/**
 * Reads a duration as 0 when it is invalid: its own problem is reported already, and must not end the later
 * checks.
 */
function orZero(text: string): number {
  try {
    return parseDuration(text);
  } catch {
    return 0;
  }
}

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
  readonly expect: {
    readonly verdict: 'failover' | 'hold';
    readonly diagnosis?: string;
    /** Longest time from the first fault. */
    readonly withinMs?: number;
  };
}

/** Turns a checked file into the form that the code uses. */
export function toScenario(input: Checked): Scenario {
  const durationMs = parseDuration(input.duration);
  const { verdict, diagnosis, within } = input.expect;
  return {
    name: input.name,
    title: input.title ?? input.name,
    ...(input.source === undefined ? {} : { source: input.source }),
    ...(input.start === undefined ? {} : { startsAt: input.start }),
    durationMs,
    faults: input.faults.map((one) => toFault(one, durationMs)),
    expect: {
      verdict,
      ...(diagnosis === undefined ? {} : { diagnosis }),
      ...(within === undefined ? {} : { withinMs: parseDuration(within) }),
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
