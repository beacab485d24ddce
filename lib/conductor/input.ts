import { z } from 'zod';

/**
 * The input that starts an execution of the conductor, from the standby's observer, an operator or a drill
 * alike.
 *
 * How to start one (CLI, drill):
 *   1. `epoch = await stateTable.claimEpoch({ claim, who, what, atMs, groups })`. The same `claim` gives the
 *      same epoch, however often it is asked for: use `operator:<uuid>`, made once per command.
 *   2. `StartExecution` on `conductorArn(…)` in the standby with
 *      `name = executionName(runName(groups, epoch), 0)` (both from `lambda/core/conductor.ts`) and this input
 *      as JSON. `ExecutionAlreadyExists` is success.
 *   3. Follow it in the state table: `stateTable.history()` entries of this `epoch`, or `DescribeExecution`,
 *      whose output is `RunReport` below.
 * In an emergency the machine is not needed: `stateTable.setSwitch` with a claimed epoch is what its `latch`
 * step does.
 */
const label = z.string().regex(/^[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?$/);

const common = {
  /** From `StateTable.claimEpoch`. A newer one fences this run. */
  epoch: z.number().int().positive(),
  /** Switch groups; absent = all of them. */
  groups: z.array(label).min(1).max(1_000).optional(),
  /** A person, `drill`, or `observer us-west-2`. */
  owner: z.string().min(1).max(200),
  reason: z.string().min(1).max(1_000),
  /** Overrides fitness, or the failback's guards. The journal says so. */
  force: z.boolean().default(false),
};

const evacuateSchema = z.strictObject({
  action: z.literal('evacuate'),
  ...common,
  /**
   * `auto`: asked for by the quorum, and dropped when DNS is no longer in the standby. `asked`: by a person or a drill.
   * `cells`: by a quorum of observers, for the named groups alone.
   */
  trigger: z.enum(['auto', 'asked', 'cells']),
  /**
   * The number under which this evacuation first began, when the evacuation goes on under a new number
   * because a newer act had fenced the first. What newer acts have set since then stays as they set it.
   */
  sinceEpoch: z.number().int().positive().optional(),
});

const failbackSchema = z.strictObject({
  action: z.literal('failback'),
  ...common,
  /** Groups of a stage, as a share of those to move; 100 = all at the same time. */
  percent: z.number().min(1).max(100).default(100),
  /** Between two stages, and after the last one, the primary is watched this long. */
  pauseSeconds: z.number().int().min(10).max(3_600).default(300),
  /** Refuse while records stranded in the primary are not marked as read (`spillway drained`). */
  afterDrain: z.boolean().default(false),
});

export const conductorInputSchema = z.discriminatedUnion('action', [evacuateSchema, failbackSchema]);
/** The input after defaults. */
export type ConductorInput = Readonly<z.output<typeof conductorInputSchema>>;
export type EvacuateInput = Readonly<z.output<typeof evacuateSchema>>;
export type FailbackInput = Readonly<z.output<typeof failbackSchema>>;
/** The input as a caller writes it. */
export type ConductorStart = Readonly<z.input<typeof conductorInputSchema>>;

/**
 * How a run ended; all times are epoch milliseconds. This report is the output of an execution that
 * succeeded, and, as JSON, the cause of an execution that a step has stopped. (Where even the step that
 * reports could not run, the cause is what the run carried so far: the same fields, and more.)
 */
export interface RunReport {
  readonly run: string;
  readonly epoch: number;
  readonly action: ConductorInput['action'];
  /** A name of `runEnds`, or the state of the step that failed (both in `lambda/core/conductor.ts`). */
  readonly state: string;
  readonly startedAtMs: number;
  /** When the last of the groups was read back in its place; absent when that never happened. */
  readonly latchedAtMs?: number;
  readonly latched: number;
  /** When the zone's name servers were first seen to name the right region for all that was moved; absent when never. */
  readonly dnsAtMs?: number;
  readonly findings: readonly string[];
  readonly nextCommand?: string;
}
