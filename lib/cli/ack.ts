import { Command } from 'commander';
import { journaled } from '../operate/apply-control.ts';
import { UnansweredError } from '../operate/errors.ts';
import { stateTable } from '../operate/state.ts';
import { exitCodes } from '../shell/exit-codes.ts';
import { change } from './change.ts';
import type { Io } from './io.ts';
import { type ChangeFlags, withChange } from './options.ts';
import { perform } from './verb.ts';

const TABLE_TIMEOUT_MS = 3_000;

/**
 * `spillway ack`: records that somebody is looking at the incident. Changes nothing but the journal, which
 * `status` shows.
 */
export function ackCommand(io: Io): Command {
  return withChange(
    new Command('ack').description(
      'Record that you have seen the incident and are working on it; `status` shows this.',
    ),
  )
    .addHelpText('after', '\nExample:\n  spillway ack --reason "looking; bridge is #inc-4711" --yes')
    .action((flags: ChangeFlags) =>
      perform(io, flags, () =>
        change({
          io,
          verb: 'ack',
          flags,
          act: async ({ target, clients, owner, reason, nowMs, id, consent }) => {
            const table = stateTable(target.config, clients, TABLE_TIMEOUT_MS);
            const lease = await table.readLease();
            const epoch = lease === undefined ? {} : { epoch: lease.epoch };
            await consent(`ack by ${owner}: ${reason}`);
            const entry = { atMs: nowMs, who: owner, what: 'ack', why: reason, ...epoch };
            const problem = await journaled(() => table.journal(entry, id));
            if (problem !== undefined)
              throw new UnansweredError(`The journal could not be written: ${problem}.`);
            return {
              exit: exitCodes.done,
              document: { ok: true, verb: 'ack', entry },
              screen: 'ack: recorded.',
            };
          },
        }),
      ),
    );
}
