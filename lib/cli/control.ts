import { type CellOverrides, type ControlReading, parseControl } from '../../lambda/core/control.ts';
import type { Config } from '../config/config.ts';
import { nearest } from '../config/nearest.ts';
import { applyControl, planControl, revisionOf } from '../operate/apply-control.ts';
import type { ControlAct, ControlScope } from '../operate/control-change.ts';
import { UsageError } from '../operate/errors.ts';
import { stateTable } from '../operate/state.ts';
import { exitCodes } from '../shell/exit-codes.ts';
import type { StateTable } from '../state/state-table.ts';
import { type Acting, change } from './change.ts';
import type { Io } from './io.ts';
import type { ChangeFlags } from './options.ts';
import type { Outcome } from './verb.ts';

const TABLE_TIMEOUT_MS = 3_000;

/** The common part of pause, resume, maintenance and approve: read, show before and after, write if unchanged, journal. */
export function controlVerb(options: {
  readonly io: Io;
  readonly verb: string;
  readonly flags: ChangeFlags & ControlScope;
  readonly actOf: (acting: Acting) => ControlAct;
}): Promise<Outcome> {
  const { io, verb, flags, actOf } = options;
  const { cells } = flags;
  return change({
    io,
    verb,
    flags,
    fits: (config) => assertCells(config, cells),
    act: async (acting) => {
      const { config } = acting.target;
      const table = stateTable(config, acting.clients, TABLE_TIMEOUT_MS);
      const act = actOf(acting);
      const context = {
        nowMs: acting.nowMs,
        policyMode: config.policy.mode,
        cells,
        cellModes: new Map(
          config.cells.flatMap(({ name, mode }) => (mode === undefined ? [] : [[name, mode]])),
        ),
      };
      const plan = acting.dry ? await dryPlan(table, { act, cells }) : await planControl(table, act, context);
      await acting.consent(beforeAfter(plan));
      const author = { who: acting.owner, why: acting.reason, atMs: acting.nowMs };
      const unjournaled = await applyControl(table, plan, author);
      return done(verb, plan, unjournaled);
    },
  });
}

type Plan = Awaited<ReturnType<typeof planControl>>;

/**
 * Plans the calls of a dry run. A dry run reads nothing, so an error that depends on a reading (there is no
 * pause to end) must not refuse it.
 */
async function dryPlan(
  table: StateTable,
  { act, cells }: ControlScope & { readonly act: ControlAct },
): Promise<Plan> {
  const item = await table.readControlItem();
  const before = parseControl(item);
  const override = act.kind === 'resume' ? {} : overrideOf(act);
  const after =
    cells === undefined ? override : { cells: Object.fromEntries(cells.map((cell) => [cell, override])) };
  return { act, before, after, item, revision: revisionOf(item) };
}

const overrideOf = (act: Exclude<ControlAct, { readonly kind: 'resume' }>) => ({
  [act.kind === 'approve' ? 'approval' : act.kind]: act.override,
});

function done(verb: string, { before, after }: Plan, unjournaled: string | undefined): Outcome {
  const warning = unjournaled === undefined ? [] : [`The journal could not be written: ${unjournaled}.`];
  return {
    exit: exitCodes.done,
    document: { ok: true, verb, before, after, journaled: unjournaled === undefined },
    screen: [`${verb}: done.`, ...warning].join('\n'),
  };
}

function beforeAfter({ before, item, after }: Plan): string {
  const stored = before === 'unreadable' ? `: ${JSON.stringify(item)}` : '';
  return [`before  ${shown(before)}${stored}`, `after   ${shown(after)}`].join('\n');
}

function shown(control: ControlReading): string {
  if (control === 'unreadable') return 'an item that cannot be understood (counts as a pause)';
  const { mode, cells = {}, ...all } = control;
  const parts = [
    ...(mode === undefined ? [] : [`mode ${mode}`]),
    ...overridesShown(all),
    ...Object.entries(cells).map(([cell, own]) => `${cell} alone: ${overridesShown(own).join(', ')}`),
  ];
  return parts.length === 0 ? 'nothing set: the deployed policy applies' : parts.join('; ');
}

function overridesShown({ pause, maintenance, approval }: CellOverrides): readonly string[] {
  const until = (ms: number): string => `until ${new Date(ms).toISOString()}`;
  return [
    ...(pause === undefined ? [] : [`pause by ${pause.owner} (${pause.reason}) ${until(pause.untilMs)}`]),
    ...(maintenance === undefined
      ? []
      : [
          `maintenance by ${maintenance.owner} (${maintenance.reason}) from ${new Date(maintenance.fromMs).toISOString()} ${until(maintenance.untilMs)}`,
        ]),
    ...(approval === undefined
      ? []
      : [`approval by ${approval.owner} (${approval.reason}) ${until(approval.untilMs)}`]),
  ];
}

/** @throws UsageError for a cell that the config does not have */
function assertCells(config: Config, cells: readonly string[] | undefined): void {
  const names = config.cells.map(({ name }) => name);
  const unknown = cells?.find((cell) => !names.includes(cell));
  if (unknown === undefined) return;
  const near = nearest(unknown, names);
  throw new UsageError(
    `The config has no cell ${unknown}${near === undefined ? '' : `: did you mean ${near}?`}`,
  );
}
