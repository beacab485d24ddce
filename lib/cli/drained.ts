import { Command } from 'commander';
import { journaled } from '../operate/apply-control.ts';
import { select } from '../operate/groups.ts';
import { named } from '../operate/named.ts';
import { stateTable } from '../operate/state.ts';
import { exitCodes } from '../shell/exit-codes.ts';
import { change } from './change.ts';
import type { Io } from './io.ts';
import { type ChangeFlags, listArgument, withChange } from './options.ts';
import { perform } from './verb.ts';

interface DrainedFlags extends ChangeFlags {
  readonly cells?: readonly string[];
  readonly all?: true;
}

const TABLE_TIMEOUT_MS = 3_000;

/**
 * `spillway drained`: records that the records stranded in the primary have been read, so that `failback
 * --after-drain` need not wait for them.
 */
export function drainedCommand(io: Io): Command {
  return withChange(
    new Command('drained').description(
      'Record that the records stranded in the primary have been read; `failback --after-drain` waits for this.',
    ),
  )
    .option('--cells <names>', 'cells, or groups of them, separated by commas', listArgument)
    .option('--all', 'every cell')
    .addHelpText(
      'after',
      '\nExample:\n  spillway drained --cells orders --reason "consumer lag is 0, inc-4711"',
    )
    .action((flags: DrainedFlags) =>
      perform(io, flags, () =>
        change({
          io,
          verb: 'drained',
          flags,
          fits: (config) => select(config, flags),
          act: async ({ target, clients, owner, reason, nowMs, id, consent }) => {
            const table = stateTable(target.config, clients, TABLE_TIMEOUT_MS);
            const { groups } = select(target.config, flags);
            // Unlike a move, a drain concerns one cell alone, even if the cell shares a switch.
            const cells = target.config.cells.filter(
              ({ name, group }) =>
                groups.includes(group) &&
                (flags.all || flags.cells?.includes(name) || flags.cells?.includes(group)),
            );
            const epoch = await table.newestEpoch();
            const names = cells.map(({ name }) => name);
            await consent(`drained, of epoch ${epoch}: ${named(names)}`);
            for (const { name } of cells) await table.markDrained({ cell: name, epoch, atMs: nowMs });
            const entry = { atMs: nowMs, who: owner, what: 'drained', why: reason, epoch, after: names };
            const problem = await journaled(() => table.journal(entry, id));
            return {
              exit: exitCodes.done,
              document: { ok: true, verb: 'drained', epoch, cells: names, journaled: problem === undefined },
              screen: `drained: ${names.length} cells marked, of epoch ${epoch}.`,
            };
          },
        }),
      ),
    );
}
