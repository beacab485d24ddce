import { beaconTableInWords } from '../../lambda/core/beacon-table.ts';
import { diagnoses, isActionable } from '../../lambda/core/diagnosis.ts';
import { shortfalls } from '../../lambda/core/fitness.ts';
import { lastDrillAtMs } from '../../lambda/core/monitor.ts';
import { outstandingMs } from '../../lambda/core/recurring.ts';
import type { Config } from '../config/config.ts';
import { endpointStatusFindings } from './endpoint-status.ts';
import { leftoverSwitches, RELEASE_LEFTOVERS } from './leftover.ts';
import { named } from './named.ts';
import { lastRunEnd } from './run-end.ts';
import type { StateReadings } from './state.ts';
import type { ObserverStatus, Status, StatusFinding } from './status-document.ts';
import { resume, streamFindings } from './stream-findings.ts';
import { type UnreadPart, unreadFindings } from './unread.ts';

type Facts = Omit<Status, 'findings' | 'ok'>;
interface Known {
  readonly state: StateReadings;
  readonly unread: readonly UnreadPart[];
  readonly config: Pick<Config, 'drill' | 'monitoring'>;
}
type Rule = (status: Facts, known: Known) => readonly StatusFinding[];

const HOUR_MS = 3_600_000;
/** One reading that fails is no news. */
const UNREAD_MS = 60_000;
const DAY_MS = 24 * HOUR_MS;

/** In the order in which an operator should read them. */
const rules: readonly Rule[] = [
  ({ credentials }) => {
    if (credentials.ok !== false) return [];
    const { said, fix } = credentials;
    const text = `your credentials: ${said}. This says nothing about any region; only what DNS says is known`;
    return [{ level: 'unknown', text, run: fix }];
  },
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
      bad(`${named(early.map(({ cell }) => cell))}: the switch says STANDBY, but DNS has not followed yet`),
    ];
  },
  ({ epoch }, { state: { journal } }) => {
    const end = journal.ok ? lastRunEnd(journal.value) : undefined;
    // Once a newer act has begun, the end of the older run no longer matters.
    if (end?.nextCommand === undefined || (epoch ?? 0) > end.epoch) return [];
    const because = end.findings[0] === undefined ? '' : `: ${end.findings[0]}`;
    const text = `the last run (${end.run}) ended as ${end.state}${because}`;
    if (epoch === null) return [note(`${text}; whether a newer act has begun is not known`)];
    return [end.stopped ? bad(text, end.nextCommand) : note(text, end.nextCommand)];
  },
  ({ credentials }, { unread }) => unreadFindings(credentials, unread),
  ({ observers }) =>
    observers.flatMap(({ region, answered, fresh }) =>
      answered === true && !fresh
        ? [bad(`observer ${region} is silent: its vote has expired, and reads HOLD`)]
        : [],
    ),
  ({ observers, votesToEvacuate: needed }) => {
    const live = observers.filter(({ fresh }) => fresh).length;
    const unread = observers.filter(({ answered }) => answered !== true);
    if (live >= needed) return [];
    if (live + unread.length < needed) {
      const more = unread.length === 0 ? '' : ` (${unread.length} not known)`;
      const text = `${live} of ${observers.length} observers have a live vote${more}; ${needed} are needed for an automatic evacuation`;
      // Missing votes are no reason to move: an observer must see the primary fail.
      return [
        bad(text, observers.some(accuses) ? 'spillway failover --all --reason "…"' : 'spillway doctor'),
      ];
    }
    // The finding about the credentials says this already.
    if (unread.some(({ answered }) => answered === null)) return [];
    const text = `${live} of ${observers.length} observers are known to have a live vote; whether there are the ${needed} that an evacuation needs is not known`;
    return [bad(text, 'spillway doctor')];
  },
  ({ observers }) => {
    const accusing = observers.filter(({ vote }) => vote === 'EVACUATE');
    if (accusing.length === 0) return [];
    const where = named(accusing.map(({ region }) => region));
    const known = observers.filter(({ answered }) => answered === true).length;
    const votes = known === observers.length ? 'votes' : `known votes (of ${observers.length})`;
    return [bad(`${accusing.length} of ${known} ${votes} are EVACUATE (${where})`, 'spillway why')];
  },
  ({ observers }) => {
    const codes = new Set(
      observers.flatMap(({ fresh, diagnosis }) => (fresh && diagnosis ? [diagnosis] : [])),
    );
    return diagnoses.flatMap(({ code, description, operator }) =>
      codes.has(code) && code !== 'Healthy' ? [bad(`${code}: ${description} ${operator}`)] : [],
    );
  },
  ({ endpoints }) => endpointStatusFindings(endpoints),
  ({ cells, ...known }) => streamFindings(cells, known),
  ({ observers, atMs }) => {
    const blind = observers.filter(
      ({ fresh, beacons }) => fresh && atMs - (beacons?.problem?.sinceMs ?? atMs) >= UNREAD_MS,
    );
    const [first] = blind;
    if (first?.beacons === undefined) return [];
    const who = named(blind.map(({ region }) => region));
    const words = beaconTableInWords(first.beacons, atMs);
    return [bad(`the table of beacons, as the observers in ${who} have it: ${words}`, 'spillway doctor')];
  },
  ({ observers }) => {
    const readers = observers.filter(({ fresh, beacons }) => fresh && beacons?.completeAtMs !== undefined);
    if (readers.length === 0 || readers.some(({ beacons }) => beacons?.sources !== 0)) return [];
    return [note('no producer reports by beacons', 'spillway doctor')];
  },
  ({ observers }) => {
    const flooding = new Set(observers.flatMap(({ beacons }) => beacons?.flooding ?? []));
    if (flooding.size === 0) return [];
    return [
      note(`${named([...flooding])} fills the table of beacons: most of that is skipped`, 'spillway doctor'),
    ];
  },
  ({ control }) =>
    control === 'unreadable'
      ? [bad('the control item cannot be understood: it counts as a pause', 'spillway resume --reason "…"')]
      : [],
  ({ cells }, { state: { switches } }) => {
    const left = switches.ok ? leftoverSwitches(cells, switches.value) : [];
    if (left.length === 0) return [];
    const names = named(left.map(({ group }) => group));
    const text = `${names}: not in the config, and the switch says STANDBY; a group added under that name would begin in the standby`;
    return [note(text, RELEASE_LEFTOVERS)];
  },
  ({ quorum }) => (quorum.region === null ? [bad(`region record: ${quorum.problem}`)] : []),
  ({ overrides, atMs }) =>
    (overrides ?? []).map(({ kind, cells, owner, reason, untilMs, active }) => {
      const hours = ((untilMs - atMs) / HOUR_MS).toFixed(1);
      const run = kind === 'pause' ? resume(cells) : undefined;
      const of = cells === undefined ? '' : ` of the moves of ${named(cells)} alone,`;
      return note(
        `${kind}${of} by ${owner}: ${reason} (${active ? `${hours} h left` : 'not begun yet'})`,
        run,
      );
    }),
  ({ cells }, { state: { capacities } }) => {
    if (!capacities.ok) return [];
    const names = new Set(cells.map(({ cell }) => cell));
    const own = capacities.value.filter(({ cell }) => names.has(cell));
    const [first, ...others] = shortfalls(own, 'standby');
    if (first === undefined) return [];
    const more = others.length === 0 ? '' : `; and ${others.length} more cells`;
    return [note(`the standby is too small: ${first}${more}`, 'spillway doctor')];
  },
  ({ cells, standby }) => {
    const idle = cells.filter(({ readers }) => readers?.works === 'no');
    const [first] = idle;
    if (first === undefined) return [];
    const isMoved = idle.some(({ region }) => region === standby);
    const which = named(idle.map(({ cell }) => cell));
    const text = `the standby would leave records of ${which} unread: ${first.readers?.because[0] ?? 'a consumer does not work there'}`;
    return isMoved ? [bad(text, 'spillway consumers')] : [note(text, 'spillway consumers')];
  },
  ({ mode }) =>
    mode === 'auto' || mode === 'unknown' ? [] : [note(`mode is ${mode}: nothing moves by itself`)],
  ({ lastDrill }, { config: { drill } }) => {
    if (drill === undefined || lastDrill === null || lastDrill === 'none') return [];
    if (lastDrill.end === 'ok' || lastDrill.end === null) return [];
    const said = { failed: 'the last drill failed', refused: 'the last drill was refused' };
    return [note(said[lastDrill.end], 'spillway history')];
  },
  ({ atMs }, { state, config: { monitoring } }) => {
    const { drillOverdueDays } = monitoring;
    const waitedMs = unprovenMs(state, atMs);
    if (drillOverdueDays === undefined || waitedMs === undefined) return [];
    if (waitedMs <= drillOverdueDays * DAY_MS) return [];
    const text = `no drill has succeeded for ${Math.floor(waitedMs / DAY_MS)} days: it is not proven that a failover would work`;
    return [note(text, 'spillway drill --aws --reason "overdue"')];
  },
];

/**
 * Milliseconds for which no drill has succeeded since the deployment began to ask for drills; undefined when
 * the deployment asks for none, or that is not known. The journal has a drill immediately; the monitor's
 * record has it minutes later, and keeps it.
 */
function unprovenMs({ journal, drill }: StateReadings, nowMs: number): number | undefined {
  if (!drill.ok) return undefined;
  const seenMs = journal.ok ? (lastDrillAtMs(journal.value) ?? 0) : 0;
  return outstandingMs({ ...drill.value, doneAtMs: Math.max(seenMs, drill.value.doneAtMs ?? 0) }, nowMs);
}

/** Pure: finds everything that is not as in healthy times, or not known. */
export const findingsOf = (status: Facts, known: Known): readonly StatusFinding[] =>
  rules.flatMap((rule) => rule(status, known));

/** Whether an observer with a live vote sees the primary fail. */
const accuses = ({ fresh, vote, diagnosis }: ObserverStatus): boolean =>
  fresh === true && (vote === 'EVACUATE' || isActionable(diagnosis ?? ''));

const bad = (text: string, run?: string): StatusFinding => ({
  level: 'bad',
  text,
  ...(run === undefined ? {} : { run }),
});
const note = (text: string, run?: string): StatusFinding => ({ ...bad(text, run), level: 'note' });
