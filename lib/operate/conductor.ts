import {
  DescribeExecutionCommand,
  ExecutionAlreadyExists,
  type SFNClient,
  StartExecutionCommand,
} from '@aws-sdk/client-sfn';
import { z } from 'zod';
import { executionName, runName } from '../../lambda/core/conductor.ts';
import { conductorArn } from '../../lambda/core/names.ts';
import { type ConductorStart, conductorInputSchema } from '../conductor/input.ts';
import type { Config, Regions } from '../config/config.ts';
import { UnansweredError } from './errors.ts';
import { problemOf } from './reading.ts';

const common = {
  run: z.string(),
  startedAtMs: z.number(),
  latchedAtMs: z.number().optional(),
  latched: z.number(),
  dnsAtMs: z.number().optional(),
  findings: z.array(z.string()),
  nextCommand: z.string().optional(),
};

/** The part of a run's report that an operator reads. */
const reportSchema = z.object({ ...common, epoch: z.number(), state: z.string() });
/**
 * The data that the machine carries from step to step: a run that ends without a report leaves these data,
 * which say the same.
 */
const carriedSchema = z
  .object({ ...common, input: z.object({ epoch: z.number() }), state: z.string().optional() })
  .transform(({ input, state, ...rest }) => ({ ...rest, epoch: input.epoch, state: state ?? 'ended' }));
const endSchema = z.union([reportSchema, carriedSchema]);
export type Report = Readonly<z.infer<typeof reportSchema>>;

export interface Started {
  readonly run: string;
  readonly executionArn: string;
  readonly epoch: number;
  /** False: this run had been started already, which is as good. */
  readonly new: boolean;
}

export interface StartOptions {
  readonly client: SFNClient;
  readonly config: Pick<Config, 'name'> & { readonly regions: Pick<Regions, 'standby'> };
  readonly account: string | undefined;
  readonly input: ConductorStart;
}

const START_TIMEOUT_MS = 5_000;

/**
 * Starts the conductor in the standby, by its own name: no listing, no lookup in another region.
 *
 * @throws UnansweredError which says how to go on without Step Functions.
 */
export async function startConductor({ client, config, account, input }: StartOptions): Promise<Started> {
  if (account === undefined) {
    throw new UnansweredError(
      `STS in ${config.regions.standby} does not answer, so the conductor has no name. ${bypass(input)}`,
    );
  }
  const { name, regions } = config;
  const stateMachineArn = conductorArn(name, regions.standby, account);
  const run = runName(input.groups, input.epoch);
  const execution = executionName(run, 0);
  const executionArn = `${stateMachineArn.replace(':stateMachine:', ':execution:')}:${execution}`;
  const command = new StartExecutionCommand({
    stateMachineArn,
    name: execution,
    input: JSON.stringify(conductorInputSchema.parse(input)),
  });
  try {
    await client.send(command, { abortSignal: AbortSignal.timeout(START_TIMEOUT_MS) });
    return { run, executionArn, epoch: input.epoch, new: true };
  } catch (error) {
    if (error instanceof ExecutionAlreadyExists) return { run, executionArn, epoch: input.epoch, new: false };
    throw new UnansweredError(
      `Step Functions in ${regions.standby} did not start the conductor (${problemOf(error)}). ${bypass(input)}`,
      { cause: error },
    );
  }
}

function bypass({ action, groups }: ConductorStart): string {
  if (action === 'failback') return 'Traffic stays in the standby, which is safe: repeat the command later.';
  const scope = groups === undefined ? '--all' : `--cells ${groups.join(',')}`;
  return `Without the conductor: spillway failover ${scope} --direct --reason "…"`;
}

export type RunState =
  | { readonly running: true }
  | { readonly running: false; readonly report: Report }
  | { readonly running: false; readonly failed: string };

/** Reads the state of the run. Throws when Step Functions does not answer: the run goes on all the same. */
export async function runState(client: SFNClient, executionArn: string): Promise<RunState> {
  const { status, output, error, cause } = await client.send(new DescribeExecutionCommand({ executionArn }), {
    abortSignal: AbortSignal.timeout(START_TIMEOUT_MS),
  });
  if (status === 'RUNNING' || status === 'PENDING_REDRIVE') return { running: true };
  // A run that a step has stopped has no output: its report is the cause.
  const report = endSchema.safeParse(parsed(output ?? cause));
  if (report.success) return { running: false, report: report.data };
  return { running: false, failed: [status, error, cause].filter((part) => part !== undefined).join(': ') };
}

function parsed(text: string | undefined): unknown {
  try {
    return text === undefined ? undefined : JSON.parse(text);
  } catch {
    return undefined;
  }
}
