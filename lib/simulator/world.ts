import { parseSignal } from '../../lambda/core/signal.ts';
import { observerRegions } from '../config/config.ts';
import type { DnsAnswer } from '../route53/answer.ts';
import type { Scenario } from '../scenario/schema.ts';
import { BaselineFailures } from './baseline.ts';
import { Calls, type KnownCall } from './calls.ts';
import { EndpointCheckers } from './checkers.ts';
import { Conductor } from './conductor.ts';
import { Dns, type DnsChange } from './dns.ts';
import { Agenda, ranks } from './events.ts';
import type { Place, Places } from './ledger.ts';
import type { Noise } from './noise.ts';
import { ObserverNode, type RoundSeen, type StoredVote } from './observer-node.ts';
import { ObserverTimes, RUN_PERIOD_MS } from './observer-times.ts';
import { slotsPerRound } from './probing.ts';
import { Producers } from './producers.ts';
import { between, Dice, hash, seedFor, uniform } from './random.ts';
import { Referee } from './referee.ts';
import { routingOf, switchCheckId, voteCheckId } from './routing.ts';
import { StateTable } from './state-table.ts';
import type { SimulatedSystem } from './system.ts';
import type { OperatorAction, SimulatedCore, SimulationOptions, TraceEvent, Violation } from './types.ts';

export interface WorldHooks {
  readonly onRound?: (seen: RoundSeen) => void;
  readonly onStored?: (node: ObserverNode, before: StoredVote | undefined) => void;
  readonly onDns?: (from: Places, to: Places) => void;
  readonly onPut?: (put: { readonly producer: number; readonly region: string }) => void;
  readonly trace?: ((line: TraceEvent) => void) | undefined;
}

export interface WorldOptions extends Pick<SimulationOptions, 'liar' | 'dead' | 'routing'> {
  readonly system: SimulatedSystem;
  readonly scenario: Pick<Scenario, 'faults'>;
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

/** A producer in the primary asks through the primary's resolver, and so on: two there, one in the standby, as in the drill. */
const PRODUCER_ROLES = ['primary', 'primary', 'standby'] as const;
/** Clocks disciplined by NTP. */
const CLOCK_OFFSET_MS = 20;
const NEVER = Number.NEGATIVE_INFINITY;

/** Everything that is simulated, and the ledger that the invariants are checked on. */
export class World {
  readonly agenda: Agenda;
  readonly nodes: readonly ObserverNode[];
  readonly count = { computed: 0, skipped: 0 };
  readonly #options: WorldOptions;
  readonly #calls: Calls;
  readonly #dns: Dns;
  readonly #voteCheckers: ReadonlyMap<string, EndpointCheckers>;
  readonly #switchCheckers: EndpointCheckers;
  readonly #producers: Producers;
  readonly #conductor: Conductor;
  readonly #state: StateTable;
  readonly #referee: Referee;
  readonly #queries: ReadonlyMap<string, KnownCall>;
  readonly #dice = new Dice();
  readonly #expiryAt: number[] = [];
  #places: Places;

  constructor(options: WorldOptions) {
    this.#options = options;
    const { system, seed, noise, scenario, startMs } = options;
    const { regions } = system;
    this.agenda = new Agenda(startMs);
    this.#calls = new Calls({ roles: regions, faults: scenario.faults, noise: noise.faults, latencyMs });
    const routing = (options.routing ?? routingOf)(system);
    this.#dns = new Dns(routing, this.agenda, (change) => this.#onDns(change));
    this.#places = this.#placesOf(this.#dns);
    const sources = observerRegions(regions);
    this.#state = new StateTable({
      agenda: this.agenda,
      epochMs: options.epochMs,
      actions: options.actions,
      onSwitch: () => this.#onSwitch(),
      trace: (text) => this.#trace('latch', text),
    });
    this.#referee = this.#appoint();
    this.nodes = sources.map((region, index) => this.#node(region, index));
    const endpoint = (
      id: string,
      region: string,
      tableOperation: 'GetItem' | 'Query',
      marked: () => boolean,
    ): EndpointCheckers => {
      const check = routing.endpoints.find((each) => each.id === id);
      if (check === undefined) throw new Error(`The tree has no check ${id}.`);
      const onChange = (): void =>
        this.#trace('check', `${id} is ${this.#dns.board.isHealthy(id) ? 'healthy' : 'unhealthy'}`);
      return new EndpointCheckers({
        check,
        region,
        tableOperation,
        remembers: id === switchCheckId,
        marked,
        agenda: this.agenda,
        calls: this.#calls,
        dns: this.#dns,
        noise,
        seed,
        onChange,
      });
    };
    this.#voteCheckers = new Map(
      this.nodes.map((node) => [
        node.region,
        endpoint(voteCheckId(node.region), node.region, 'GetItem', () => this.#served(node)),
      ]),
    );
    this.#switchCheckers = endpoint(switchCheckId, regions.standby, 'Query', () => this.#state.latched);
    this.#conductor = new Conductor({
      standby: regions.standby,
      agenda: this.agenda,
      calls: this.#calls,
      seed,
      latch: () => this.#state.setSwitch(true, 'the conductor'),
    });
    const places = PRODUCER_ROLES.map((role) => regions[role]);
    this.#queries = new Map([...sources, ...places].map((source) => [source, this.#query(source)]));
    this.#producers = new Producers({
      places,
      regions,
      delivery: system.delivery,
      agenda: this.agenda,
      calls: this.#calls,
      seed,
      resolve: (source) => (this.#resolves(source) ? this.#regionOf(this.#places.signal) : undefined),
      onMoved: ({ producer, region }) => this.#trace('producer', `producer ${producer} follows to ${region}`),
      onPut: (put) => options.hooks.onPut?.(put),
    });
    if (options.liar !== undefined)
      this.agenda.at(0, { rank: ranks.world, run: () => this.#voteCheckers.get(options.liar ?? '')?.look() });
  }

  get violations(): readonly Violation[] {
    return this.#referee.violations;
  }

  get latched(): boolean {
    return this.#state.latched;
  }

  get liveVotes(): number {
    return this.#referee.liveVotes;
  }

  /** Rounds that were skipped are made up for, so that counts and memories are those of the end. */
  finish(): void {
    for (const node of this.nodes) node.rouse();
  }

  release(): void {
    this.#state.setSwitch(false, 'an operator');
  }

  #appoint(): Referee {
    const { system, conductor, liar, scenario, noise, epochMs } = this.#options;
    return new Referee({
      system,
      conductor,
      liar,
      faults: scenario.faults,
      hasNoise: noise.faults.length > 0,
      epochMs,
      nowMs: () => this.agenda.nowMs,
      world: () => ({
        places: this.#places,
        latched: this.#state.latched,
        latchedMs: this.#state.latchedMs,
        heldMs: this.#state.heldMs,
        voteDarkSince: (region, atMs) => this.#voteCheckers.get(region)?.darkShareSince(atMs) ?? 0,
        switchDarkSince: (atMs) => this.#switchCheckers.darkShareSince(atMs),
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
        baseline: { primary: baseline(1), standby: baseline(2) },
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
        quorum: (source) => {
          this.#referee.roundBegins(index, this.#places.region);
          return this.#resolves(source) && this.#places.region !== 'neither'
            ? this.#places.region
            : 'unknown';
        },
        isCalm: () =>
          this.#places.signal === 'primary' &&
          this.#places.region === 'primary' &&
          !this.#state.latched &&
          this.#dns.isSettled,
        onRound: (seen) => this.#onRound(seen),
        onStored: (node, before) => this.#onStored(node, before),
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
    // Whatever the vote is: it is the endpoint that says what it reads in it.
    this.#voteCheckers.get(node.region)?.look();
    if (vote === 'EVACUATE') this.#awaitExpiry(node, expiresAtMs - this.#options.epochMs);
    this.#options.hooks.onStored?.(node, before);
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
        else this.#voteCheckers.get(region)?.look();
      },
    });
  }

  #served(node: ObserverNode): boolean {
    const { liar, core, epochMs } = this.#options;
    if (node.region === liar && this.agenda.nowMs >= 0) return true;
    return (
      node.stored !== undefined && core.liveVote(node.stored, epochMs + this.agenda.nowMs) === 'EVACUATE'
    );
  }

  #onDns({ signal, region }: DnsChange): void {
    const from = this.#places;
    const to = this.#placesOf({ signal, region });
    this.#places = to;
    const moved = from.signal !== to.signal;
    if (moved || from.region !== to.region) {
      this.#trace('dns', `signal: ${to.signal}, region: ${to.region}`);
      for (const node of this.nodes) node.rouse();
      this.#options.hooks.onDns?.(from, to);
    }
    this.#referee.dnsChanges(from, to, signal);
    if (moved) this.#producers.look();
  }

  #onSwitch(): void {
    this.#switchCheckers.look();
    for (const node of this.nodes) node.rouse();
  }

  #placesOf({ signal, region }: { readonly signal: DnsAnswer; readonly region: DnsAnswer }): Places {
    return { signal: this.#placeOf(signal), region: this.#placeOf(region) };
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
