import { works } from '../../lambda/core/observation.ts';
import { errorClasses, type ProbeOutcome } from '../../lambda/core/probe.ts';
import { formatSignal, parseSignal } from '../../lambda/core/signal.ts';
import type { Facts, ObserverFacts, Step } from './ledger.ts';
import { cellsMoved } from './places.ts';
import { STREAM_MEMORY_MS, sumOf } from './stream-ledger.ts';
import type { SimulatedSystem } from './system.ts';

export interface Invariant {
  readonly name: string;
  readonly statement: string;
  /** What breaks it in this step, or undefined. */
  readonly check: (step: Step, facts: Facts) => string | undefined;
}

/** From a status of a check to the answers that follow it, as in dns.ts. */
const PROPAGATION_MS = 2_000;
/** An endpoint is dark when so many of the checkers' requests get nothing from it. It takes 82 % of the checkers to turn a check. */
const DARK_SHARE = 0.5;
/** The switch's checkers are slower to turn, either way: it may be lost to errors that come and go. */
const SWITCH_DARK_SHARE = 0.4;

/** A checker holds what it saw until its next request, and may report the one before once more. */
const delayMs = ({ delivery }: SimulatedSystem): number =>
  2 * delivery.healthCheckIntervalSeconds * 1_000 + PROPAGATION_MS + 3_000;
/** One interval, with its jitter and the propagation. */
const oneLookMs = ({ delivery }: SimulatedSystem): number =>
  1.1 * delivery.healthCheckIntervalSeconds * 1_000 + PROPAGATION_MS;

const movedToStandby = (step: Step): boolean =>
  step.kind === 'dns' && step.from.region === 'primary' && step.to.region === 'standby';
/** Cells that went from one place to the other in this step. */
const wentTo = (step: Step, place: 'primary' | 'standby'): readonly string[] =>
  step.kind === 'dns'
    ? cellsMoved(step.from, step.to).filter(
        (cell) =>
          step.to.cells[cell] === place &&
          step.from.cells[cell] === (place === 'primary' ? 'standby' : 'primary'),
      )
    : [];
/** The first that is not undefined. */
const firstOf = (cells: readonly string[], check: (cell: string) => string | undefined): string | undefined =>
  cells.map(check).find((detail) => detail !== undefined);

/** As long as a record in a stream of a cell says how that is now, and how many of them show that it is well. */
const WELL_WITHIN_MS = 15_000;
const WELL_RECORDS = 8;

/** Whether an observer's own records in the cell's stream failed, of late, for half of the minimum gain at least. */
function sawFailing(
  { streams }: ObserverFacts,
  cell: string,
  { system, atMs }: Pick<Facts, 'system' | 'atMs'>,
): boolean {
  const { failed, counted } = streams.sumSince(cell, 'primary', atMs - STREAM_MEMORY_MS);
  return counted > 0 && failed / counted >= system.policy.minimumGain / 2;
}

/** Whether anything that truly happened speaks for moving this cell alone. */
function isFounded(cell: string, facts: Facts): boolean {
  const { votesToEvacuate, beacons, blipMs } = facts.system.policy;
  const seers = facts.observers.filter((observer) => sawFailing(observer, cell, facts)).length;
  if (seers >= votesToEvacuate) return true;
  const { failingMs, liarShare } = facts.producersOf(cell);
  return beacons === 'move' && (failingMs > blipMs || liarShare > 1 / 2);
}

/** Votes that DNS may be following now; a liar's is served, whoever decided it. */
function servedVotes({ observers, liar, atMs, system }: Facts): number {
  const sinceMs = atMs - delayMs(system);
  return observers.filter(({ region, liveUntilMs }) => region === liar || liveUntilMs >= sinceMs).length;
}

/** Votes that live, that every checker has had the time to see, and whose endpoint is not dark. */
function visibleVotes({ observers, liar, atMs, system, voteDarkSince }: Facts): readonly ObserverFacts[] {
  const sinceMs = atMs - oneLookMs(system);
  return observers.filter(
    ({ region, liveFromMs, liveUntilMs }) =>
      (region === liar || (liveUntilMs >= atMs && liveFromMs <= sinceMs)) &&
      voteDarkSince(region, sinceMs) < DARK_SHARE,
  );
}

/** Whether a vote that stands is not to be seen: its observer does not renew it, or its endpoint is dark. */
export function hasUnseenVote({ observers, atMs, system, voteDarkSince }: Omit<Facts, 'excused'>): boolean {
  const sinceMs = atMs - oneLookMs(system);
  return observers.some(
    ({ region, standing, lapsed, liveUntilMs }) =>
      lapsed || (standing && (liveUntilMs <= atMs || voteDarkSince(region, sinceMs) >= DARK_SHARE)),
  );
}

/** Checked after every step of every run. `docs/guarantees` in code: each says what must never happen. */
export const invariants = [
  {
    name: 'quorum',
    statement:
      'a cell moves to the standby only while K observers say EVACUATE, or its switch holds: no single observer moves traffic, dead, stale or lying',
    check: (step, facts) => {
      if (step.kind !== 'dns') return undefined;
      const needed = facts.system.policy.votesToEvacuate;
      const served = servedVotes(facts);
      if (movedToStandby(step) && served < needed) return `region moved with ${served} of ${needed} votes`;
      if (step.to.region === 'standby') return undefined;
      return firstOf(wentTo(step, 'standby'), (cell) => {
        const { latched, heldMs } = facts.switchOf(cell);
        const held = latched || facts.atMs - heldMs <= 4 * delayMs(facts.system);
        return held ? undefined : `${cell} moved, and neither quorum nor switch called for it`;
      });
    },
  },
  {
    name: 'fit-standby',
    statement:
      'no vote is cast while the standby is not known to take and to return records, unless it takes them and refuses its reads to this observer',
    check: (step, { system, atMs }) => {
      if (step.kind !== 'cast') return undefined;
      const { observer, standby, readings } = step;
      const { kinesisWrite, kinesisRead, reachability } = standby;
      const refused = isRefused(readings.standby.kinesisRead);
      const reads = works(standby, 'kinesisRead') || (kinesisRead === 'unknown' && refused);
      if (!works(standby, 'kinesisWrite') || !reads || reachability === 'down') {
        return `${observer.region} cast while the standby was: writes ${kinesisWrite}, reads ${kinesisRead}, reachability ${reachability}`;
      }
      const freshMs = atMs - 4 * system.policy.tickMs - 2 * system.policy.probeTimeoutMs;
      const worked = observer.standbyWroteMs >= freshMs && (refused || observer.standbyReadMs >= freshMs);
      return worked
        ? undefined
        : `${observer.region} cast without a put and a read that worked in the standby`;
    },
  },
  {
    name: 'worth-it',
    statement:
      'no vote is cast for a primary of whose puts fewer have failed, in the last minute and as this observer saw them, than half of the minimum gain, unless the streams of two cells fail',
    check: (step, { system, atMs }) => {
      if (step.kind !== 'cast') return undefined;
      const { failed, counted } = sumOf(step.observer.primaryPuts);
      const share = counted === 0 ? 0 : failed / counted;
      const { streams } = step.observer;
      const failing = streams
        .cellsSince(atMs - STREAM_MEMORY_MS)
        .filter((cell) => sawFailing(step.observer, cell, { system, atMs }));
      return share >= system.policy.minimumGain / 2 || failing.length >= 2
        ? undefined
        : `${step.observer.region} cast while ${failed} of ${counted} puts to the primary failed`;
    },
  },
  {
    name: 'workload-first',
    statement:
      'no vote is cast for a canary that fails while this observer’s records in the cells’ own streams are taken, all of them: a healthy workload is never moved by its canary',
    check: (step, { atMs }) => {
      if (step.kind !== 'cast') return undefined;
      const { streams, region } = step.observer;
      const cells = streams.cellsSince(atMs - STREAM_MEMORY_MS);
      const failed = cells.some(
        (cell) => streams.sumSince(cell, 'primary', atMs - STREAM_MEMORY_MS).failed > 0,
      );
      const taken = cells.find(
        (cell) => streams.sumSince(cell, 'primary', atMs - WELL_WITHIN_MS).counted >= WELL_RECORDS,
      );
      return failed || taken === undefined
        ? undefined
        : `${region} cast while ${taken} took all of its records`;
    },
  },
  {
    name: 'cell-quorum',
    statement:
      'a cell moves without its region only while K observers’ own records are refused by its stream, or, where beacons may move it, its producers truly fail for longer than a blip or more than half of them lie: no single observer moves a cell, no minority of liars, and under `probe` no liars at all',
    check: (step, facts) => {
      if (step.kind !== 'cell') return undefined;
      const { group, cells } = step.move;
      const unfounded = cells.filter((cell) => !isFounded(cell, facts));
      return unfounded.length === 0
        ? undefined
        : `the switch of ${group} is to move for ${unfounded.join(', ')}`;
    },
  },
  {
    name: 'cell-standby',
    statement:
      'no cell moves to a stream that has taken no record of the observers that asked it: at most N - K of them may have seen it take none',
    check: (step, { observers, system, atMs }) => {
      if (step.kind !== 'cell') return undefined;
      return firstOf(step.move.cells, (cell) => {
        const asked = observers
          .map(({ streams }) => streams.sumSince(cell, 'standby', atMs - STREAM_MEMORY_MS))
          .filter(({ counted }) => counted > 0);
        const refused = asked.filter(({ failed, counted }) => failed === counted).length;
        return refused > observers.length - system.policy.votesToEvacuate
          ? `${cell} is to move, and its stream in the standby took no record of ${refused} observers`
          : undefined;
      });
    },
  },
  {
    name: 'one-failover',
    statement:
      'each cast begins an epoch of its own, and none follows within the cooldown on the end of one that had moved DNS',
    check: (step, { system, atMs }) => {
      if (step.kind !== 'cast') return undefined;
      const { observer, before, after, offsetMs } = step;
      if (after.epoch !== before.epoch + 1)
        return `${observer.region} cast from epoch ${before.epoch} to ${after.epoch}`;
      // By the observer's own clock: it has no other.
      const sinceMs = atMs - observer.endedMs + offsetMs - observer.endedOffsetMs;
      if (sinceMs >= system.policy.cooldownMs) return undefined;
      return `${observer.region} cast ${Math.round(sinceMs / 1_000)} s after its last evacuation ended`;
    },
  },
  {
    name: 'no-failback',
    statement:
      'DNS returns to the primary only when an operator releases the switches; or nothing has been latched for as long as the switch’s checkers take, and too few votes are left alive; or the switch has been dark to the checkers: a live vote never ends while DNS is in the standby and no switch holds',
    check: (step, facts) => {
      if (step.kind === 'ended') {
        if (facts.allLatched || step.regionRead !== 'standby') return undefined;
        return `${step.observer.region} took its vote back while DNS was in the standby and no switch held`;
      }
      const back = wentTo(step, 'primary');
      if (back.length === 0) return undefined;
      const votes = visibleVotes(facts);
      if (votes.length >= facts.system.policy.votesToEvacuate)
        return `${back[0]} returned with ${votes.length} votes alive`;
      return firstOf(back, (cell) => {
        const { latched, latchedMs } = facts.switchOf(cell);
        // The switch's checkers take three looks each before DNS follows them.
        if (!latched || facts.atMs - latchedMs < 4 * oneLookMs(facts.system)) return undefined;
        const dark = facts.switchDarkSince(cell, facts.atMs - 3 * oneLookMs(facts.system));
        return dark < SWITCH_DARK_SHARE
          ? `${cell} returned while its switch held, and ${Math.round(100 * dark)} % of the checkers’ requests missed it`
          : undefined;
      });
    },
  },
  {
    name: 'pause',
    statement:
      'no vote is cast while the control item as read is paused, in maintenance, not in mode auto, or unreadable',
    check: (step, { system }) => {
      if (step.kind !== 'cast') return undefined;
      const { control, nowMs } = step.readings;
      const who = `${step.observer.region} cast while the control item`;
      if (control === 'unreadable') return `${who} was unreadable`;
      const { pause, maintenance, approval } = control;
      if (pause !== undefined && nowMs < pause.untilMs) return `${who} said pause`;
      if (maintenance !== undefined && nowMs >= maintenance.fromMs && nowMs < maintenance.untilMs)
        return `${who} said maintenance`;
      const mode = control.mode ?? system.policy.mode;
      const approved = mode === 'approve' && approval !== undefined && nowMs < approval.untilMs;
      return mode === 'auto' || approved ? undefined : `${who} said mode ${mode}`;
    },
  },
  {
    name: 'no-flapping',
    statement:
      'with the conductor dead DNS moves at most once, as long as no vote lapses because its observer is away or its endpoint dark',
    check: (step, facts) => {
      if (step.kind !== 'dns') return undefined;
      if (facts.conductor !== 'dead' || facts.liar !== undefined || facts.excused) return undefined;
      return firstOf(cellsMoved(step.from, step.to), (cell) => {
        const flips = facts.flipsOf(cell);
        return flips > 1 ? `the signal of ${cell} has moved ${flips} times` : undefined;
      });
    },
  },
  {
    name: 'one-sided',
    statement: 'a partition that one observer alone sees moves nothing',
    check: (step, { oneSided }) =>
      oneSided && (movedToStandby(step) || wentTo(step, 'standby').length > 0)
        ? 'DNS moved, and one observer alone had seen anything'
        : undefined,
  },
  {
    name: 'one-region',
    statement: 'the signal of each cell always names exactly one of the two regions',
    check: (step, { system: { regions } }) => {
      if (step.kind !== 'dns') return undefined;
      const { answers } = step;
      return firstOf(Object.keys(answers.cells), (cell) => {
        const { rcode = 'no answer', records = [] } = answers.cells[cell] ?? {};
        const values = records.flatMap((record) => record.values);
        if (rcode !== 'NOERROR' || values.length !== 1)
          return `the answer for ${cell} is ${rcode} with ${values.length} values`;
        const parsed = parseSignal((values[0] ?? '').slice(1, -1), [regions.primary, regions.standby]);
        return parsed.ok
          ? undefined
          : `the answer for ${cell} is ${values[0]}, unlike ${formatSignal({ region: regions.primary })}: ${parsed.rejection}`;
      });
    },
  },
] as const satisfies readonly Invariant[];

const isRefused = (reads: readonly ProbeOutcome[] = []): boolean =>
  reads.length > 0 && reads.every((read) => !read.ok && !errorClasses[read.errorClass].evidence);

export type InvariantName = (typeof invariants)[number]['name'];
