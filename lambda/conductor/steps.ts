import { z } from 'zod';
import { ConductorInputError } from '../../lib/conductor/errors.ts';
import type { StepName } from '../core/conductor.ts';
import type { Conductor, Step } from './conductor.ts';
import { consumers } from './consumers.ts';
import { fail, finish, notify, superseded, unfinished } from './end.ts';
import { confirm, fitness, latchBatch, lease, refresh } from './evacuate.ts';
import { failbackGuards, release, takeBack, watch } from './fail-back.ts';
import { newRun, type RunState, readRunState } from './run-state.ts';
import { arrivals, dns } from './verify.ts';

const steps: Readonly<Record<Exclude<StepName, 'lease' | 'latch'>, Step>> = {
  refresh,
  fitness,
  confirm,
  dns,
  arrivals,
  consumers,
  notify,
  finish,
  'failback-guards': failbackGuards,
  release,
  watch,
  'take-back': takeBack,
};

const eventSchema = z.discriminatedUnion('step', [
  z.object({ step: z.literal('lease'), input: z.unknown(), startedAt: z.iso.datetime({ offset: true }) }),
  z.object({
    step: z.literal('latch'),
    state: z.unknown(),
    batch: z.object({ from: z.number().int().nonnegative(), to: z.number().int().positive() }),
  }),
  z.object({ step: z.literal('fail'), state: z.unknown() }),
  z.object({ step: z.literal('superseded'), state: z.unknown() }),
  z.object({ step: z.literal('unfinished'), state: z.unknown() }),
  z.object({ step: z.enum(Object.keys(steps) as (keyof typeof steps)[]), state: z.unknown() }),
]);

/** Runs the step that the event names. A batch of the latch returns nothing: hundreds of them would not fit a state. */
export async function runStep(event: unknown, conductor: Conductor): Promise<RunState | undefined> {
  const parsed = eventSchema.safeParse(event);
  if (!parsed.success) throw new ConductorInputError(`Not a step: ${z.prettifyError(parsed.error)}`);
  const { data } = parsed;
  switch (data.step) {
    case 'lease':
      return lease(newRun(data.input, Date.parse(data.startedAt)), conductor);
    case 'latch':
      await latchBatch(readRunState(data.state), data.batch, conductor);
      return undefined;
    case 'fail':
      return fail(data.state, conductor);
    case 'superseded':
      return superseded(data.state, conductor);
    case 'unfinished':
      return unfinished(data.state);
    default:
      return steps[data.step](readRunState(data.state), conductor);
  }
}
