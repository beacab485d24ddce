import { positionUnread, type RememberedPosition } from '../../lambda/core/switch.ts';
import type { HealthChange } from '../route53/health-board.ts';
import { checkerRegions, type EndpointCheck } from '../route53/health-check.ts';
import { responseLimits } from '../route53/response.ts';
import type { Calls, KnownCall } from './calls.ts';
import type { Dns } from './dns.ts';
import { type Agenda, ranks } from './events.ts';
import type { Noise } from './noise.ts';
import { Dice, hash, seedFor, uniform } from './random.ts';

export interface EndpointOptions {
  readonly check: EndpointCheck;
  /** The region of the endpoint. */
  readonly region: string;
  /** The operation by which the endpoint's function reads its answer, in its own region. */
  readonly tableOperation: 'GetItem' | 'Query';
  /** True: the function repeats what it last read while its table does not answer. */
  readonly remembers: boolean;
  /** Checkers of other endpoints that are numbered before these: the order of events does not depend on who rests. */
  readonly before: number;
  /** Whether the body has the marker now. */
  readonly marked: () => boolean;
  readonly agenda: Agenda;
  readonly calls: Calls;
  readonly dns: Dns;
  readonly noise: Noise;
  readonly seed: number;
  readonly onChange: (changes: readonly HealthChange[]) => void;
}

interface Checker {
  readonly id: string;
  readonly known: KnownCall;
  readonly seed: number;
  readonly phaseMs: number;
  readonly periodMs: number;
  last: boolean;
  /** Results in a row that were what the endpoint says. */
  agreeing: number;
}

/** A scheduled request of a checker. */
interface Scheduled {
  readonly index: number;
  readonly checker: Checker;
  /** The generation of the request; requests of an earlier generation are not made. */
  readonly generation: number;
}

/** Checkers of one endpoint differ by this much in their interval, and from one request to the next [inferred, as in lib/route53/checkers.ts]. */
const DRIFT = 0.01;
const JITTER = 0.05;
const REMEMBERED_MS = 60_000;
/** With so many, those of more than a minute ago are forgotten: several times what a minute has. */
const MANY_REQUESTS = 2_000;
/** As in the endpoints' handlers. */
const READ_TIMEOUT_MS = 1_000;

/**
 * The checkers of one endpoint. While all of them have seen what the endpoint says, and nothing can make them see
 * anything else, they rest: the times of their requests are addressed, not accumulated, so they go on as if they had
 * never rested.
 */
export class EndpointCheckers {
  readonly #options: EndpointOptions;
  readonly #checkers: readonly Checker[];
  readonly #table: KnownCall;
  readonly #dice = new Dice();
  #generation = 0;
  #active = false;
  #marked = false;
  /** What the function last read, for `remembers`. */
  #read: RememberedPosition | undefined;
  /** Requests that had something to see, the last minute's at least. */
  #requests: { readonly atMs: number; readonly seen: boolean }[] = [];

  constructor(options: EndpointOptions) {
    this.#options = options;
    const { check, region, calls, seed } = options;
    this.#table = calls.know({
      source: region,
      region,
      service: 'dynamodb',
      operation: options.tableOperation,
    });
    const known = new Map(
      checkerRegions.map((source) => [
        source as string,
        calls.know({ source, region, service: 'lambda', operation: 'InvokeFunctionUrl' }),
      ]),
    );
    this.#checkers = options.dns.board.checkersOf(check).map((id, index) => {
      const own = seedFor(seed, check.id, index);
      const periodMs = Math.round(
        check.requestIntervalSeconds * 1_000 * (1 + DRIFT * (uniform(hash(own, 1)) - 0.5)),
      );
      const place = known.get(id.slice(0, id.indexOf('/')));
      if (place === undefined) throw new Error(`No call is known for checker ${id}.`);
      return {
        id,
        known: place,
        seed: own,
        phaseMs: Math.floor(uniform(hash(own, 2)) * periodMs),
        periodMs,
        last: false,
        agreeing: 0,
      };
    });
  }

  /** The endpoint may say something else from now on. */
  look(): void {
    const marked = this.#options.marked();
    if (marked === this.#marked) return;
    // At rest the table was read again and again, with the same result.
    if (!this.#active) this.#remember(this.#marked);
    this.#marked = marked;
    for (const checker of this.#checkers) checker.agreeing = 0;
    this.#start();
  }

  /** Share of the requests since then that did not see a marker that was there. At rest all of them see it. */
  darkShareSince(atMs: number): number {
    const recent = this.#requests.filter((request) => request.atMs >= atMs);
    return recent.length === 0 ? 0 : recent.filter(({ seen }) => !seen).length / recent.length;
  }

  #remember(marked: boolean): void {
    const { remembers, agenda } = this.#options;
    if (remembers) this.#read = { position: marked ? 'STANDBY' : 'PRIMARY', readAtMs: agenda.nowMs };
  }

  #note(seen: boolean): void {
    const { nowMs } = this.#options.agenda;
    this.#requests.push({ atMs: nowMs, seen });
    // Rarely, because in most runs nobody asks.
    if (this.#requests.length >= MANY_REQUESTS)
      this.#requests = this.#requests.filter(({ atMs }) => atMs >= nowMs - REMEMBERED_MS);
  }

  #start(): void {
    if (this.#active) return;
    if (this.#checkers.every(({ agreeing }) => agreeing > 0)) this.#remember(this.#marked);
    this.#active = true;
    const generation = ++this.#generation;
    const { nowMs } = this.#options.agenda;
    for (const [index, checker] of this.#checkers.entries())
      this.#schedule(this.#nextOf(checker, nowMs), { index, checker, generation });
  }

  #schedule(n: number, place: Scheduled): void {
    const { agenda } = this.#options;
    const { index, checker, generation } = place;
    agenda.at(timeOf(checker, n), {
      rank: ranks.check,
      index: this.#options.before + index,
      run: () => {
        if (generation !== this.#generation) return;
        this.#request(checker, n);
        if (!this.#rests()) this.#schedule(n + 1, place);
      },
    });
  }

  /** The first request after `nowMs`. */
  #nextOf(checker: Checker, nowMs: number): number {
    let n = Math.floor((nowMs - checker.phaseMs) / checker.periodMs) - 1;
    while (timeOf(checker, n) <= nowMs) n++;
    return n;
  }

  #request(checker: Checker, n: number): void {
    const { calls, dns, check, noise, onChange } = this.#options;
    const marked = this.#options.marked();
    if (marked !== this.#marked) this.look();
    this.#dice.at(checker.seed, 3, n);
    const luck = noise.checkFailureRate === 0 ? 1 : this.#dice.next();
    let seen = luck >= noise.checkFailureRate && this.#answers(calls, checker, marked);
    if (luck >= noise.checkFailureRate && luck < noise.checkFailureRate + noise.checkStaleRate)
      seen = checker.last;
    checker.agreeing = seen === marked ? checker.agreeing + 1 : 0;
    checker.last = seen;
    if (marked) this.#note(seen);
    const changes = dns.report(check, checker.id, seen);
    if (changes.length > 0) onChange(changes);
  }

  /** Whether the checker sees the marker: the function is reached, and reads its table, in the time that a checker waits. */
  #answers(calls: Calls, { known }: Checker, marked: boolean): boolean {
    if (!marked && this.#read?.position !== 'STANDBY') return false;
    const { nowMs } = this.#options.agenda;
    const reached = calls.fate(known, nowMs, this.#dice.next);
    const read = calls.fate(this.#table, nowMs, this.#dice.next);
    const unread = read.failure !== undefined || read.delayMs >= READ_TIMEOUT_MS;
    const delayMs = reached.delayMs + (unread ? READ_TIMEOUT_MS : read.delayMs);
    if (reached.failure !== undefined || delayMs >= responseLimits.statusMs) return false;
    if (unread) return positionUnread(this.#read, nowMs) === 'STANDBY';
    this.#remember(marked);
    return marked;
  }

  #isAtRest(): boolean {
    const { check, noise } = this.#options;
    if (this.#checkers.some(({ agreeing }) => agreeing < check.failureThreshold)) return false;
    // No failure can make a checker see a marker that is not there. One that is there can be missed.
    return !this.#marked || (noise.checkFailureRate === 0 && noise.checkStaleRate === 0);
  }

  #rests(): boolean {
    const { agenda } = this.#options;
    if (!this.#isAtRest()) return false;
    const untilMs = this.#marked ? this.#nextFaultMs(agenda.nowMs) : Number.POSITIVE_INFINITY;
    if (untilMs <= agenda.nowMs) return false;
    this.#active = false;
    const generation = ++this.#generation;
    if (Number.isFinite(untilMs)) {
      agenda.at(untilMs, { rank: ranks.world, run: () => generation === this.#generation && this.#start() });
    }
    return true;
  }

  #nextFaultMs(nowMs: number): number {
    let earliest = Number.POSITIVE_INFINITY;
    for (const { faults, noise } of [this.#table, ...this.#checkers.map(({ known }) => known)]) {
      earliest = Math.min(earliest, noise.nextMs(nowMs));
      for (const { atMs, untilMs } of faults)
        if (untilMs > nowMs) earliest = Math.min(earliest, Math.max(atMs, nowMs));
    }
    return earliest;
  }
}

function timeOf({ seed, phaseMs, periodMs }: Checker, n: number): number {
  return Math.round(phaseMs + n * periodMs + JITTER * periodMs * (uniform(hash(seed, 4, n)) - 0.5));
}
