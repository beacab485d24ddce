import {
  type BeaconClass,
  beaconClasses,
  beaconClassNames,
  bucketOf,
  COUNTS,
  type Counts,
} from '../../../lambda/core/beacon-item.ts';
import { failureClassOf } from './failure-class.ts';

const SLOT_MS = 5_000;
const MOST_SLOTS = 12;
/** The window always holds the last two slots: the newest alone may have just begun. */
const LEAST_SLOTS = 2;
/** Further back it goes only while it holds fewer attempts than a source needs to have something to say. */
const ENOUGH_ATTEMPTS = 20;

const failurePlaces = Object.fromEntries(beaconClassNames.map((name, n) => [name, 1 + n])) as Readonly<
  Record<BeaconClass, number>
>;
const LATENCY_PLACE = 1 + beaconClassNames.length;
const countedPlaces = [
  0,
  ...beaconClassNames.filter((name) => beaconClasses[name] === 'region').map((name) => failurePlaces[name]),
];

interface Slot {
  readonly number: number;
  readonly counts: number[];
}

/**
 * What was put to one stream in one region during the last minute, in slots of five seconds. Records are counted
 * request by request, so what an answer costs does not depend on how many records it was for.
 */
export class Tally {
  #newest: Slot | undefined;
  readonly #slots: Slot[] = [];

  answered(ok: number, { nowMs, tookMs }: { readonly nowMs: number; readonly tookMs: number }): void {
    const { counts } = this.#slotAt(nowMs);
    counts[0] = (counts[0] as number) + ok;
    const place = LATENCY_PLACE + bucketOf(tookMs);
    counts[place] = (counts[place] as number) + 1;
  }

  /** Whether it was the region's fault. */
  failed(records: number, { nowMs, as }: { readonly nowMs: number; readonly as: BeaconClass }): boolean {
    const { counts } = this.#slotAt(nowMs);
    const place = failurePlaces[as];
    counts[place] = (counts[place] as number) + records;
    return beaconClasses[as] === 'region';
  }

  /** Counts single records that were refused. Whether some were by the region's fault. */
  refused(errors: readonly unknown[], nowMs: number): boolean {
    let isRegionsFault = false;
    let name: string | undefined;
    let as: BeaconClass = 'other';
    for (const error of errors) {
      // Most of the refused records of an answer have the same code.
      const next = error instanceof Error ? error.name : '';
      if (next !== name) as = failureClassOf(error);
      name = next;
      if (this.failed(1, { nowMs, as })) isRegionsFault = true;
    }
    return isRegionsFault;
  }

  /** The counts of late; undefined where nothing was put in the last minute. */
  window(nowMs: number): Counts | undefined {
    const current = Math.floor(nowMs / SLOT_MS);
    const sum = new Array<number>(COUNTS).fill(0);
    let isEmpty = true;
    for (const { number, counts } of this.#slots.toReversed()) {
      const age = current - number;
      if (age >= MOST_SLOTS) break;
      if (age >= LEAST_SLOTS && attemptsIn(sum) >= ENOUGH_ATTEMPTS) break;
      for (let n = 0; n < COUNTS; n++) sum[n] = (sum[n] as number) + (counts[n] as number);
      isEmpty = false;
    }
    return isEmpty ? undefined : sum;
  }

  #slotAt(nowMs: number): Slot {
    const number = Math.floor(nowMs / SLOT_MS);
    if (this.#newest?.number === number) return this.#newest;
    const slot = { number, counts: new Array<number>(COUNTS).fill(0) };
    this.#newest = slot;
    this.#slots.push(slot);
    if (this.#slots.length > MOST_SLOTS) this.#slots.shift();
    return slot;
  }
}

const attemptsIn = (counts: Counts): number =>
  countedPlaces.reduce((attempts, place) => attempts + (counts[place] as number), 0);
