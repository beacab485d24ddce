import type { ControlReading } from '../../lambda/core/control.ts';
import { parseControl } from '../../lambda/core/control.ts';
import type { Latch, Quorum } from '../../lambda/core/lifecycle.ts';
import { emptyMemory, type Memory, parseMemory, serializeMemory } from '../../lambda/core/memory.ts';
import type { Policy } from '../../lambda/core/policy.ts';
import { type RoundReadings, type RoundResult, slowProbesDue } from '../../lambda/core/round.ts';
import { latchOf } from '../../lambda/core/switch.ts';
import type { BaselineFailures } from './baseline.ts';
import { type Calls, type KnownCall, outcomeOf } from './calls.ts';
import { type Agenda, ranks } from './events.ts';
import { lastSlowRound, skipped } from './idle.ts';
import type { NodeTrouble } from './noise.ts';
import { Probing } from './probing.ts';
import { Dice, seedFor } from './random.ts';
import { quietRounds } from './rest.ts';
import { type Span, Timeline } from './timeline.ts';
import type { SimulatedCore } from './types.ts';

/** What the vote endpoint finds in the observer's table. */
export interface StoredVote {
  readonly vote: 'HOLD' | 'EVACUATE';
  readonly decidedAtMs: number;
  readonly expiresAtMs: number;
}

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
  readonly switchItems: () => readonly unknown[];
  readonly quorum: (source: string) => Quorum;
  /** DNS is in the primary and no switch holds: nothing outside an observer can move it. */
  readonly isCalm: () => boolean;
  readonly onRound: (seen: RoundSeen) => void;
  readonly onStored: (node: ObserverNode, before: StoredVote | undefined) => void;
  /** Rounds were skipped in which everything worked; the last began at this time. */
  readonly onSkipped: (node: ObserverNode, rounds: number, lastMs: number) => void;
}

export interface ObserverNodeOptions {
  readonly index: number;
  readonly region: string;
  readonly primary: string;
  readonly seed: number;
  /** When its first run begins. */
  readonly startMs: number;
  readonly offsetMs: number;
  readonly trouble: NodeTrouble;
  readonly baseline: { readonly primary: BaselineFailures; readonly standby: BaselineFailures };
  readonly mayRest: boolean;
}

/** As in lambda/observer: an Events rule starts a run each minute; it lives for 90 s and stops ticking a while before. */
export const RUN_PERIOD_MS = 60_000;
const RUN_LIFE_MS = 90_000;
const STORE_TIMEOUT_MS = 1_500;
const DEADLINE_MARGIN_MS = 500;

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
  readonly #own: Readonly<Record<'takeOver' | 'save' | 'control' | 'latch', KnownCall>>;
  readonly #dice = new Dice();
  readonly #seed: number;
  #run: Run | undefined;
  #stored: { readonly item: StoredVote; readonly memory: Memory } | undefined;
  /** Pending events of an older generation are void. */
  #generation = 0;
  #round = 0;
  #resting: { readonly nextMs: number; readonly memory: Memory } | undefined;
  readonly #trouble: Timeline<Span>;

  constructor(options: ObserverNodeOptions, world: Surroundings) {
    this.options = options;
    this.#world = world;
    this.#seed = seedFor(options.seed, 'round', options.index);
    const { calls, policy, standby } = world;
    const { region, baseline } = options;
    const common = { calls, policy, source: region, seed: this.#seed };
    this.probing = {
      primary: new Probing({
        ...common,
        region: options.primary,
        role: 'primary',
        baseline: baseline.primary,
      }),
      standby: new Probing({ ...common, region: standby, role: 'standby', baseline: baseline.standby }),
    };
    const table = (where: string, operation: string): KnownCall =>
      calls.know({ source: region, region: where, service: 'dynamodb', operation });
    this.#own = {
      takeOver: table(region, 'UpdateItem'),
      save: table(region, 'PutItem'),
      control: table(standby, 'GetItem'),
      latch: table(standby, 'Query'),
    };
    this.#trouble = new Timeline(this.#everything());
    for (const { fromMs } of options.trouble.absences) {
      world.agenda.at(fromMs, { rank: ranks.world, index: options.index, run: () => this.#crash(fromMs) });
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

  /** Every call whose fate decides anything for this observer. */
  get known(): readonly KnownCall[] {
    return [...this.probing.primary.known, ...this.probing.standby.known, ...Object.values(this.#own)];
  }

  /** When the next fault, absence, clock step or late run may touch this observer; now, if one does. */
  nextTroubleMs(nowMs: number): number {
    return this.#trouble.nextMs(nowMs);
  }

  get quietMs(): number {
    return Math.max(this.probing.primary.quietMs, this.probing.standby.quietMs);
  }

  get nextRound(): number {
    return this.#round;
  }

  runStartsMs(n: number): number {
    const { startMs, trouble } = this.options;
    return startMs + n * RUN_PERIOD_MS + (trouble.lateRuns.get(n) ?? 0);
  }

  isAway(atMs: number): boolean {
    return this.options.trouble.absences.some(({ fromMs, untilMs }) => atMs >= fromMs && atMs < untilMs);
  }

  /** The observer's clock is this much ahead. */
  offsetAt(atMs: number): number {
    return (
      this.options.offsetMs +
      (this.options.trouble.clockSteps.findLast((step) => step.atMs <= atMs)?.offsetMs ?? 0)
    );
  }

  clockAt(atMs: number): number {
    return this.#world.epochMs + atMs + this.offsetAt(atMs);
  }

  /** Something outside changed: no more resting. */
  rouse(): void {
    if (this.#resting === undefined) return;
    const { nextMs } = this.#resting;
    const rounds = Math.max(0, Math.ceil((this.#world.agenda.nowMs - nextMs) / this.#world.policy.tickMs));
    this.#wake(rounds);
  }

  #everything(): readonly Span[] {
    const { absences, clockSteps, lateRuns } = this.options.trouble;
    return [
      ...new Set(this.known.flatMap(({ faults, noise }) => [...faults, ...noise.spans])),
      ...absences.map(({ fromMs, untilMs }) => ({ atMs: fromMs, untilMs })),
      ...clockSteps.map(({ atMs }) => ({ atMs, untilMs: atMs + 1 })),
      ...[...lateRuns.keys()].map((n) => ({
        atMs: this.options.startMs + n * RUN_PERIOD_MS,
        untilMs: this.runStartsMs(n) + 1,
      })),
    ];
  }

  #crash(atMs: number): void {
    if (this.#resting !== undefined)
      this.#wake(Math.max(0, Math.ceil((atMs - this.#resting.nextMs) / this.#world.policy.tickMs)));
    this.#run = undefined;
    this.#generation++;
    // The rule that starts the runs is not gone with the run.
    this.#scheduleRun(this.#runAfter(atMs));
  }

  /** Number of the first run that has not begun before this time. */
  #runAfter(atMs: number): number {
    return Math.max(0, Math.ceil((atMs - this.options.startMs) / RUN_PERIOD_MS));
  }

  #scheduleRun(n: number): void {
    const generation = this.#generation;
    this.#world.agenda.at(this.runStartsMs(n), {
      rank: ranks.takeover,
      index: this.options.index,
      run: () => {
        if (generation !== this.#generation) return;
        this.#scheduleRun(n + 1);
        this.#takeOver(n);
      },
    });
  }

  #takeOver(n: number): void {
    const { agenda, policy } = this.#world;
    const atMs = agenda.nowMs;
    if (this.isAway(atMs)) return;
    const startedMs = this.runStartsMs(n);
    const lastRoundStartsMs =
      startedMs + RUN_LIFE_MS - (2 * policy.probeTimeoutMs + 2 * STORE_TIMEOUT_MS + DEADLINE_MARGIN_MS);
    if (!this.#reaches(this.#own.takeOver, atMs)) {
      const again = atMs + policy.tickMs;
      const generation = this.#generation;
      const run = (): void => {
        if (generation === this.#generation && again < this.runStartsMs(n + 1)) this.#takeOver(n);
      };
      if (again < lastRoundStartsMs)
        agenda.at(again, { rank: ranks.takeover, index: this.options.index, run });
      return;
    }
    const stored = this.#stored?.memory;
    // Through the table, as text: what does not survive that must not matter.
    const memory = stored === undefined ? emptyMemory : parseMemory(serializeMemory(stored));
    this.#run = { memory, lastRoundStartsMs, offsetMs: undefined };
    const waitMs =
      memory.lastRoundAtMs === null ? 0 : memory.lastRoundAtMs + policy.tickMs - this.clockAt(atMs);
    this.#scheduleRound(waitMs > 0 && waitMs <= policy.tickMs ? atMs + waitMs : atMs, this.#run);
  }

  #scheduleRound(atMs: number, run: Run): void {
    const generation = this.#generation;
    this.#world.agenda.at(atMs, {
      rank: ranks.round,
      index: this.options.index,
      run: () => {
        if (generation === this.#generation && this.#run === run) this.#begin(run);
      },
    });
  }

  #begin(run: Run): void {
    const { agenda, policy, epochMs } = this.#world;
    const atMs = agenda.nowMs;
    const round = this.#round++;
    const offsetMs = this.offsetAt(atMs);
    const startedAtMs = epochMs + atMs + offsetMs;
    const { memory } = run;
    const clockStepMs =
      run.offsetMs !== undefined
        ? offsetMs - run.offsetMs
        : Math.min(0, startedAtMs - (memory.lastRoundAtMs ?? startedAtMs));
    run.offsetMs = offsetMs;
    const slowDue = slowProbesDue(memory, policy);
    const age = (firstMs: number | null): number | null => (firstMs === null ? null : startedAtMs - firstMs);
    const request = { atMs, round, slowDue };
    const primary = this.probing.primary.probe({
      ...request,
      firstMetricAgeMs: age(memory.firstMetricAtMs.primary),
    });
    const standby = this.probing.standby.probe({
      ...request,
      firstMetricAgeMs: age(memory.firstMetricAtMs.standby),
    });
    const { control, latch, tookMs } = this.#readState(atMs, round);
    const readings = {
      startedAtMs,
      clockStepMs,
      primary: primary.outcomes,
      standby: standby.outcomes,
      control,
      latch,
      quorum: this.#world.quorum(this.region),
    };
    const generation = this.#generation;
    agenda.at(atMs + Math.max(primary.tookMs, standby.tookMs, tookMs), {
      rank: ranks.roundEnd,
      index: this.options.index,
      run: () => {
        // A run that was superseded finds its write refused, and what it saw is lost.
        if (generation === this.#generation && this.#run === run) this.#end(run, readings, atMs);
      },
    });
  }

  #readState(
    atMs: number,
    round: number,
  ): { readonly control: ControlReading; readonly latch: Latch; readonly tookMs: number } {
    this.#dice.at(this.#seed, 3, round);
    const ask = (call: KnownCall) =>
      outcomeOf(call, this.#world.calls.fate(call, atMs, this.#dice.next), STORE_TIMEOUT_MS);
    const control = ask(this.#own.control);
    const latch = ask(this.#own.latch);
    return {
      control: control.ok ? parseControl(this.#world.controlItem()) : 'unreadable',
      latch: latchOf(latch.ok ? this.#world.switchItems() : 'unreadable', 1),
      tookMs: Math.max(control.latencyMs, latch.latencyMs),
    };
  }

  #end(run: Run, partial: Omit<RoundReadings, 'nowMs'>, startedMs: number): void {
    const { agenda, core, policy } = this.#world;
    const atMs = agenda.nowMs;
    const before = run.memory;
    const readings = { ...partial, nowMs: this.clockAt(atMs) };
    const result = core.observeRound(before, readings, policy);
    run.memory = result.memory;
    this.#world.onRound({ node: this, before, readings, result });
    const saved = this.#reaches(this.#own.save, atMs);
    if (saved) this.#save(result, readings.nowMs);
    const endedMs = saved ? atMs : atMs + STORE_TIMEOUT_MS;
    const nextMs = startedMs + (Math.floor((endedMs - startedMs) / policy.tickMs) + 1) * policy.tickMs;
    if (saved && this.options.mayRest && this.#rest(result.memory, nextMs)) return;
    if (nextMs <= run.lastRoundStartsMs) this.#scheduleRound(nextMs, run);
    else this.#run = undefined;
  }

  #save({ memory, decision }: RoundResult, decidedAtMs: number): void {
    const before = this.#stored?.item;
    const item = {
      vote: decision.vote,
      decidedAtMs,
      expiresAtMs: decidedAtMs + this.#world.policy.voteTtlMs,
    };
    this.#stored = { item, memory };
    this.#world.onStored(this, before);
  }

  #reaches(call: KnownCall, atMs: number): boolean {
    this.#dice.at(this.#seed, 4, atMs);
    return outcomeOf(call, this.#world.calls.fate(call, atMs, this.#dice.next), STORE_TIMEOUT_MS).ok;
  }

  #rest(memory: Memory, nextMs: number): boolean {
    if (!this.#world.isCalm()) return false;
    const { agenda, policy } = this.#world;
    const rounds = quietRounds({
      node: this,
      memory,
      nextMs,
      policy,
      nowMs: agenda.nowMs,
      clockMs: this.clockAt(agenda.nowMs),
    });
    if (rounds <= 0) return false;
    this.#resting = { nextMs, memory };
    const generation = ++this.#generation;
    if (Number.isFinite(rounds)) {
      agenda.at(nextMs + rounds * policy.tickMs, {
        rank: ranks.world,
        index: this.options.index,
        run: () => {
          if (generation === this.#generation) this.#wake(rounds);
        },
      });
    }
    return true;
  }

  /** So many rounds were quiet, and are as if they had been computed. */
  #wake(rounds: number): void {
    const resting = this.#resting;
    if (resting === undefined) return;
    const { policy, epochMs } = this.#world;
    const { nextMs, memory } = resting;
    this.#resting = undefined;
    this.#generation++;
    this.#round += rounds;
    const atMs = nextMs + rounds * policy.tickMs;
    const lastMs = atMs - policy.tickMs;
    const offsetMs = this.offsetAt(lastMs);
    let now = memory;
    if (rounds > 0) {
      this.#world.onSkipped(this, rounds, lastMs);
      const skip = { rounds, lastRoundAtMs: epochMs + lastMs + offsetMs, quietMs: this.quietMs };
      now = skipped(memory, skip, policy);
      const slowMs = lastSlowRound(memory.ticks, skip, policy);
      if (slowMs !== undefined) this.#skippedSlowRounds(slowMs - epochMs - offsetMs);
      const decidedAtMs = now.decision.decidedAtMs ?? 0;
      this.#stored = {
        item: { vote: 'HOLD', decidedAtMs, expiresAtMs: decidedAtMs + policy.voteTtlMs },
        memory: now,
      };
    }
    const nextRun = this.#runAfter(atMs);
    const startedMs = this.runStartsMs(nextRun - 1);
    const tickCostMs = 2 * policy.probeTimeoutMs + 2 * STORE_TIMEOUT_MS + DEADLINE_MARGIN_MS;
    this.#run = { memory: now, lastRoundStartsMs: startedMs + RUN_LIFE_MS - tickCostMs, offsetMs };
    this.#scheduleRun(nextRun);
    this.#scheduleRound(atMs, this.#run);
  }

  #skippedSlowRounds(lastMs: number): void {
    const periodMs = this.#world.policy.tickMs * this.#world.policy.slowProbeEveryTicks;
    this.probing.primary.skippedSlowRounds(lastMs, periodMs);
    this.probing.standby.skippedSlowRounds(lastMs, periodMs);
  }
}
