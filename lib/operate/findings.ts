import { diagnoses } from '../../lambda/core/diagnosis.ts';
import { shortfalls } from '../../lambda/core/fitness.ts';
import { lastDrillAtMs } from '../../lambda/core/monitor.ts';
import { outstandingMs } from '../../lambda/core/recurring.ts';
import type { Config } from '../config/config.ts';
import { leftoverSwitches, RELEASE_LEFTOVERS } from './leftover.ts';
import { lastRunEnd } from './run-end.ts';
import type { StateReadings } from './state.ts';
import type { Status } from './status.ts';

/** `bad` makes `spillway status` end with 4; `note` is worth knowing. */
export interface StatusFinding {
  readonly level: 'bad' | 'note';
  readonly text: string;
  /** The next command, where there is one. */
  readonly run?: string;
}

type Facts = Omit<Status, 'findings' | 'ok'>;
type Rule = (
  status: Facts,
  state: StateReadings,
  config: Pick<Config, 'drill' | 'monitoring'>,
) => readonly StatusFinding[];

const HOUR_MS = 3_600_000;
const DAY_MS = 24 * HOUR_MS;
const MAX_NAMED = 5;

/** In the order in which an operator should read them. */
const rules: readonly Rule[] = [
  ({ cells }) => {
    const lost = cells.filter(({ region }) => region === null);
    if (lost.length === 0) return [];
    return [bad(`DNS does not answer for ${named(lost.map(({ cell }) => cell))}: ${lost[0]?.problem}`)];
  },
  ({ cells, standby, epoch }) => {
    const moved = cells.filter(({ region }) => region === standby);
    if (moved.length === 0) return [];
    const which = moved.length === cells.length ? 'every cell' : named(moved.map(({ cell }) => cell));
    return [bad(`traffic of ${which} is in the standby (epoch ${epoch ?? 'unknown'})`, 'spillway why')];
  },
  ({ cells, standby }) => {
    const loose = cells.filter((cell) => cell.region === standby && cell.switch === 'PRIMARY');
    if (loose.length === 0) return [];
    const text = `only the votes hold ${named(loose.map(({ cell }) => cell))} in the standby: no switch is set`;
    return [bad(text, 'spillway failover --all --reason "latch"')];
  },
  ({ cells, primary }) => {
    const early = cells.filter((cell) => cell.region === primary && cell.switch === 'STANDBY');
    if (early.length === 0) return [];
    return [
      bad(`${named(early.map(({ cell }) => cell))}: the switch says STANDBY and DNS does not follow yet`),
    ];
  },
  ({ epoch }, { journal }) => {
    const end = journal.ok ? lastRunEnd(journal.value) : undefined;
    // A newer act says, or will say, how things are.
    if (end?.nextCommand === undefined || (epoch ?? 0) > end.epoch) return [];
    const because = end.findings[0] === undefined ? '' : `: ${end.findings[0]}`;
    const text = `the last run (${end.run}) ended as ${end.state}${because}`;
    return [end.stopped ? bad(text, end.nextCommand) : note(text, end.nextCommand)];
  },
  ({ observers }) =>
    observers.flatMap((observer) => {
      if (!observer.answered) return [bad(`observer ${observer.region}: ${observer.problem}`)];
      if (!observer.fresh) {
        return [bad(`observer ${observer.region} is silent: its vote has run out, and reads HOLD`)];
      }
      return [];
    }),
  ({ observers, votesToEvacuate }) => {
    const live = observers.filter(({ fresh }) => fresh).length;
    if (live >= votesToEvacuate) return [];
    const text = `${live} of ${observers.length} observers have a live vote; ${votesToEvacuate} are needed to evacuate by themselves`;
    return [bad(text, 'spillway failover --all --reason "…"')];
  },
  ({ observers }) => {
    const accusing = observers.filter(({ vote }) => vote === 'EVACUATE');
    if (accusing.length === 0) return [];
    const where = named(accusing.map(({ region }) => region));
    return [bad(`${accusing.length} of ${observers.length} votes are EVACUATE (${where})`, 'spillway why')];
  },
  ({ observers }) => {
    const codes = new Set(
      observers.flatMap(({ fresh, diagnosis }) => (fresh && diagnosis ? [diagnosis] : [])),
    );
    return diagnoses.flatMap(({ code, description, operator }) =>
      codes.has(code) && code !== 'Healthy' ? [bad(`${code}: ${description} ${operator}`)] : [],
    );
  },
  ({ control }) => {
    if (control === 'unreadable')
      return [
        bad('the control item cannot be understood: it counts as a pause', 'spillway resume --reason "…"'),
      ];
    return control === 'unanswered' ? [bad('the control item does not answer: it counts as a pause')] : [];
  },
  (_status, { switches, lease }) => [
    ...(switches.ok ? [] : [bad(`the switches cannot be read: ${switches.problem}`)]),
    ...(lease.ok ? [] : [bad(`the lease cannot be read: ${lease.problem}`)]),
  ],
  ({ cells }, { switches }) => {
    const left = switches.ok ? leftoverSwitches(cells, switches.value) : [];
    if (left.length === 0) return [];
    const names = named(left.map(({ group }) => group));
    const text = `${names}: not in the config, and the switch says STANDBY; added again, it would begin in the standby`;
    return [note(text, RELEASE_LEFTOVERS)];
  },
  ({ quorum }) => (quorum.region === null ? [bad(`region record: ${quorum.problem}`)] : []),
  ({ overrides, atMs }) =>
    overrides.map(({ kind, owner, reason, untilMs, active }) => {
      const hours = ((untilMs - atMs) / HOUR_MS).toFixed(1);
      const run = kind === 'pause' ? 'spillway resume --reason "…"' : undefined;
      return note(`${kind} by ${owner}: ${reason} (${active ? `${hours} h left` : 'not begun yet'})`, run);
    }),
  ({ cells }, { capacities }) => {
    if (!capacities.ok) return [note(`what the survey has stored cannot be read: ${capacities.problem}`)];
    const names = new Set(cells.map(({ cell }) => cell));
    const own = capacities.value.filter(({ cell }) => names.has(cell));
    const [first, ...others] = shortfalls(own, 'standby');
    if (first === undefined) return [];
    const more = others.length === 0 ? '' : `; and ${others.length} more cells`;
    return [note(`the standby is too small: ${first}${more}`, 'spillway doctor')];
  },
  ({ mode }) =>
    mode === 'auto' || mode === 'unknown' ? [] : [note(`mode is ${mode}: nothing moves by itself`)],
  (_status, { journal }) => (journal.ok ? [] : [note(`the journal cannot be read: ${journal.problem}`)]),
  ({ lastDrill }, _state, { drill }) => {
    if (drill === undefined || (lastDrill?.end !== 'failed' && lastDrill?.end !== 'refused')) return [];
    const said = { failed: 'the last drill failed', refused: 'the last drill was refused' };
    return [note(said[lastDrill.end], 'spillway history')];
  },
  ({ atMs }, state, { monitoring: { drillOverdueDays } }) => {
    const waitedMs = unprovenMs(state, atMs);
    if (drillOverdueDays === undefined || waitedMs === undefined) return [];
    if (waitedMs <= drillOverdueDays * DAY_MS) return [];
    const text = `no drill has succeeded for ${Math.floor(waitedMs / DAY_MS)} days: the way out is unproven`;
    return [note(text, 'spillway drill --aws --reason "overdue"')];
  },
];

/**
 * For how long no drill has succeeded since the deployment began to ask for drills; undefined when it does not, or nobody
 * can tell. The journal has a drill at once, the monitor's record minutes later and for good.
 */
function unprovenMs({ journal, drill }: StateReadings, nowMs: number): number | undefined {
  if (!drill.ok) return undefined;
  const seenMs = journal.ok ? (lastDrillAtMs(journal.value) ?? 0) : 0;
  return outstandingMs({ ...drill.value, doneAtMs: Math.max(seenMs, drill.value.doneAtMs ?? 0) }, nowMs);
}

/** Pure: everything that is not as it is in healthy times. */
export const findingsOf = (
  status: Facts,
  state: StateReadings,
  config: Pick<Config, 'drill' | 'monitoring'>,
): readonly StatusFinding[] => rules.flatMap((rule) => rule(status, state, config));

const bad = (text: string, run?: string): StatusFinding => ({
  level: 'bad',
  text,
  ...(run === undefined ? {} : { run }),
});
const note = (text: string, run?: string): StatusFinding => ({ ...bad(text, run), level: 'note' });

/** The first few, and how many more. */
export function named(names: readonly string[]): string {
  const rest = names.length - MAX_NAMED;
  const shown = names.slice(0, MAX_NAMED).join(', ');
  return rest > 0 ? `${shown} and ${rest} more` : shown;
}
