import { randomUUID } from 'node:crypto';
import type { Config } from '../config/config.ts';
import type { AwsClients } from '../operate/clients.ts';
import { assertReadable, explained } from '../operate/credentials.ts';
import { dryRun } from '../operate/dry-run.ts';
import { UsageError } from '../operate/errors.ts';
import { caller } from '../operate/owner.ts';
import { type Reading, reading } from '../operate/reading.ts';
import { stateTable } from '../operate/state.ts';
import { clientsFor, resolveTarget, type Target } from '../operate/target.ts';
import { type Check, checkOutcome } from './check.ts';
import type { Io } from './io.ts';
import type { ChangeFlags } from './options.ts';
import { planOutcome } from './plan.ts';
import type { Outcome } from './verb.ts';
import { wrapped } from './wrap.ts';

/** What an act is given by the verb around it. */
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
  /** Checks that the options fit the config. @throws UsageError before any question is asked */
  readonly fits?: (config: Config) => unknown;
  readonly act: (acting: Acting) => Promise<Outcome>;
}

/** Options of a verb that guards may refuse. */
export interface GuardedOptions extends Omit<ChangeOptions, 'act'> {
  /** Asks the guards, by reads alone; a dry run makes these reads too. */
  readonly check: (asking: Asking) => Promise<Check>;
  readonly act: (acting: Acting & { readonly check: Check }) => Promise<Outcome>;
}

/** What a question to the guards needs. */
export interface Asking {
  readonly target: Target;
  readonly clients: AwsClients;
  readonly nowMs: () => number;
}

const CALL_TIMEOUT_MS = 3_000;
/**
 * The conductor takes 1,000 characters, and the guards that were overridden by force are added to the reason.
 */
const MAX_REASON = 600;

/** What every verb that changes something does around its act: reason, who, dry run, consent. */
export const change = ({ act, ...around }: ChangeOptions): Promise<Outcome> =>
  surrounded(around, async (acting) => ({ outcome: await act(acting) }));

/** Does the same for a verb that guards may refuse. */
export const changeGuarded = ({ check: ask, act, ...around }: GuardedOptions): Promise<Outcome> =>
  surrounded(around, async (acting, asking) => {
    const check = await ask(asking);
    return { outcome: await act({ ...acting, check }), check };
  });

async function surrounded(
  { io, verb, flags, fits }: Omit<ChangeOptions, 'act'>,
  act: (acting: Acting, asking: Asking) => Promise<{ readonly outcome: Outcome; readonly check?: Check }>,
): Promise<Outcome> {
  const reason = flags.reason?.trim() ?? '';
  if (reason === '') throw new UsageError('Say why with --reason "…": it is kept in the journal.');
  if (reason.length > MAX_REASON) throw new UsageError(`--reason is longer than ${MAX_REASON} characters.`);
  const target = await resolveTarget({ directory: io.directory, env: io.env, ...flags });
  const dry = flags.dryRun ? dryRun() : undefined;
  if (dry === undefined && !flags.yes && !io.interactive) throw unattended();
  fits?.(target.config);
  const settings = { who: `cli ${verb}`, timeoutMs: CALL_TIMEOUT_MS, say: io.err };
  const clients = clientsFor(target, {
    ...settings,
    ...(dry === undefined ? {} : { divertTo: dry.divertTo }),
  });
  const readers = dry === undefined ? clients : clientsFor(target, { ...settings, onCall: dry.onCall });
  const { standby: region } = target.config.regions;
  let shown: string | undefined;
  try {
    await readers.prepare([region]);
    const { owner, account, identity } = await caller(clients, { region, owner: flags.owner });
    if (dry === undefined) await assertKnown(target, clients, identity);
    const acting: Acting = {
      target,
      clients,
      owner,
      account,
      reason,
      nowMs: io.nowMs(),
      id: randomUUID(),
      dry: dry !== undefined,
      consent: async (preview) => {
        shown = preview;
        if (dry === undefined) await consent(io, flags, preview);
      },
    };
    const { outcome, check } = await act(acting, { target, clients: readers, nowMs: io.nowMs });
    if (dry === undefined) return outcome;
    const { verbose = false } = flags;
    return planOutcome({ calls: dry.calls, check, preview: shown, verbose });
  } catch (error) {
    throw await explained(error, { clients: readers, region });
  } finally {
    clients.destroy();
    readers.destroy();
  }
}

/** `--check`: asks the guards and nothing else, so that no reason and no consent is needed. */
export async function ask({ io, verb, flags, fits, check }: Omit<GuardedOptions, 'act'>): Promise<Outcome> {
  const target = await resolveTarget({ directory: io.directory, env: io.env, ...flags });
  fits?.(target.config);
  const clients = clientsFor(target, { who: `cli ${verb}`, timeoutMs: CALL_TIMEOUT_MS, say: io.err });
  const { standby: region } = target.config.regions;
  try {
    await clients.prepare([region]);
    return checkOutcome(await check({ target, clients, nowMs: io.nowMs }));
  } catch (error) {
    throw await explained(error, { clients, region });
  } finally {
    clients.destroy();
  }
}

/**
 * With credentials that AWS rejects, every later call would fail, or look like an outage. STS alone is not
 * believed: in an outage of sign-in STS may be the one that is wrong, while the table still accepts the
 * credentials.
 */
async function assertKnown(target: Target, clients: AwsClients, identity: Reading<unknown>): Promise<void> {
  if (identity.ok || identity.failure?.kind !== 'credentials') return;
  const table = stateTable(target.config, clients, CALL_TIMEOUT_MS);
  const control = await reading(CALL_TIMEOUT_MS, () => table.readControl());
  await assertReadable([identity, control], { clients, region: target.config.regions.standby });
}

/** The error of a command that would have to ask, where nobody can answer. */
export const unattended = (): UsageError =>
  new UsageError(
    'There is no terminal on which to ask for consent: repeat with --yes, or look first with --dry-run.',
  );

/** Shows what is about to change and gets consent. @throws UsageError without it */
export async function consent(io: Io, { yes }: Pick<ChangeFlags, 'yes'>, preview: string): Promise<void> {
  io.err(wrapped(preview, io.columns));
  if (yes) return;
  if (!io.interactive) throw unattended();
  if (await io.confirm('Do it?')) return;
  throw new UsageError('Not done: no consent was given.');
}
