import fc from 'fast-check';
import type { MovedRecord } from '../../../lib/consumer/index.ts';
import { KeySequencer } from '../../../lib/envelope/key-sequencer.ts';
import type { Fault } from '../../../lib/scenario/schema.ts';
import { Calls, type KnownCall } from '../../../lib/simulator/calls.ts';
import { Agenda, ranks } from '../../../lib/simulator/events.ts';
import { Producers } from '../../../lib/simulator/producers.ts';
import { between, stream } from '../../../lib/simulator/random.ts';

export const EAST = 'us-east-1';
export const WEST = 'us-west-2';
const roles = { primary: EAST, standby: WEST, witnesses: ['us-east-2'] };

/** What happens in a world. */
export interface Plan {
  readonly seed: number;
  readonly producers: number;
  readonly keys: number;
  /** That the producer remembers. */
  readonly maxKeys: number;
  /** Seconds before each move; the first one goes to the standby. */
  readonly moves: readonly number[];
  /** Share of requests to the region that is being left that fail. */
  readonly failing: number;
  /** Share of requests that are carried out, and whose answer does not come. */
  readonly lost: number;
  /** The process of each producer dies after the first move, and another one goes on with its spool. */
  readonly crash: boolean;
  /** At the end, what arrived in the primary around the first move is copied to the standby. */
  readonly drain: boolean;
}

export const anyPlan = (more: Partial<Record<keyof Plan, fc.Arbitrary<unknown>>> = {}): fc.Arbitrary<Plan> =>
  fc.record({
    seed: fc.integer(),
    producers: fc.integer({ min: 1, max: 3 }),
    keys: fc.integer({ min: 1, max: 5 }),
    maxKeys: fc.integer({ min: 1, max: 6 }),
    moves: fc.array(fc.integer({ min: 30, max: 60 }), { maxLength: 3 }),
    failing: fc.constantFrom(0, 0.5, 0.95),
    lost: fc.constantFrom(0, 0.1, 0.3),
    crash: fc.boolean(),
    drain: fc.boolean(),
    ...more,
  }) as fc.Arbitrary<Plan>;

/** What is in the stream of each region at the end, in its order. */
export type Streams = Readonly<Record<string, readonly Landed[]>>;
export interface Landed extends MovedRecord {
  readonly arrivedAtMs: number;
}

const TIMEOUT_MS = 3_000;
/** A request that timed out may still be carried out, for so long. */
const MAX_LANDING_MS = 4_000;
const LATENCY_MS = 40;
const PUT_EVERY_MS = 700;
/** After the last put: one key with many lost answers falls behind. */
const RUN_OUT_MS = 900_000;
/** Clocks of regions differ. */
const skewMs: Readonly<Record<string, number>> = { [EAST]: 0, [WEST]: 2_500 };

/** Plays a plan: the simulator's producers decide who moves when, and the rules of lib/producer what is written where. */
export function streamsOf(plan: Plan): Streams {
  const agenda = new Agenda(0);
  const random = stream(plan.seed);
  const streams: Record<string, Landed[]> = { [EAST]: [], [WEST]: [] };
  const times = plan.moves.map((_, at) => plan.moves.slice(0, at + 1).reduce((sum, s) => sum + s * 1_000, 0));
  const calls = new Calls({
    roles,
    faults: times.map((atMs, at) => failureOf(at % 2 === 0 ? 'primary' : 'standby', atMs, plan.failing)),
    noise: [],
    latencyMs: () => LATENCY_MS,
  });
  const world = { agenda, calls, random, streams, plan };
  const writers = Array.from({ length: plan.producers }, (_, index) => new Writer(world, index));
  let answer = EAST;
  const movers = new Producers({
    ...{ cell: 'orders', before: 0, agenda, calls, seed: plan.seed },
    places: writers.map(() => EAST),
    regions: roles,
    delivery: {
      healthCheckIntervalSeconds: 10,
      dnsTtlSeconds: 5,
      producerPollMs: 2_000,
      rtoMs: 75_000,
      switchConcurrency: 100,
    },
    resolve: () => answer,
    onMoved: ({ producer, region }) => writers[producer]?.moved(region),
    onPut: () => {},
  });
  for (const [at, atMs] of times.entries()) {
    const run = () => {
      answer = at % 2 === 0 ? WEST : EAST;
      movers.look();
    };
    agenda.at(atMs, { rank: ranks.dns, run });
  }
  const endMs = (times.at(-1) ?? 0) + 30_000;
  for (let atMs = 0; atMs < endMs; atMs += PUT_EVERY_MS)
    for (const writer of writers) agenda.at(atMs, { rank: ranks.producer, run: () => writer.put() });
  if (plan.crash)
    agenda.at((times[0] ?? 0) + 15_000, {
      rank: ranks.takeover,
      run: () => {
        for (const writer of writers) writer.crash();
      },
    });
  agenda.runUntil(endMs + RUN_OUT_MS, () => true);
  for (const writer of writers)
    if (writer.waiting > 0) throw new Error('the model has not written everything');
  if (plan.drain && times[0] !== undefined) drain(streams, times[0], agenda.nowMs);
  return streams;
}

function failureOf(region: 'primary' | 'standby', atMs: number, rate: number): Fault {
  return {
    atMs: atMs - 10_000,
    untilMs: atMs + 20_000,
    where: { region, service: 'kinesis', operations: ['PutRecords'] },
    effect: { kind: 'error', status: 500, code: 'InternalFailure' },
    rate,
  } as Fault;
}

function drain(streams: Record<string, Landed[]>, movedAtMs: number, nowMs: number): void {
  const stranded =
    streams[EAST]?.filter(({ arrivedAtMs }) => Math.abs(arrivedAtMs - movedAtMs) < 20_000) ?? [];
  for (const [at, record] of stranded.entries())
    streams[WEST]?.push({ ...record, region: WEST, arrivedAtMs: nowMs + at });
}

interface World {
  readonly agenda: Agenda;
  readonly calls: Calls;
  readonly random: () => number;
  readonly streams: Record<string, Landed[]>;
  readonly plan: Plan;
}

type Numbered = Omit<Landed, 'region' | 'arrivedAtMs'>;

/** As lib/producer: numbers when a record is taken in, one record of a key in flight, retries wherever the signal points by then. */
class Writer {
  readonly #world: World;
  readonly #index: number;
  readonly #known: Readonly<Record<string, KnownCall>>;
  #sequencer: KeySequencer;
  #lives = 0;
  #region = EAST;
  readonly #lanes = new Map<string, Numbered[]>();
  /** Acknowledged lately: a spool that was not told yet writes them again. */
  readonly #acknowledged = new Map<string, Numbered[]>();
  readonly #busy = new Set<string>();

  constructor(world: World, index: number) {
    this.#world = world;
    this.#index = index;
    this.#sequencer = new KeySequencer({ maxKeys: world.plan.maxKeys });
    const known = (region: string): KnownCall =>
      world.calls.know({
        ...{
          source: EAST,
          region,
          service: 'kinesis',
          operation: 'PutRecords',
          stream: 'orders',
          byProducer: true,
        },
      });
    this.#known = { [EAST]: known(EAST), [WEST]: known(WEST) };
  }

  get waiting(): number {
    return [...this.#lanes.values()].reduce((sum, lane) => sum + lane.length, 0);
  }

  put(): void {
    const { random, plan } = this.#world;
    const partitionKey = `k${Math.floor(random() * plan.keys)}`;
    const producerId = `p${this.#index}.${this.#lives}`;
    this.#laneOf(partitionKey).push({ producerId, partitionKey, ...this.#sequencer.next(partitionKey) });
    this.#pump(partitionKey);
  }

  moved(region: string): void {
    this.#region = region;
    this.#sequencer.advance();
  }

  crash(): void {
    const { random, plan } = this.#world;
    this.#lives++;
    this.#sequencer = new KeySequencer({ maxKeys: plan.maxKeys });
    this.#busy.clear();
    for (const [key, done] of this.#acknowledged) {
      this.#laneOf(key).unshift(...done.slice(Math.floor(random() * (done.length + 1))));
      this.#acknowledged.set(key, []);
      this.#pump(key);
    }
  }

  #laneOf(key: string): Numbered[] {
    const lane = this.#lanes.get(key) ?? [];
    this.#lanes.set(key, lane);
    return lane;
  }

  #pump(key: string): void {
    const [head] = this.#laneOf(key);
    if (head === undefined || this.#busy.has(key)) return;
    this.#busy.add(key);
    this.#attempt(head);
  }

  #attempt(head: Numbered): void {
    const { agenda, calls, random, plan } = this.#world;
    const region = this.#region;
    const { failure } = calls.fate(this.#known[region] as KnownCall, agenda.nowMs, random);
    if (failure !== undefined) this.#after(LATENCY_MS + random() * 500, () => this.#attempt(head));
    else if (random() < plan.lost) {
      this.#land(head, region, between(random(), 5, MAX_LANDING_MS));
      this.#after(TIMEOUT_MS, () => this.#attempt(head));
    } else {
      this.#land(head, region, LATENCY_MS / 2);
      this.#after(LATENCY_MS, () => this.#acknowledge(head));
    }
  }

  #acknowledge(head: Numbered): void {
    const { partitionKey: key } = head;
    this.#laneOf(key).shift();
    this.#acknowledged.set(key, [...(this.#acknowledged.get(key) ?? []), head].slice(-4));
    this.#busy.delete(key);
    this.#pump(key);
  }

  #land(record: Numbered, region: string, delayMs: number): void {
    const { agenda, streams } = this.#world;
    const run = () => {
      streams[region]?.push({ ...record, region, arrivedAtMs: agenda.nowMs + (skewMs[region] ?? 0) });
    };
    agenda.at(agenda.nowMs + delayMs, { rank: ranks.world, run });
  }

  /** In this life alone. */
  #after(delayMs: number, then: () => void): void {
    const { agenda } = this.#world;
    const life = this.#lives;
    const run = () => {
      if (life === this.#lives) then();
    };
    agenda.at(agenda.nowMs + Math.round(delayMs), { rank: ranks.producer, index: this.#index, run });
  }
}
