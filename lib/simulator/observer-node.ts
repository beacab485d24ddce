import type { CellFinding } from '../../lambda/core/cell-findings.ts';
import { type Quorum, voteOf } from '../../lambda/core/lifecycle.ts';
import { emptyMemory, type Memory, parseMemory, serializeMemory } from '../../lambda/core/memory.ts';
import { putsDue } from '../../lambda/core/observation.ts';
import type { Policy } from '../../lambda/core/policy.ts';
import { putPlaces } from '../../lambda/core/put-plan.ts';
import type { Role } from '../../lambda/core/role.ts';
import type { RoundReadings, RoundResult } from '../../lambda/core/round.ts';
import type { StreamOutcomes } from '../../lambda/core/stream-evidence.ts';
import type { GroupSwitch } from '../../lambda/core/streams.ts';
import type { Vote } from '../../lambda/core/vote.ts';
import type { WatchedCell } from '../../lambda/core/watched-cells.ts';
import type { BaselineFailures } from './baseline.ts';
import type { Calls } from './calls.ts';
import { type Agenda, type Rank, ranks } from './events.ts';
import type { Fleets } from './fleets.ts';
import { isIdle, lastSlowRound, skipped } from './idle.ts';
import { putsAfter } from './idle-puts.ts';
import { streamsAreIdle } from './idle-streams.ts';
import { ObserverTables, type StateReading } from './observer-tables.ts';
import { type ObserverTimes, STORE_TIMEOUT_MS } from './observer-times.ts';
import { type ProbeReport, Probing } from './probing.ts';
import { seedFor } from './random.ts';
import { quietRounds } from './rest.ts';
import type { StreamFailure } from './stream-foresight.ts';
import { type ProbedRound, type StreamProbeReport, StreamProbing } from './stream-probing.ts';
import { type Span, Timeline } from './timeline.ts';
import type { SimulatedCore } from './types.ts';
import { type WorkloadReport, Workloads } from './workloads.ts';

/** The stored vote that the vote endpoint finds in the observer's table. */
export interface StoredVote {
  readonly vote: Vote;
  readonly decidedAtMs: number;
  readonly expiresAtMs: number;
  /** What is said about single cells, beside the vote. */
  readonly cells: readonly CellFinding[];
}

const noFindings: readonly CellFinding[] = [];

export interface RoundSeen {
  readonly node: ObserverNode;
  readonly before: Memory;
  readonly readings: RoundReadings;
  readonly result: RoundResult;
}

/** The world around an observer. */
export interface Surroundings {
  readonly agenda: Agenda;
  readonly calls: Calls;
  readonly core: SimulatedCore;
  readonly policy: Policy;
  /** Epoch milliseconds of virtual time 0. */
  readonly epochMs: number;
  readonly standby: string;
  /** Items of the standby's state table. */
  readonly controlItem: () => unknown;
  readonly switchItems: () => readonly GroupSwitch[];
  /** Switches there are. */
  readonly groups: number;
  readonly cells: readonly WatchedCell[];
  readonly fleets: Fleets;
  /** DNS has every cell in the primary. */
  readonly allHome: () => boolean;
  readonly quorum: (source: string) => Quorum;
  /** DNS is in the primary and no switch holds: nothing outside an observer can move it. */
  readonly isCalm: () => boolean;
  readonly onRound: (seen: RoundSeen) => void;
  readonly onStored: (node: ObserverNode, before: StoredVote | undefined) => void;
  /** In a round that is skipped, some of these records for the cells' streams were not taken. */
  readonly onStreamsProbed: (node: ObserverNode, probed: readonly StreamOutcomes[], atMs: number) => void;
  /** Rounds were skipped in which nothing failed that matters; the last began at this time. */
  readonly onSkipped: (node: ObserverNode, rounds: number, lastMs: number) => void;
}

export interface ObserverNodeOptions {
  readonly index: number;
  readonly region: string;
  readonly primary: string;
  readonly seed: number;
  readonly times: ObserverTimes;
  readonly baseline: Readonly<Record<Role | 'streams', BaselineFailures>>;
  readonly mayRest: boolean;
}

/** One in so many runs reads its memory as text, more of those with a vote: reading a text takes longer than a round. */
const RUNS_PER_TEXT = { HOLD: 32, EVACUATE: 1 } as const;

/** The memory as a run finds it in its table. What does not survive as text must not matter. */
const throughTable = (memory: Memory, run: number): Memory =>
  run % RUNS_PER_TEXT[voteOf(memory.decision.phase)] === 0 ? parseMemory(serializeMemory(memory)) : memory;

/**
 * Rounds in a row of an idle observer in which every call worked, although a fault may have hit one. They are counted, and
 * made up for together.
 */
interface Uneventful {
  readonly rounds: number;
  readonly lastMs: number;
}

interface Run {
  memory: Memory;
  readonly lastRoundStartsMs: number;
  /** Of the clock at the last round of this run: what makes a step visible. */
  offsetMs: number | undefined;
}

/** One observer: its runs, its clock, its table. Follows lambda/observer/run.ts. */
export class ObserverNode {
  readonly options: ObserverNodeOptions;
  readonly probing: { readonly primary: Probing; readonly standby: Probing };
  readonly #world: Surroundings;
  readonly #tables: ObserverTables;
  readonly #workloads: Workloads;
  readonly #trouble: Timeline<Span>;
  #run: Run | undefined;
  #stored: { readonly item: StoredVote; readonly memory: Memory } | undefined;
  /** Pending events of an older generation are void. */
  #generation = 0;
  #round = 0;
  #resting:
    | {
        readonly nextMs: number;
        readonly memory: Memory;
        /** Rounds in which a stream does not take a record, in order. */
        readonly streamFailures: readonly StreamFailure[];
      }
    | undefined;
  #uneventful: Uneventful | undefined;
  readonly #own: Timeline<Span>;

  constructor(options: ObserverNodeOptions, world: Surroundings) {
    this.options = options;
    this.#world = world;
    const { calls, policy, standby, agenda } = world;
    const { index, region, primary, baseline, times } = options;
    const seed = seedFor(options.seed, 'round', index);
    const common = { calls, policy, source: region, seed };
    this.probing = {
      primary: new Probing({ ...common, region: primary, role: 'primary', baseline: baseline.primary }),
      standby: new Probing({ ...common, region: standby, role: 'standby', baseline: baseline.standby }),
    };
    const { controlItem, switchItems, groups, cells, fleets } = world;
    const hasBeacons = fleets.report;
    this.#tables = new ObserverTables({
      calls,
      region,
      standby,
      seed,
      groups,
      controlItem,
      switchItems,
      hasBeacons,
    });
    const regions = { primary, standby };
    const streams = new StreamProbing({
      calls,
      policy,
      source: region,
      regions,
      seed,
      baseline: baseline.streams,
    });
    this.#workloads = new Workloads({ cells, fleets, probing: streams, policy, allHome: world.allHome });
    // Every call whose fate decides anything for this observer, and what befalls itself.
    const known = [
      ...this.probing.primary.known,
      ...this.probing.standby.known,
      ...this.#tables.known,
      ...cells
        .filter(({ probe }) => probe === 'always')
        .flatMap(({ cell }) => Object.values(streams.known(cell).primary)),
    ];
    const faults = new Set(known.flatMap((call) => [...call.faults, ...call.noise.spans]));
    this.#trouble = new Timeline<Span>([...faults, ...fleets.trouble, ...times.spans]);
    this.#own = new Timeline<Span>(times.spans);
    for (const { fromMs } of times.absences) {
      agenda.at(fromMs, { rank: ranks.world, index, run: () => this.#crash(fromMs) });
    }
    this.#scheduleRun(0);
  }

  get region(): string {
    return this.options.region;
  }

  get stored(): StoredVote | undefined {
    return this.#stored?.item;
  }

  get memory(): Memory | undefined {
    return this.#run?.memory ?? this.#stored?.memory;
  }

  /** When the next fault, absence, clock step or late run may touch this observer; now, if one does. */
  nextTroubleMs(nowMs: number): number {
    return this.#trouble.nextMs(nowMs);
  }

  get quietMs(): number {
    return Math.max(this.probing.primary.quietMs, this.probing.standby.quietMs);
  }

  foresee(memory: Memory, at: ProbedRound): StreamProbeReport {
    return this.#workloads.foresee(memory, at);
  }

  get nextRound(): number {
    return this.#round;
  }

  /** Something outside changed: no more resting. */
  rouse(): void {
    this.#settle();
    if (this.#resting === undefined) return;
    const sinceMs = this.#world.agenda.nowMs - this.#resting.nextMs;
    this.#wake(Math.max(0, Math.ceil(sinceMs / this.#world.policy.tickMs)));
  }

  #crash(atMs: number): void {
    this.rouse();
    this.#run = undefined;
    this.#generation++;
    // The rule that starts the runs is not gone with the run.
    this.#scheduleRun(this.options.times.runAfter(atMs));
  }

  /** Runs this at its time, unless something has made it void by then. */
  #later(atMs: number, rank: Rank, run: () => void): void {
    const generation = this.#generation;
    const { index } = this.options;
    this.#world.agenda.at(atMs, { rank, index, run: () => generation === this.#generation && run() });
  }

  #scheduleRun(n: number): void {
    this.#later(this.options.times.runStartsMs(n), ranks.takeover, () => {
      this.#scheduleRun(n + 1);
      this.#takeOver(n);
    });
  }

  #takeOver(n: number): void {
    this.#settle();
    const { agenda, policy } = this.#world;
    const { times } = this.options;
    const atMs = agenda.nowMs;
    if (times.isAway(atMs)) return;
    const lastRoundStartsMs = times.lastRoundStartsMs(n, policy);
    if (!this.#tables.reaches('takeOver', atMs)) {
      const again = atMs + policy.tickMs;
      const inTime = again < Math.min(lastRoundStartsMs, times.runStartsMs(n + 1));
      if (inTime) this.#later(again, ranks.takeover, () => this.#takeOver(n));
      return;
    }
    const stored = this.#stored?.memory;
    const memory = stored === undefined ? emptyMemory : throughTable(stored, n);
    this.#run = { memory, lastRoundStartsMs, offsetMs: undefined };
    this.#workloads.beginRun();
    const { lastRoundAtMs } = memory;
    const waitMs = lastRoundAtMs === null ? 0 : lastRoundAtMs + policy.tickMs - times.clockAt(atMs);
    this.#scheduleRound(waitMs > 0 && waitMs <= policy.tickMs ? atMs + waitMs : atMs, this.#run);
  }

  #scheduleRound(atMs: number, run: Run): void {
    this.#later(atMs, ranks.round, () => {
      if (this.#run === run) this.#begin(run);
    });
  }

  #begin(run: Run): void {
    const { agenda, policy, epochMs } = this.#world;
    const atMs = agenda.nowMs;
    const round = this.#round++;
    const offsetMs = this.options.times.offsetAt(atMs);
    const startedAtMs = epochMs + atMs + offsetMs;
    const before = this.#beforeUneventful(run, atMs);
    const ticks = run.memory.ticks + (before?.rounds ?? 0);
    const request = { atMs, round, slowDue: ticks % policy.slowProbeEveryTicks === 0 };
    const probe = (role: Role): ProbeReport => {
      const firstMs = run.memory.firstMetricAtMs[role];
      const firstMetricAgeMs = firstMs === null ? null : startedAtMs - firstMs;
      const firstPuts =
        before === undefined
          ? putsDue(run.memory.evidence[role], policy, startedAtMs)
          : putsAfter(run.memory.evidence[role], before.rounds, policy);
      const puts = putPlaces(ticks, policy);
      return this.probing[role].probe({ ...request, puts, firstPuts, firstMetricAgeMs });
    };
    const primary = probe('primary');
    const standby = probe('standby');
    const state = this.#tables.readState(atMs, round);
    const workload = this.#workloads.look({
      atMs,
      round,
      startedAtMs,
      memory: run.memory,
      idle: before !== undefined,
      beaconsRead: state.beaconsRead,
      switches: state.switches,
    });
    if (before !== undefined && this.#isUneventful({ atMs, primary, standby, state, workload })) {
      this.#goOn(run, { rounds: before.rounds + 1, lastMs: atMs });
      return;
    }
    this.#settle();
    const { memory } = run;
    const clockStepMs =
      run.offsetMs !== undefined
        ? offsetMs - run.offsetMs
        : Math.min(0, startedAtMs - (memory.lastRoundAtMs ?? startedAtMs));
    run.offsetMs = offsetMs;
    const { control, latch, tookMs } = state;
    const readings = {
      startedAtMs,
      clockStepMs,
      primary: primary.outcomes,
      standby: standby.outcomes,
      control,
      latch,
      quorum: this.#world.quorum(this.region),
      streams: workload.readings,
    };
    const longestMs = Math.max(primary.tookMs, standby.tookMs, tookMs, workload.tookMs);
    this.#later(atMs + longestMs, ranks.roundEnd, () => {
      // A run that was superseded finds its write refused, and what it saw is lost.
      if (this.#run === run) this.#end(run, readings, atMs);
    });
  }

  /**
   * Rounds so far in which nothing failed although something may; undefined where the coming round has to be
   * computed whatever it brings.
   */
  #beforeUneventful(run: Run, atMs: number): Uneventful | undefined {
    const { policy, isCalm } = this.#world;
    const { mayRest, times } = this.options;
    if (!mayRest || !isCalm()) return undefined;
    const known = this.#uneventful;
    const sinceMs = known?.lastMs ?? atMs - policy.tickMs;
    // Neither away, nor late, nor with another clock, since the round before and until this one has ended.
    if (this.#own.nextMs(sinceMs) <= atMs + policy.tickMs) return undefined;
    if (known !== undefined) return known;
    const { memory } = run;
    const { streams } = memory.evidence;
    // After an absence, the memory is older than one round.
    const isAtRest =
      memory.lastRoundAtMs === times.clockAt(sinceMs) &&
      isIdle(memory, policy, times.clockAt(atMs)) &&
      streamsAreIdle(streams, { cells: this.#world.cells, ...memory });
    return isAtRest ? { rounds: 0, lastMs: sinceMs } : undefined;
  }

  #isUneventful(round: {
    readonly atMs: number;
    readonly primary: ProbeReport;
    readonly standby: ProbeReport;
    readonly state: StateReading;
    readonly workload: WorkloadReport;
  }): boolean {
    const { atMs, primary, standby, state, workload } = round;
    if (!this.probing.primary.isQuiet(primary) || !this.probing.standby.isQuiet(standby)) return false;
    if (state.control === 'unreadable' || state.latch !== 'open' || !workload.isQuiet) return false;
    const { times } = this.options;
    const endMs = atMs + Math.max(primary.tookMs, standby.tookMs, state.tookMs, workload.tookMs);
    // A run that takes over in the middle of a round ends it.
    return times.runStartsMs(times.runAfter(atMs + 1)) > endMs && this.#tables.reaches('save', endMs);
  }

  /** To the next round, with this one uneventful. */
  #goOn(run: Run, uneventful: Uneventful): void {
    const { policy } = this.#world;
    const { lastMs } = uneventful;
    this.#uneventful = uneventful;
    run.offsetMs = this.options.times.offsetAt(lastMs);
    this.#world.onSkipped(this, 1, lastMs);
    const nextMs = lastMs + policy.tickMs;
    if (this.#trouble.nextMs(lastMs) > nextMs + policy.tickMs) {
      this.#settle();
      if (this.#rest(run.memory, nextMs)) return;
    }
    if (nextMs <= run.lastRoundStartsMs) this.#scheduleRound(nextMs, run);
    else this.#run = undefined;
  }

  /** Makes up for uneventful rounds: memory and table are as if they had been computed. */
  #settle(): void {
    const uneventful = this.#uneventful;
    this.#uneventful = undefined;
    const before = this.#run?.memory ?? this.#stored?.memory;
    if (uneventful === undefined || uneventful.rounds === 0 || before === undefined) return;
    const { policy } = this.#world;
    const lastRoundAtMs = this.options.times.clockAt(uneventful.lastMs);
    const { cells } = this.#world;
    const skip = { rounds: uneventful.rounds, lastRoundAtMs, quietMs: this.quietMs, cells };
    const memory = skipped(before, skip, policy);
    const decidedAtMs = memory.decision.decidedAtMs ?? 0;
    this.#stored = {
      item: { vote: 'HOLD', decidedAtMs, expiresAtMs: decidedAtMs + policy.voteTtlMs, cells: noFindings },
      memory,
    };
    if (this.#run !== undefined) this.#run.memory = memory;
  }

  #end(run: Run, partial: Omit<RoundReadings, 'nowMs'>, startedMs: number): void {
    const { agenda, core, policy } = this.#world;
    const atMs = agenda.nowMs;
    const before = run.memory;
    const readings = { ...partial, nowMs: this.options.times.clockAt(atMs) };
    const result = core.observeRound(before, readings, policy);
    run.memory = result.memory;
    this.#world.onRound({ node: this, before, readings, result });
    const saved = this.#tables.reaches('save', atMs);
    if (saved) this.#save(result, readings.nowMs);
    const endedMs = saved ? atMs : atMs + STORE_TIMEOUT_MS;
    const nextMs = startedMs + (Math.floor((endedMs - startedMs) / policy.tickMs) + 1) * policy.tickMs;
    if (saved && this.options.mayRest && this.#rest(result.memory, nextMs)) return;
    if (nextMs <= run.lastRoundStartsMs) this.#scheduleRound(nextMs, run);
    else this.#run = undefined;
  }

  #save({ memory, decision, cells }: RoundResult, decidedAtMs: number): void {
    const before = this.#stored?.item;
    const item = {
      vote: decision.vote,
      decidedAtMs,
      expiresAtMs: decidedAtMs + this.#world.policy.voteTtlMs,
      cells,
    };
    this.#stored = { item, memory };
    this.#world.onStored(this, before);
  }

  #rest(memory: Memory, nextMs: number): boolean {
    if (!this.#world.isCalm()) return false;
    const { agenda, policy } = this.#world;
    const { rounds, failures } = quietRounds({
      node: this,
      memory,
      nextMs,
      policy,
      cells: this.#world.cells,
      nowMs: agenda.nowMs,
      clockMs: this.options.times.clockAt(agenda.nowMs),
    });
    if (rounds <= 0) return false;
    this.#resting = { nextMs, memory, streamFailures: failures };
    this.#generation++;
    const wakeMs = nextMs + rounds * policy.tickMs;
    if (Number.isFinite(wakeMs)) this.#later(wakeMs, ranks.world, () => this.#wake(rounds));
    return true;
  }

  /** So many rounds were quiet, and are as if they had been computed. */
  #wake(rounds: number): void {
    const resting = this.#resting;
    if (resting === undefined) return;
    const { policy, epochMs } = this.#world;
    const { times } = this.options;
    const { nextMs, memory, streamFailures } = resting;
    this.#resting = undefined;
    this.#generation++;
    this.#round += rounds;
    const atMs = nextMs + rounds * policy.tickMs;
    const lastMs = atMs - policy.tickMs;
    const offsetMs = times.offsetAt(lastMs);
    let now = memory;
    if (rounds > 0) {
      this.#world.onSkipped(this, rounds, lastMs);
      this.#workloads.skipped(lastMs);
      const { cells } = this.#world;
      const passed = streamFailures.filter(({ after }) => after < rounds);
      for (const { after, report } of passed) {
        const endMs = nextMs + after * policy.tickMs + Math.max(this.quietMs, report.tookMs);
        this.#world.onStreamsProbed(this, report.probed, endMs);
      }
      const skip = {
        rounds,
        lastRoundAtMs: epochMs + lastMs + offsetMs,
        quietMs: this.quietMs,
        cells,
        streamFailure: passed.at(-1),
      };
      now = skipped(memory, skip, policy);
      const slowMs = lastSlowRound(memory.ticks, skip, policy);
      if (slowMs !== undefined) this.#skippedSlowRounds(slowMs - epochMs - offsetMs);
      const decidedAtMs = now.decision.decidedAtMs ?? 0;
      this.#stored = {
        item: {
          vote: 'HOLD',
          decidedAtMs,
          expiresAtMs: decidedAtMs + policy.voteTtlMs,
          cells: noFindings,
        },
        memory: now,
      };
    }
    const nextRun = times.runAfter(atMs);
    const lastRoundStartsMs = times.lastRoundStartsMs(nextRun - 1, policy);
    // A run that began after the last round has no round of its own to compare its clock with.
    const isNew = times.runStartsMs(nextRun - 1) > lastMs;
    this.#run = { memory: now, lastRoundStartsMs, offsetMs: isNew ? undefined : offsetMs };
    this.#scheduleRun(nextRun);
    this.#scheduleRound(atMs, this.#run);
  }

  #skippedSlowRounds(lastMs: number): void {
    const periodMs = this.#world.policy.tickMs * this.#world.policy.slowProbeEveryTicks;
    this.probing.primary.skippedSlowRounds(lastMs, periodMs);
    this.probing.standby.skippedSlowRounds(lastMs, periodMs);
  }
}
