import { NotLatchedError, QuorumUnsettledError, StandbyUnfitError } from '../../lib/conductor/errors.ts';
import { groupsOf } from '../../lib/settings/cells-file.ts';
import { SETTLED_MS } from '../core/conductor.ts';
import {
  type Batch,
  batchesOf,
  groupsToLatch,
  type SwitchState,
  shouldLatch,
} from '../core/conductor-latch.ts';
import { fitnessOf } from '../core/fitness.ts';
import { holdLease, journalStep, setSwitches } from './act.ts';
import { readCapacities } from './capacities.ts';
import type { Conductor, Step } from './conductor.ts';
import { checkGuards } from './fail-back.ts';
import { epochsOf, type RunState, scopeOf, withFindings } from './run-state.ts';

/** Groups that one call sets. Batches run in parallel. */
const BATCH_SIZE = 50;
const NAMES_IN_JOURNAL = 20;

export const lease: Step = async (state, conductor) => {
  // A lease fences every older act for good, so a failback that is refused must not have taken it.
  if (state.input.action === 'failback') await checkGuards(state, conductor);
  await holdLease(state, conductor);
  const { action, force } = state.input;
  await journalStep(state, { step: 'lease', what: `${action} begins`, after: { force } }, conductor);
  return { ...state, next: action === 'failback' ? 'failback-guards' : 'refresh' };
};

/**
 * Decides again with the present facts: the request may be old, and another act may have been faster.
 *
 * @throws QuorumUnsettledError
 */
export const refresh: Step = async (state, conductor) => {
  await holdLease(state, conductor);
  const [quorum, switches] = await Promise.all([conductor.readQuorum(), conductor.state.readSwitches()]);
  const groups = scopeOf(state.input, groupsOf(conductor.cells));
  const trigger = state.input.action === 'evacuate' ? state.input.trigger : 'asked';
  const settled = conductor.nowMs() - state.startedAtMs >= SETTLED_MS;
  const answer = shouldLatch({ trigger, quorum, settled, ...epochsOf(state.input), groups, switches });
  if (answer.verdict === 'unsettled') throw new QuorumUnsettledError(`${answer.reason}.`);
  await journalStep(
    state,
    {
      step: 'refresh',
      what: 'refresh',
      before: { quorum, standby: inStandby(groups, switches), groups: groups.length },
      after: { verdict: answer.verdict, reason: answer.reason },
    },
    conductor,
  );
  switch (answer.verdict) {
    case 'no-longer-wanted':
      return { ...state, state: 'no-longer-wanted', next: 'notify' };
    case 'already-latched':
      // Confirm the switches all the same: a run that died after the latch continues here.
      return { ...state, batches: [], next: 'confirm' };
    case 'latch':
      return { ...state, batches: [...batchesOf(groups.length, BATCH_SIZE)], next: 'fitness' };
    default:
      return answer satisfies never;
  }
};

/** @throws StandbyUnfitError when the standby is known not to work, unless the run is forced. */
export const fitness: Step = async (state, conductor) => {
  await holdLease(state, conductor);
  const [levels, capacities] = await Promise.all([
    conductor.readStandbyLevels(),
    readCapacities(state, conductor),
  ]);
  const { fit, findings } = fitnessOf(levels, capacities);
  const after = { fit, forced: state.input.force, findings: findings.slice(0, NAMES_IN_JOURNAL) };
  // Each observer that asks for a cell has had its own records taken by that cell's stream in the standby.
  const isProven = state.input.action === 'evacuate' && state.input.trigger === 'cells';
  if (!fit && !state.input.force && !isProven) {
    throw new StandbyUnfitError(`The standby does not work: ${findings.join('; ')}.`);
  }
  await journalStep(state, { step: 'fitness', what: 'fitness', after }, conductor);
  return { ...withFindings(state, findings), next: 'latch' };
};

/**
 * Sets one batch of switches. Batches are independent; the epoch on every switch is the fence. The lease is
 * renewed because there may be many batches; a failure to renew it stops no batch, and the next step finds
 * the cause.
 */
export async function latchBatch(state: RunState, batch: Batch, conductor: Conductor): Promise<void> {
  const groups = scopeOf(state.input, groupsOf(conductor.cells)).slice(batch.from, batch.to);
  const [from, to] = [groups[0], groups.at(-1)];
  if (from === undefined || to === undefined) return;
  await holdLease(state, conductor).catch(() => undefined);
  const switches = await conductor.state.readSwitches({ from, to });
  const missing = groupsToLatch({ ...epochsOf(state.input), groups, switches });
  await setSwitches(missing, 'STANDBY', { state, conductor });
}

/**
 * Reads the switches back, and sets those that are missing: for example, batches may have been made before a
 * deployment changed the list of groups.
 *
 * @throws NotLatchedError
 */
export const confirm: Step = async (state, conductor) => {
  await holdLease(state, conductor);
  const groups = scopeOf(state.input, groupsOf(conductor.cells));
  const missing = groupsToLatch({
    ...epochsOf(state.input),
    groups,
    switches: await conductor.state.readSwitches(),
  });
  if (missing.length > 0) await setSwitches(missing, 'STANDBY', { state, conductor });
  const switches = await conductor.state.readSwitches();
  const left = groupsToLatch({ ...epochsOf(state.input), groups, switches });
  if (left.length > 0)
    throw new NotLatchedError(`${left.length} groups are not in the standby, first ${left[0]}.`);
  const latched = inStandby(groups, switches);
  const overruled = groups.length - latched;
  const latchedAtMs = await journalStep(
    state,
    { step: 'latch', what: 'latch', after: { standby: latched, overruled, groups: groups.length } },
    conductor,
  );
  const findings =
    overruled === 0 ? [] : [`${overruled} groups stay in the primary: a newer act has set them`];
  return { ...withFindings(state, findings), latched, latchedAtMs, next: 'dns' };
};

function inStandby(groups: readonly string[], switches: readonly SwitchState[]): number {
  const held = new Set(switches.flatMap(({ group, position }) => (position === 'STANDBY' ? [group] : [])));
  return groups.filter((group) => held.has(group)).length;
}
