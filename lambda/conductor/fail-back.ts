import type { CellAnswer } from '../../lib/conductor/cell-answer.ts';
import { ConductorInputError, FailbackRefusedError, NotLatchedError } from '../../lib/conductor/errors.ts';
import type { FailbackInput } from '../../lib/conductor/input.ts';
import { groupsOf } from '../../lib/settings/cells-file.ts';
import { stepNamed } from '../core/conductor.ts';
import { watchPrimary } from '../core/conductor-observers.ts';
import {
  failbackRefusals,
  groupsToTakeBack,
  MAX_LOOKS,
  type ReleasePlan,
  releasePlan,
  tooLongToWatch,
  undrainedCells,
  watchedSeconds,
} from '../core/failback.ts';
import { shortfalls } from '../core/fitness.ts';
import { holdLease, journalStep, setSwitches } from './act.ts';
import { readCapacities } from './capacities.ts';
import type { Conductor, Step } from './conductor.ts';
import { endedAs, type RunState, scopeOf, withFinding } from './run-state.ts';
import { askSome } from './verify.ts';

const MIN_WAIT_SECONDS = 10;
/** The failback ends where it is when observers stay silent or unsure for this long after a stage's pause. */
const UNSURE_LIMIT_MS = 900_000;
/**
 * How long an accusation by too few holds the next stage: long enough for others to see the same. Then the failback goes
 * on, because the accuser alone may be cut off from the primary.
 */
const MINORITY_LIMIT_MS = 300_000;
/** How long after a stage's pause DNS may take to follow: a switch check needs three looks at 30 s, and then a TTL of 60 s. */
const DNS_LIMIT_MS = 180_000;

function failbackOf(state: RunState): FailbackInput {
  if (state.input.action === 'failback') return state.input;
  throw new ConductorInputError(`${state.run} is not a failback.`);
}

/**
 * Evaluates every guard, and writes nothing. Returns the refusals that force overrode.
 *
 * @throws FailbackRefusedError if a guard refuses without force, or if the run is too long to be watched
 */
export async function checkGuards(state: RunState, conductor: Conductor): Promise<readonly string[]> {
  const input = failbackOf(state);
  const tooLong = tooLongToWatch(input);
  if (tooLong !== undefined) throw new FailbackRefusedError(`Refused. length: ${tooLong}.`);
  const { state: table, settings, nowMs } = conductor;
  const [newestEpoch, control, reports, capacities, notDrained] = await Promise.all([
    table.newestEpoch(),
    table.readControl().catch(() => 'unreadable' as const),
    conductor.readReports(),
    readCapacities(state, conductor),
    input.afterDrain ? undrained(state, conductor) : [],
  ]);
  const refusals = failbackRefusals({
    nowMs: nowMs(),
    policy: settings.policy,
    epoch: input.epoch,
    newestEpoch,
    control,
    reports,
    standby: settings.standby,
    groups: scopeOf(input, groupsOf(conductor.cells)),
    primaryShortfalls: shortfalls(capacities, 'primary'),
    undrained: notDrained,
  });
  const said = refusals.map(({ rule, reason }) => `${rule}: ${reason}`);
  if (said.length > 0 && !input.force) throw new FailbackRefusedError(`Refused. ${said.join('; ')}.`);
  return said;
}

/**
 * Evaluates the guards again under the lease: no other run acts from here on.
 *
 * @throws FailbackRefusedError
 */
export const failbackGuards: Step = async (state, conductor) => {
  await holdLease(state, conductor);
  const input = failbackOf(state);
  const said = await checkGuards(state, conductor);
  const after = { forced: input.force, refusals: said };
  await journalStep(state, { step: 'guards', what: 'guards', after }, conductor);
  const waitSeconds = Math.max(MIN_WAIT_SECONDS, Math.ceil(watchedSeconds(input) / MAX_LOOKS));
  return { ...state, waitSeconds, next: 'release' };
};

async function undrained(state: RunState, { state: table, cells }: Conductor): Promise<readonly string[]> {
  const [drained, switches] = await Promise.all([table.readDrained(), table.readSwitches()]);
  return undrainedCells({ cells, groups: scopeOf(state.input, groupsOf(cells)), drained, switches });
}

/** Releases the groups of this stage; a repetition releases no more. */
export const release: Step = async (state, conductor) => {
  await holdLease(state, conductor);
  const input = failbackOf(state);
  const { pauseSeconds } = input;
  const { release: groups } = await planOf(state, conductor);
  await setSwitches(groups, 'PRIMARY', { state, conductor });
  const { release: left, released, total, overruled } = await planOf(state, conductor);
  if (left.length > 0) throw new NotLatchedError(`${left.length} groups are not back, first ${left[0]}.`);
  const atMs = await journalStep(
    state,
    {
      step: `release-${state.stage}`,
      what: 'release',
      after: { stage: state.stage, released, of: total, overruled, groups: groups.slice(0, 20) },
    },
    conductor,
  );
  const watchUntilMs = atMs + pauseSeconds * 1_000;
  return { ...state, latched: total - released + overruled, watchUntilMs, next: 'watch' };
};

/** Plans what this stage has to release, given the switches now. */
async function planOf(state: RunState, { state: table, cells }: Conductor): Promise<ReleasePlan> {
  const { epoch, percent } = failbackOf(state);
  const groups = scopeOf(state.input, groupsOf(cells));
  return releasePlan({ groups, switches: await table.readSwitches(), epoch, percent, stage: state.stage });
}

/**
 * Runs while a stage settles. Decides what comes next: another look, the next stage, back to the standby, or
 * the end.
 */
export const watch: Step = async (state, conductor) => {
  await holdLease(state, conductor);
  const { votesToEvacuate } = conductor.settings.policy;
  const groups = scopeOf(state.input, groupsOf(conductor.cells));
  const verdict = watchPrimary({ reports: await conductor.readReports(), groups, votesToEvacuate });
  const waitedMs = conductor.nowMs() - (state.watchUntilMs ?? 0);
  switch (verdict.verdict) {
    case 'take-back':
      return { ...withFinding(state, verdict.reason), next: 'take-back' };
    case 'hold': {
      const minoritySinceMs = verdict.minority ? (state.minoritySinceMs ?? conductor.nowMs()) : undefined;
      const held = { ...state, minoritySinceMs };
      const heldMs = minoritySinceMs === undefined ? 0 : conductor.nowMs() - minoritySinceMs;
      if (waitedMs >= 0 && heldMs >= MINORITY_LIMIT_MS) {
        const finding = `goes on against an accusation that too few share: ${verdict.reason}`;
        return followed(withFinding(held, finding), { conductor, isLate: waitedMs >= DNS_LIMIT_MS });
      }
      if (waitedMs < UNSURE_LIMIT_MS) return held;
      return unsure(await settled(held, conductor), verdict.reason);
    }
    case 'go':
      // Before the pause is over, DNS is only checked to record when it followed.
      if (waitedMs < 0) return state.dnsStage === state.stage ? state : seenInDns(state, conductor);
      return followed(state, { conductor, isLate: waitedMs >= DNS_LIMIT_MS });
    default:
      return verdict satisfies never;
  }
};

/**
 * The state with the time at which DNS was first seen to name the primary for all of this stage, if DNS does
 * so now.
 */
async function seenInDns(state: RunState, conductor: Conductor): Promise<RunState> {
  const answers = await askReleased(state, conductor).catch(() => []);
  const follows = answers.length > 0 && answers.every(({ region }) => region === 'primary');
  return follows ? withDns(state, answers.length, conductor) : state;
}

async function withDns(state: RunState, primary: number, conductor: Conductor): Promise<RunState> {
  const { stage } = state;
  const line = { step: `dns-${stage}`, what: 'dns', after: { stage, primary } };
  return { ...state, dnsAtMs: await journalStep(state, line, conductor), dnsStage: stage };
}

async function askReleased(state: RunState, conductor: Conductor): Promise<readonly CellAnswer[]> {
  const released = new Set(groupsToTakeBack(await conductor.state.readSwitches(), state.input.epoch));
  return askSome(
    conductor.cells.filter(({ group }) => released.has(group)),
    conductor,
  );
}

/**
 * Decides while the primary is healthy: a stage ends only when DNS names the primary for the released groups.
 */
async function followed(
  state: RunState,
  { conductor, isLate }: { readonly conductor: Conductor; readonly isLate: boolean },
): Promise<RunState> {
  const answers = await askReleased(state, conductor);
  const elsewhere = answers.filter(({ region }) => region !== 'primary');
  const [first] = elsewhere;
  if (first === undefined) {
    const isKnown = state.dnsStage === state.stage || answers.length === 0;
    return settled(isKnown ? state : await withDns(state, answers.length, conductor), conductor);
  }
  if (!isLate) return state;
  const finding = `DNS does not answer with the primary for ${elsewhere.length} of ${answers.length} cells: ${first.cell} is ${first.region}`;
  return { ...withFinding(state, finding), state: 'released-dns-elsewhere', next: 'notify' };
}

/**
 * After a stage: the next one, or the end. Reads the switches again, because a newer act may have set some
 * meanwhile.
 */
async function settled(state: RunState, conductor: Conductor): Promise<RunState> {
  const { release: taken, released, total, overruled } = await planOf(state, conductor);
  const waiting = total - released + taken.length;
  const known = { ...state, latched: waiting + overruled };
  if (waiting > 0) return { ...known, stage: state.stage + 1, next: 'release' };
  if (overruled === 0) return { ...known, state: 'failed-back', next: 'notify' };
  const finding = `${overruled} groups are in the standby: a newer act has set them`;
  return { ...withFinding(known, finding), state: 'superseded', next: 'notify' };
}

/**
 * Ends when the observers do not say that the primary is healthy: released groups stay, and a person decides
 * about the rest.
 */
function unsure(after: RunState, reason: string): RunState {
  const known = withFinding(after, reason);
  return after.next === 'notify'
    ? known
    : { ...endedAs(known, stepNamed('watch').whenItFails), next: 'notify' };
}

/**
 * The primary degrades again: returns the groups that this failback has released to the standby. The
 * observers' own evacuation would do the same, but later.
 */
export const takeBack: Step = async (state, conductor) => {
  await holdLease(state, conductor);
  const { epoch } = state.input;
  const switches = await conductor.state.readSwitches();
  const groups = groupsToTakeBack(switches, epoch);
  await setSwitches(groups, 'STANDBY', { state, conductor });
  const left = groupsToTakeBack(await conductor.state.readSwitches(), epoch);
  if (left.length > 0) throw new NotLatchedError(`${left.length} groups are not back in the standby.`);
  const after = { returned: groups.length, because: state.findings.at(-1) };
  const latchedAtMs = await journalStep(state, { step: 'take-back', what: 'take back', after }, conductor);
  const latched = state.latched + groups.length;
  return { ...state, latched, latchedAtMs, state: 'failback-taken-back', next: 'notify' };
};
