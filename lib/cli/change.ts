import { randomUUID } from 'node:crypto';
import type { PlannedCall } from '../operate/calls.ts';
import type { AwsClients } from '../operate/clients.ts';
import { assertReadable, explained } from '../operate/credentials.ts';
import { dryRun } from '../operate/dry-run.ts';
import { UsageError } from '../operate/errors.ts';
import { caller } from '../operate/owner.ts';
import { type Reading, reading } from '../operate/reading.ts';
import { stateTable } from '../operate/state.ts';
import { clientsFor, resolveTarget, type Target } from '../operate/target.ts';
import { exitCodes } from './exit-codes.ts';
import type { Io } from './io.ts';
import type { ChangeFlags } from './options.ts';
import type { Outcome } from './verb.ts';

/** What an act has in hand. */
export interface Acting {
  readonly target: Target;
  readonly clients: AwsClients;
  readonly owner: string;
  readonly account: string | undefined;
  readonly reason: string;
  readonly nowMs: number;
  /** Identifies this one command, so that a repeated write is the same write. */
  readonly id: string;
  /** True: nothing is sent, and nobody is asked. */
  readonly dry: boolean;
  /** Shows what is about to change and gets consent. @throws UsageError without it. */
  consent(preview: string): Promise<void>;
}

export interface ChangeOptions {
  readonly io: Io;
  readonly verb: string;
  readonly flags: ChangeFlags;
  readonly act: (acting: Acting) => Promise<Outcome>;
}

const CALL_TIMEOUT_MS = 3_000;
/** The conductor takes 1,000, and what was overridden by force is added to it. */
const MAX_REASON = 600;

/** What every verb that changes something does around its act: reason, who, dry run, consent. */
export async function change({ io, verb, flags, act }: ChangeOptions): Promise<Outcome> {
  const reason = flags.reason?.trim() ?? '';
  if (reason === '') throw new UsageError('Say why with --reason "…": it is kept in the journal.');
  if (reason.length > MAX_REASON) throw new UsageError(`--reason is longer than ${MAX_REASON} characters.`);
  const target = await resolveTarget({ directory: io.directory, env: io.env, ...flags });
  const dry = flags.dryRun ? dryRun() : undefined;
  if (dry === undefined && !flags.yes && !io.interactive) throw unattended();
  const clients = clientsFor(target, {
    who: `cli ${verb}`,
    timeoutMs: CALL_TIMEOUT_MS,
    say: io.err,
    ...(dry === undefined ? {} : { divertTo: dry.divertTo }),
  });
  const { standby: region } = target.config.regions;
  try {
    await clients.prepare([region]);
    const { owner, account, identity } = await caller(clients, { region, owner: flags.owner });
    if (dry === undefined) await assertKnown(target, clients, identity);
    const outcome = await act({
      target,
      clients,
      owner,
      account,
      reason,
      nowMs: io.nowMs(),
      id: randomUUID(),
      dry: dry !== undefined,
      consent: (preview) => (dry === undefined ? consent(io, flags, preview) : Promise.resolve()),
    });
    return dry === undefined ? outcome : planned(dry.calls);
  } catch (error) {
    throw await explained(error, { clients, region });
  } finally {
    clients.destroy();
  }
}

/**
 * With credentials that nobody takes, all that follows would fail, or be taken for an outage. STS alone is not believed: in
 * an outage of sign-in it may be the one that is wrong, and the table takes them all the same.
 */
async function assertKnown(target: Target, clients: AwsClients, identity: Reading<unknown>): Promise<void> {
  if (identity.ok || identity.failure?.kind !== 'credentials') return;
  const table = stateTable(target.config, clients, CALL_TIMEOUT_MS);
  const control = await reading(CALL_TIMEOUT_MS, () => table.readControl());
  await assertReadable([identity, control], { clients, region: target.config.regions.standby });
}

const unattended = (): UsageError =>
  new UsageError('Nobody can be asked here (no terminal): repeat with --yes, or see first with --dry-run.');

async function consent(io: Io, { yes }: ChangeFlags, preview: string): Promise<void> {
  io.err(preview);
  if (yes) return;
  if (!io.interactive) throw unattended();
  if (await io.confirm('Do it?')) return;
  throw new UsageError('Not done: no consent was given.');
}

function planned(calls: readonly PlannedCall[]): Outcome {
  const lines = calls.flatMap(({ service, operation, region, parameters }) => [
    `${service} ${operation} in ${region}`,
    ...JSON.stringify(parameters, null, 2)
      .split('\n')
      .map((line) => `  ${line}`),
  ]);
  const title = `Dry run: ${calls.length} calls, none of them made. What would be read first is shown as never set.`;
  return {
    exit: exitCodes.done,
    document: { ok: true, dryRun: true, calls },
    screen: [title, ...lines].join('\n'),
  };
}
