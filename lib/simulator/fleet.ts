import {
  type BeaconClass,
  beaconClasses,
  beaconClassOf,
  HEALTH_INTERVAL_MS,
  LIFE_INTERVALS,
  SEEN_LATELY_MS,
  TROUBLE_INTERVAL_MS,
} from '../../lambda/core/beacon-item.ts';
import { rateAt } from '../scenario/faults.ts';
import type { Fault } from '../scenario/schema.ts';
import type { Fleet, Lie } from '../scenario/sources.ts';
import { explained, type KnownCall } from './calls.ts';
import { hash, uniform } from './random.ts';
import { type Span, Timeline } from './timeline.ts';

/**
 * From a first failure to the beacon that tells of it: producers in trouble write every 5 s, jittered, and the write
 * takes its time [inferred]. In steps, so that sources of one step need not be told apart.
 */
const LAG_MS = { from: 1_500, to: 7_000 } as const;
const LAG_STEP_MS = 500;
const LAG_STEPS = (LAG_MS.to - LAG_MS.from) / LAG_STEP_MS;
/**
 * Observers read the beacons of trouble in every round, and all others once a minute: of a source that has recovered they
 * still know its last beacon of trouble, until that has expired. On average it was written half an interval before.
 */
const KNOWN_AFTER_MS = (LIFE_INTERVALS - 0.5) * TROUBLE_INTERVAL_MS;
const KNOWN_STEPS = KNOWN_AFTER_MS / LAG_STEP_MS;
/** From a failure to the moment at which nothing is known of it any more. */
export const LONGEST_TRACE_MS = LAG_MS.to + KNOWN_AFTER_MS;
/** Producers follow DNS within its TTL and a poll. */
const FOLLOW_MS = 5_000;
/** A write that fails no more than this gets through before the last beacon has expired. */
const LOST_SHARE = 0.9;
/** Availability zones over which a fleet is spread. */
const DOMAINS = 3;

export interface FleetOptions extends Pick<Fleet, 'instances'> {
  readonly cell: string;
  readonly seed: number;
  /** The puts of a producer in the primary, to the stream of each region. */
  readonly puts: { readonly primary: KnownCall; readonly standby: KnownCall };
  /** The write of a beacon, from the primary to the table in the standby. */
  readonly write: KnownCall;
  readonly lies: readonly Lie[];
  /** Since when, to the present, DNS has had the cell in the standby; undefined: it has it elsewhere. */
  readonly inStandbySinceMs: () => number | undefined;
}

const nobody: readonly Lie[] = [];
const allWell: readonly number[] = Array(LAG_STEPS).fill(0);

/** Sources that cannot be told apart. */
export interface SourceGroup {
  readonly count: number;
  readonly domain: number;
  readonly region: 'primary' | 'standby';
  /** Of a hundred attempts, those that failed by the fault of the region. */
  readonly failed: number;
  /** `expired`: the last beacon no longer holds, and the source was seen lately. */
  readonly age: 'current' | 'expired';
}

/** The producers of one cell, as their beacons have them. */
export class CellFleet {
  readonly options: FleetOptions;
  readonly #puts: Readonly<Record<'primary' | 'standby', Timeline<Fault>>>;
  readonly #blocked: Timeline<Span>;
  readonly #lies: Timeline<Lie>;
  /** By the number of liars, which come first: sources by domain and step of lag. */
  readonly #honest = new Map<number, readonly Int32Array[]>();

  constructor(options: FleetOptions) {
    this.options = options;
    const { puts, write, lies } = options;
    this.#lies = new Timeline(lies);
    this.#puts = { primary: accusing(puts.primary), standby: accusing(puts.standby) };
    this.#blocked = new Timeline(joined(lost(write)));
  }

  /**
   * When sources may say anything that matters, while DNS has the cell in the primary: when more than this share of the
   * puts fails, or enough of them lie that it matters.
   */
  trouble(share: number, matters: (sources: readonly SourceGroup[]) => boolean): readonly Span[] {
    const { lies, instances } = this.options;
    const told = lies.filter(({ share, says }) => {
      const liars = this.#liars(share);
      const common = { domain: 0, region: 'primary', age: 'current' } as const;
      const lying = { ...common, count: liars, failed: 100 };
      return says === 'failing' && matters([lying, { ...common, count: instances - liars, failed: 0 }]);
    });
    const late = ({ atMs, untilMs }: Span): Span => ({ atMs, untilMs: untilMs + LONGEST_TRACE_MS });
    const failing = heavy(
      this.#puts.primary.spans.map((fault) => ({ ...late(fault), share: mostOf(fault) })),
      share,
    );
    return [...failing, ...told.map(late), ...this.#blocked.spans];
  }

  /** Whether every source is there, speaks of the primary, and says that less than this share fails. */
  isWell(atMs: number, share: number): boolean {
    if (this.options.inStandbySinceMs() !== undefined || this.#blocked.heldFrom(atMs, atMs).length > 0)
      return false;
    let works = 1;
    const fromMs = atMs - LONGEST_TRACE_MS;
    for (const fault of this.#puts.primary.heldFrom(fromMs, atMs))
      works *=
        1 -
        Math.max(shareOf(fault, Math.max(fromMs, fault.atMs)), shareOf(fault, Math.min(atMs, fault.untilMs)));
    // As in the tallies, which have whole percents.
    return Math.round(100 * (1 - works)) < 100 * share && this.#liarsAt(atMs).length === 0;
  }

  /** What the sources say at this time. */
  sourcesAt(atMs: number): readonly SourceGroup[] {
    const [blocked] = this.#blocked.heldFrom(atMs, atMs);
    const spokenMs = Math.min(atMs, blocked?.atMs ?? atMs);
    const groups = new Map<number, SourceGroup>();
    const add = (group: Omit<SourceGroup, 'age'>): void => {
      const age = ageOf(group.failed, atMs - spokenMs);
      if (group.count === 0 || age === 'gone') return;
      // Failures are whole percents.
      const key =
        4 * (DOMAINS * group.failed + group.domain) +
        (group.region === 'standby' ? 2 : 0) +
        (age === 'expired' ? 1 : 0);
      groups.set(key, { ...group, age, count: group.count + (groups.get(key)?.count ?? 0) });
    };
    const region = this.#speaksOf(spokenMs, LAG_MS.from);
    const shares = {
      primary: this.#recentlyFailed('primary', spokenMs),
      standby: region === 'standby' ? this.#recentlyFailed('standby', spokenMs) : allWell,
    };
    const liars = this.#liarsAt(spokenMs);
    for (const [n, { says }] of liars.entries())
      add({ count: 1, domain: n % DOMAINS, region, failed: says === 'failing' ? 100 : 0 });
    const honest = this.#honestSources(liars.length);
    for (let step = 0; step < LAG_STEPS; step++) {
      const lagMs = LAG_MS.from + step * LAG_STEP_MS;
      const of = this.#speaksOf(spokenMs, lagMs);
      const failed = shares[of][step] ?? 0;
      for (const [domain, steps] of honest.entries())
        add({ count: steps[step] ?? 0, domain, region: of, failed });
    }
    return [...groups.values()];
  }

  /** Share of the sources that do not say what they see. */
  liarShareAt(atMs: number): number {
    return this.#liarsAt(atMs).length / this.options.instances;
  }

  /** Share of the puts to the primary that fail by the region's fault, as producers see it. */
  failingShareAt(atMs: number): number {
    return this.#failedAt('primary', atMs) / 100;
  }

  #liars(share: number): number {
    return Math.round(share * this.options.instances);
  }

  /** One for each source that lies now: of overlapping lies the one that was begun first counts. */
  #liarsAt(atMs: number): readonly Lie[] {
    const told = this.#lies.heldFrom(atMs, atMs);
    if (told.length === 0) return nobody;
    const liars: Lie[] = [];
    for (const lie of told) {
      while (liars.length < this.#liars(lie.share)) liars.push(lie);
    }
    return liars;
  }

  #speaksOf(atMs: number, lagMs: number): 'primary' | 'standby' {
    const sinceMs = this.options.inStandbySinceMs();
    return sinceMs !== undefined && atMs >= sinceMs + FOLLOW_MS + lagMs ? 'standby' : 'primary';
  }

  /** By step of lag, the most that a source has reported and that an observer still knows. */
  #recentlyFailed(region: 'primary' | 'standby', spokenMs: number): readonly number[] {
    const newestMs = spokenMs - LAG_MS.from;
    if (this.#puts[region].heldFrom(spokenMs - LONGEST_TRACE_MS, newestMs).length === 0) return allWell;
    const seen = Array.from({ length: LAG_STEPS + KNOWN_STEPS }, (_, step) =>
      this.#failedAt(region, newestMs - step * LAG_STEP_MS),
    );
    return Array.from({ length: LAG_STEPS }, (_, step) =>
      Math.max(...seen.slice(step, step + KNOWN_STEPS + 1)),
    );
  }

  #failedAt(region: 'primary' | 'standby', atMs: number): number {
    let works = 1;
    for (const fault of this.#puts[region].heldFrom(atMs, atMs)) works *= 1 - shareOf(fault, atMs);
    return Math.round(100 * (1 - works));
  }

  #honestSources(liars: number): readonly Int32Array[] {
    const known = this.#honest.get(liars);
    if (known !== undefined) return known;
    const made = Array.from({ length: DOMAINS }, () => new Int32Array(LAG_STEPS));
    for (let n = liars; n < this.options.instances; n++) {
      const steps = made[n % DOMAINS];
      const step = Math.floor(uniform(hash(this.options.seed, n)) * LAG_STEPS);
      if (steps !== undefined) steps[step] = (steps[step] ?? 0) + 1;
    }
    this.#honest.set(liars, made);
    return made;
  }
}

/** A source in trouble writes often, and its silence is noticed soon. */
function ageOf(failed: number, silentMs: number): SourceGroup['age'] | 'gone' {
  const intervalMs = failed > 0 ? TROUBLE_INTERVAL_MS : HEALTH_INTERVAL_MS;
  const lifeMs = LIFE_INTERVALS * intervalMs;
  if (silentMs < lifeMs) return 'current';
  return silentMs < lifeMs + SEEN_LATELY_MS ? 'expired' : 'gone';
}

/** Faults of which a producer would say that they are the region's. */
const accusing = (call: KnownCall): Timeline<Fault> => new Timeline(faultsOf(call).filter(isRegions));

const faultsOf = ({ call, faults, noise }: KnownCall): readonly Fault[] =>
  [...faults, ...noise.spans].filter(({ where }) => where.operations?.includes(call.operation) ?? true);

function isRegions({ effect }: Fault): boolean {
  if (effect.kind === 'latency') return false;
  const named: BeaconClass = beaconClassOf[explained(effect, 'kinesis').errorClass];
  return beaconClasses[named] === 'region';
}

/** Share of a producer's records that a fault takes at this time. */
const shareOf = (fault: Fault, atMs: number): number =>
  rateAt(fault, atMs) * (fault.effect.kind === 'partial' ? fault.effect.rate : 1);

const lost = (write: KnownCall): readonly Span[] =>
  faultsOf(write).filter(
    (fault) => fault.effect.kind !== 'latency' && rateAt(fault, fault.atMs) >= LOST_SHARE,
  );

/** Most of a producer's records that a fault takes at any time. */
const mostOf = (fault: Fault): number => Math.max(shareOf(fault, fault.atMs), shareOf(fault, fault.untilMs));

interface Weighed extends Span {
  readonly share: number;
}

/** When spans together may take more than this share. Whole percents are reported, so half a percent less. */
function heavy(spans: readonly Weighed[], share: number): readonly Span[] {
  const found: Span[] = [];
  let active: readonly Weighed[] = [];
  for (const span of spans.toSorted((a, b) => a.atMs - b.atMs)) {
    active = [...active.filter(({ untilMs }) => untilMs > span.atMs), span];
    const works = active.reduce((left, each) => left * (1 - each.share), 1);
    if (1 - works < share - 0.005) continue;
    found.push({ atMs: span.atMs, untilMs: Math.max(...active.map(({ untilMs }) => untilMs)) });
  }
  return found;
}

/** Spans that touch become one. */
function joined(spans: readonly Span[]): readonly Span[] {
  const found: Span[] = [];
  for (const span of spans.toSorted((a, b) => a.atMs - b.atMs)) {
    const last = found.at(-1);
    if (last === undefined || span.atMs > last.untilMs) found.push(span);
    else found[found.length - 1] = { atMs: last.atMs, untilMs: Math.max(last.untilMs, span.untilMs) };
  }
  return found;
}
