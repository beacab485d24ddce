import { accusingKinds } from '../../lambda/core/cell-findings.ts';
import type { GroupMove } from '../../lambda/core/cell-quorum.ts';
import { parseSignal } from '../../lambda/core/signal.ts';
import type { WatchedCell } from '../../lambda/core/watched-cells.ts';
import { observerRegions } from '../config/config.ts';
import type { DnsAnswer } from '../route53/answer.ts';
import type { Scenario } from '../scenario/schema.ts';
import { BaselineFailures } from './baseline.ts';
import { Calls, type KnownCall } from './calls.ts';
import { Conductor } from './conductor.ts';
import { Dns, type DnsAnswers } from './dns.ts';
import { Endpoints } from './endpoints.ts';
import { Agenda, ranks } from './events.ts';
import { Fleets } from './fleets.ts';
import type { ProducerFacts } from './ledger.ts';
import type { Noise } from './noise.ts';
import { ObserverNode, type RoundSeen, type StoredVote } from './observer-node.ts';
import { ObserverTimes, RUN_PERIOD_MS } from './observer-times.ts';
import { cellsMoved, type Place, type Places } from './places.ts';
import { slotsPerRound } from './probing.ts';
import { Producers } from './producers.ts';
import { between, Dice, hash, seedFor, uniform } from './random.ts';
import { Referee } from './referee.ts';
import { routingOf } from './routing.ts';
import { StateTable } from './state-table.ts';
import { STREAM_MEMORY_MS } from './stream-ledger.ts';
import { STREAM_SLOTS } from './stream-probing.ts';
import { groupsOfSystem, type SimulatedSystem, watchedCells } from './system.ts';
import type { OperatorAction, SimulatedCore, SimulationOptions, TraceEvent, Violation } from './types.ts';

export interface WorldHooks {
  readonly onRound?: (seen: RoundSeen) => void;
  readonly onStored?: (node: ObserverNode, before: StoredVote | undefined) => void;
  readonly onDns?: (from: Places, to: Places) => void;
  readonly onCellMove?: (move: GroupMove) => void;
  readonly onPut?: (put: {
    readonly cell: string;
    readonly producer: number;
    readonly region: string;
  }) => void;
  readonly trace?: ((line: TraceEvent) => void) | undefined;
}

export interface WorldOptions extends Pick<SimulationOptions, 'liar' | 'dead' | 'routing'> {
  readonly system: SimulatedSystem;
  readonly scenario: Pick<Scenario, 'faults' | 'producers' | 'lies'>;
  readonly noise: Noise;
  readonly seed: number;
  /** When the first observer begins; before 0, so that everything is at rest by then. */
  readonly startMs: number;
  /** Epoch milliseconds of t = 0. */
  readonly epochMs: number;
  readonly core: SimulatedCore;
  readonly conductor: 'alive' | 'dead';
  readonly actions: readonly OperatorAction[];
  readonly skip: boolean;
  readonly hooks: WorldHooks;
}

/** Of each cell. A producer in the primary asks through the primary's resolver, and so on: two there, one in the standby, as in the drill. */
const PRODUCER_ROLES = ['primary', 'primary', 'standby'] as const;
/** Clocks disciplined by NTP. */
const CLOCK_OFFSET_MS = 20;
const NEVER = Number.NEGATIVE_INFINITY;
const LOOK_BACK_STEP_MS = 1_000;

/** Everything that is simulated, and the ledger that the invariants are checked on. */
export class World {
  readonly agenda: Agenda;
  readonly nodes: readonly ObserverNode[];
  readonly count = { computed: 0, skipped: 0 };
  readonly #options: WorldOptions;
  readonly #calls: Calls;
  readonly #dns: Dns;
  readonly #nodeIn: ReadonlyMap<string, ObserverNode>;
  readonly #endpoints: Endpoints;
  /** Of the cells that have moved: the others' are where they always were. */
  readonly #producers = new Map<string, Producers>();
  readonly #groupOf: ReadonlyMap<string, string>;
  readonly #cells: readonly WatchedCell[];
  readonly #fleets: Fleets;
  /** Of the cells that DNS has in the standby, since when. */
  readonly #inStandbySinceMs = new Map<string, number>();
  readonly #conductor: Conductor;
  readonly #state: StateTable;
  readonly #referee: Referee;
  readonly #queries: ReadonlyMap<string, KnownCall>;
  readonly #dice = new Dice();
  readonly #expiryAt: number[] = [];
  /** Observers that accuse a cell by what they have stored. */
  readonly #accusing = new Set<ObserverNode>();
  #places: Places;
  /** DNS has everything in the primary. */
  #isHome = true;

  constructor(options: WorldOptions) {
    this.#options = options;
    const { system, seed, noise, scenario, startMs } = options;
    const { regions } = system;
    this.agenda = new Agenda(startMs);
    this.#calls = new Calls({ roles: regions, faults: scenario.faults, noise: noise.faults, latencyMs });
    const routing = (options.routing ?? routingOf)(system);
    this.#dns = new Dns({
      routing,
      cells: system.cells.map(({ name }) => name),
      agenda: this.agenda,
      onChange: (answers) => this.#onDns(answers),
    });
    this.#places = this.#placesOf(this.#dns.answers);
    this.#groupOf = new Map(system.cells.map(({ name, group }) => [name, group]));
    const sources = observerRegions(regions);
    this.#cells = watchedCells(system, scenario.producers);
    this.#fleets = this.#raiseFleets();
    this.#state = new StateTable({
      agenda: this.agenda,
      epochMs: options.epochMs,
      actions: options.actions,
      groups: groupsOfSystem(system),
      onSwitch: (group) => this.#onSwitch(group),
      trace: (text) => this.#trace('latch', text),
    });
    this.#referee = this.#appoint();
    this.nodes = sources.map((region, index) => this.#node(region, index));
    this.#nodeIn = new Map(this.nodes.map((node) => [node.region, node]));
    this.#endpoints = new Endpoints({
      system,
      routing,
      agenda: this.agenda,
      calls: this.#calls,
      dns: this.#dns,
      noise,
      seed,
      accuses: (region) => this.#served(region),
      holds: (group) => this.#state.switchOf(group).latched,
      onChange: (id, healthy) => this.#trace('check', `${id} is ${healthy ? 'healthy' : 'unhealthy'}`),
    });
    this.#conductor = new Conductor({
      standby: regions.standby,
      agenda: this.agenda,
      calls: this.#calls,
      seed,
      core: options.core,
      votesToEvacuate: system.policy.votesToEvacuate,
      cells: this.#cells,
      nodes: this.nodes,
      isLatched: (group) => this.#state.switchOf(group).latched,
      latchAll: () => this.#state.setAll(true, 'the conductor'),
      latch: (group) => this.#state.setSwitch(group, { latched: true, who: 'the conductor' }),
      onCellMove: (move) => this.#onCellMove(move),
    });
    const places = PRODUCER_ROLES.map((role) => regions[role]);
    this.#queries = new Map([...sources, ...places].map((source) => [source, this.#query(source)]));
    if (options.liar !== undefined)
      this.agenda.at(0, {
        rank: ranks.world,
        run: () => this.#endpoints.votes.get(options.liar ?? '')?.look(),
      });
  }

  get violations(): readonly Violation[] {
    return this.#referee.violations;
  }

  /** A switch holds. */
  get latched(): boolean {
    return this.#state.anyLatched;
  }

  get liveVotes(): number {
    return this.#referee.liveVotes;
  }

  /** Rounds that were skipped are made up for, so that counts and memories are those of the end. */
  finish(): void {
    for (const node of this.nodes) node.rouse();
  }

  release(): void {
    this.#state.setAll(false, 'an operator');
  }

  #raiseFleets(): Fleets {
    const { system, scenario, seed, noise } = this.#options;
    return new Fleets({
      cells: system.cells.map(({ name }) => name),
      producers: scenario.producers,
      lies: [...(scenario.lies ?? []), ...noise.lies],
      regions: system.regions,
      policy: system.policy,
      calls: this.#calls,
      seed,
      inStandbySinceMs: (cell) => this.#inStandbySinceMs.get(cell),
    });
  }

  #appoint(): Referee {
    const { system, conductor, liar, scenario, noise, epochMs } = this.#options;
    return new Referee({
      system,
      conductor,
      liar,
      faults: scenario.faults,
      lies: scenario.lies?.length ?? 0,
      hasNoise: noise.faults.length > 0,
      epochMs,
      nowMs: () => this.agenda.nowMs,
      world: () => ({
        places: this.#places,
        allLatched: this.#state.allLatched,
        switchOf: (cell) => this.#state.switchOf(this.#group(cell)),
        producersOf: (cell) => this.#producersSaw(cell),
        voteDarkSince: (region, atMs) => this.#endpoints.votes.get(region)?.darkShareSince(atMs) ?? 0,
        switchDarkSince: (cell, atMs) =>
          this.#endpoints.switches.get(this.#group(cell))?.darkShareSince(atMs) ?? 0,
      }),
      onViolation: ({ invariant, detail }) => this.#trace('violation', `${invariant}: ${detail}`),
    });
  }

  #node(region: string, index: number): ObserverNode {
    const options = this.#options;
    const { seed, noise, system, startMs, dead } = options;
    const own = seedFor(seed, 'observer', index);
    const slots = slotsPerRound(system.policy);
    const baseline = (role: number): BaselineFailures =>
      new BaselineFailures({ seed: hash(own, 1, role), rate: noise.baselineRate, slots });
    const trouble = noise.troubleOf(index);
    const gone = dead?.region === region ? [{ fromMs: dead.fromMs, untilMs: Number.POSITIVE_INFINITY }] : [];
    return new ObserverNode(
      {
        index,
        region,
        primary: system.regions.primary,
        seed,
        times: new ObserverTimes({
          startMs: startMs + between(uniform(hash(own, 2)), 0, RUN_PERIOD_MS),
          epochMs: options.epochMs,
          offsetMs: between(uniform(hash(own, 3)), -CLOCK_OFFSET_MS, CLOCK_OFFSET_MS),
          trouble: { ...trouble, absences: [...trouble.absences, ...gone] },
        }),
        baseline: {
          primary: baseline(1),
          standby: baseline(2),
          streams: new BaselineFailures({
            seed: hash(own, 1, 3),
            rate: noise.baselineRate,
            slots: STREAM_SLOTS,
          }),
        },
        mayRest: options.skip,
      },
      {
        agenda: this.agenda,
        calls: this.#calls,
        core: options.core,
        policy: system.policy,
        epochMs: options.epochMs,
        standby: system.regions.standby,
        controlItem: () => this.#state.control,
        switchItems: () => this.#state.switchItems,
        groups: groupsOfSystem(system).length,
        cells: this.#cells,
        fleets: this.#fleets,
        allHome: () => this.#isHome,
        quorum: (source) => {
          this.#referee.roundBegins(index, this.#places.region);
          return this.#resolves(source) && this.#places.region !== 'neither'
            ? this.#places.region
            : 'unknown';
        },
        isCalm: () =>
          this.#isHome && this.#accusing.size === 0 && !this.#state.anyLatched && this.#dns.isSettled,
        onRound: (seen) => this.#onRound(seen),
        onStored: (node, before) => this.#onStored(node, before),
        onStreamsProbed: (node, probed, atMs) =>
          this.#referee.streamsProbed(node.options.index, probed, atMs),
        onSkipped: (node, rounds, lastMs) => this.#onSkipped(node, rounds, lastMs),
      },
    );
  }

  #onSkipped(node: ObserverNode, rounds: number, lastMs: number): void {
    this.count.skipped += rounds;
    this.#referee.roundsSkipped(node.options.index, lastMs);
  }

  #onRound(seen: RoundSeen): void {
    this.count.computed++;
    const { node, before, result } = seen;
    const { hooks, conductor, system } = this.#options;
    hooks.onRound?.(seen);
    const { diagnosis, comment, state } = result.decision;
    const from = before.decision.phase;
    if (state.phase !== from)
      this.#trace('round', `${node.region} ${from} → ${state.phase}, ${diagnosis}: ${comment}`);
    this.#referee.roundEnds(seen);
    if (conductor === 'alive' && node.region === system.regions.standby) this.#conductor.observe(seen);
  }

  #onStored(node: ObserverNode, before: StoredVote | undefined): void {
    if (node.stored === undefined) return;
    const { vote, expiresAtMs } = node.stored;
    if (vote !== (before?.vote ?? 'HOLD')) this.#trace('vote', `${node.region} stores ${vote}`);
    this.#referee.voteStored(node, before);
    this.#noteAccusations(node);
    // Whatever the vote is: it is the endpoint that says what it reads in it.
    this.#endpoints.votes.get(node.region)?.look();
    if (vote === 'EVACUATE') this.#awaitExpiry(node, expiresAtMs - this.#options.epochMs);
    this.#options.hooks.onStored?.(node, before);
  }

  /** The observer in the standby reads what the others store, so it must not rest meanwhile. */
  #noteAccusations(node: ObserverNode): void {
    if (node.stored?.cells.some(({ kind }) => accusingKinds.has(kind)) !== true) {
      this.#accusing.delete(node);
      return;
    }
    if (this.#accusing.has(node)) return;
    this.#accusing.add(node);
    for (const each of this.nodes) each.rouse();
  }

  /** A vote that is not renewed goes by itself. One event waits for it, and finds out when due whether it was renewed. */
  #awaitExpiry(node: ObserverNode, atMs: number): void {
    const { index, region } = node.options;
    const waiting = (this.#expiryAt[index] ?? NEVER) > this.agenda.nowMs;
    if (waiting) return;
    this.#expiryAt[index] = atMs;
    this.agenda.at(atMs, {
      rank: ranks.world,
      index,
      run: () => {
        this.#expiryAt[index] = NEVER;
        const item = node.stored;
        if (item?.vote !== 'EVACUATE') return;
        const untilMs = item.expiresAtMs - this.#options.epochMs;
        if (untilMs > this.agenda.nowMs) this.#awaitExpiry(node, untilMs);
        else this.#endpoints.votes.get(region)?.look();
      },
    });
  }

  #served(region: string): boolean {
    const { liar, core, epochMs } = this.#options;
    if (region === liar && this.agenda.nowMs >= 0) return true;
    const stored = this.#nodeIn.get(region)?.stored;
    return stored !== undefined && core.liveVote(stored, epochMs + this.agenda.nowMs) === 'EVACUATE';
  }

  #onDns(answers: DnsAnswers): void {
    const from = this.#places;
    const to = this.#placesOf(answers);
    this.#places = to;
    const moved = cellsMoved(from, to);
    if (moved.length > 0 || from.region !== to.region) {
      this.#isHome = to.region === 'primary' && Object.values(to.cells).every((place) => place === 'primary');
      this.#traceMove(to, moved);
      for (const cell of moved) {
        if (to.cells[cell] === 'standby') this.#inStandbySinceMs.set(cell, this.agenda.nowMs);
        else this.#inStandbySinceMs.delete(cell);
      }
      for (const node of this.nodes) node.rouse();
      this.#options.hooks.onDns?.(from, to);
    }
    this.#referee.dnsChanges({ from, to, answers });
    for (const cell of moved) this.#producersOf(cell).look();
  }

  #traceMove({ region, cells }: Places, moved: readonly string[]): void {
    if (this.#options.hooks.trace === undefined) return;
    this.#trace('dns', [...moved.map((cell) => `${cell}: ${cells[cell]}`), `region: ${region}`].join(', '));
  }

  #producersOf(cell: string): Producers {
    const known = this.#producers.get(cell);
    if (known !== undefined) return known;
    const { system, seed, hooks } = this.#options;
    const { regions, delivery, cells } = system;
    const made = new Producers({
      cell,
      before: PRODUCER_ROLES.length * cells.findIndex(({ name }) => name === cell),
      places: PRODUCER_ROLES.map((role) => regions[role]),
      regions,
      delivery,
      agenda: this.agenda,
      calls: this.#calls,
      seed,
      resolve: (source) =>
        this.#resolves(source) ? this.#regionOf(this.#places.cells[cell] ?? 'neither') : undefined,
      onMoved: ({ producer, region }) =>
        this.#trace('producer', `producer ${producer} of ${cell} follows to ${region}`),
      onPut: (put) => hooks.onPut?.({ cell, ...put }),
    });
    this.#producers.set(cell, made);
    return made;
  }

  #onCellMove(move: GroupMove): void {
    this.#trace('cell', `${move.cells.join(', ')} is to move: ${move.reason}`);
    this.#referee.cellMoves(move);
    this.#options.hooks.onCellMove?.(move);
  }

  #producersSaw(cell: string): ProducerFacts {
    const fleet = this.#fleets.fleetOf(cell);
    const seen = { failingMs: 0, liarShare: 0 };
    const { minimumGain } = this.#options.system.policy;
    for (let agoMs = 0; fleet !== undefined && agoMs <= STREAM_MEMORY_MS; agoMs += LOOK_BACK_STEP_MS) {
      const atMs = this.agenda.nowMs - agoMs;
      if (fleet.failingShareAt(atMs) > minimumGain) seen.failingMs += LOOK_BACK_STEP_MS;
      seen.liarShare = Math.max(seen.liarShare, fleet.liarShareAt(atMs));
    }
    return seen;
  }

  #onSwitch(group: string): void {
    this.#endpoints.switches.get(group)?.look();
    for (const node of this.nodes) node.rouse();
  }

  #group(cell: string): string {
    return this.#groupOf.get(cell) ?? cell;
  }

  #placesOf({ region, cells }: DnsAnswers): Places {
    const placed = Object.entries(cells).map(([cell, answer]) => [cell, this.#placeOf(answer)] as const);
    return { region: this.#placeOf(region), cells: Object.fromEntries(placed) };
  }

  #placeOf(answer: DnsAnswer): Place {
    const { primary, standby } = this.#options.system.regions;
    const text = answer.records[0]?.values[0] ?? '';
    const parsed = parseSignal(text.slice(1, -1), [primary, standby]);
    if (!parsed.ok) return 'neither';
    return parsed.signal.region === primary ? 'primary' : 'standby';
  }

  #regionOf(place: Place): string | undefined {
    return place === 'neither' ? undefined : this.#options.system.regions[place];
  }

  /** DNS fails by noise alone: a scenario's faults are of services, and Route 53's data plane has held in all of them. */
  #query(source: string): KnownCall {
    return {
      ...this.#calls.know({ source, region: 'dns', service: 'route53', operation: 'Query' }),
      faults: [],
    };
  }

  #resolves(source: string): boolean {
    const known = this.#queries.get(source);
    if (known === undefined) return true;
    this.#dice.at(seedFor(this.#options.seed, source), 0, this.agenda.nowMs);
    return this.#calls.fate(known, this.agenda.nowMs, this.#dice.next).failure === undefined;
  }

  #trace(what: TraceEvent['what'], text: string): void {
    this.#options.hooks.trace?.({ atMs: this.agenda.nowMs, what, text });
  }
}

/** The way between two regions, there and back; the same for every answer. What is learnt of it is its 99th percentile. */
function latencyMs(source: string, region: string): number {
  return source === region ? 12 : between(uniform(seedFor(0, `${source} ${region}`)), 40, 130);
}
