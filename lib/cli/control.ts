import { type ControlReading, parseControl } from '../../lambda/core/control.ts';
import { applyControl, planControl, revisionOf } from '../operate/apply-control.ts';
import type { ControlAct } from '../operate/control-change.ts';
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
  readonly flags: ChangeFlags;
  readonly actOf: (acting: Acting) => ControlAct;
}): Promise<Outcome> {
  const { io, verb, flags, actOf } = options;
  return change({
    io,
    verb,
    flags,
    act: async (acting) => {
      const { config } = acting.target;
      const table = stateTable(config, acting.clients, TABLE_TIMEOUT_MS);
      const act = actOf(acting);
      const context = { nowMs: acting.nowMs, policyMode: config.policy.mode };
      const plan = acting.dry ? await dryPlan(table, act) : await planControl(table, act, context);
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
async function dryPlan(table: StateTable, act: ControlAct): Promise<Plan> {
  const item = await table.readControlItem();
  const before = parseControl(item);
  const after = act.kind === 'resume' ? {} : overrideOf(act);
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
  const { mode, pause, maintenance, approval } = control;
  const until = (ms: number): string => `until ${new Date(ms).toISOString()}`;
  const parts = [
    ...(mode === undefined ? [] : [`mode ${mode}`]),
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
  return parts.length === 0 ? 'nothing set: the deployed policy applies' : parts.join('; ');
}
