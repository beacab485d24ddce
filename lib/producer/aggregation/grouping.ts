import type { Entry } from '../entry.ts';
import { hashPlaceOf } from '../hot-shards.ts';
import type { Lanes } from '../lanes.ts';
import { type KeyPlaces, NO_SLOT } from './key-places.ts';
import type { ShardMap } from './shard-map.ts';

export interface Group {
  readonly group: string | number;
  /** Set where the group is one of a shard, with the map that says so. */
  readonly shardId: string | undefined;
  readonly map: ShardMap | undefined;
  /** Whether the records get an explicit hash key, so that they share one. */
  readonly needsHashKey: boolean;
}

export interface GroupingOptions {
  readonly lanes: Pick<Lanes, 'laneOf'>;
  readonly ordered: boolean;
  readonly places: KeyPlaces;
}

/**
 * Which records may share an aggregate. Without a shard map those of one key; without order, those whose explicit hash key is
 * the same or may be chosen. Records with an explicit hash key and records without are kept apart everywhere: the readers of
 * npm and PyPI give a record without one the first of the aggregate.
 */
export class Grouping {
  readonly #options: GroupingOptions;
  #map: ShardMap | undefined;
  /** For each shard, its group of records without explicit hash keys, and that of records with them. */
  #groups: readonly Group[] = [];
  #slot = NO_SLOT;

  constructor(options: GroupingOptions) {
    this.#options = options;
  }

  /** Groups by this map from now on; without one, by key. */
  use(map: ShardMap | undefined): void {
    this.#map = map;
    this.#groups = Array.from({ length: 2 * (map?.size ?? 0) }, (_, group) => {
      return { group, shardId: map?.idOf(group >> 1), map, needsHashKey: false };
    });
  }

  /** The slot of the key that `of` was last asked for; NO_SLOT where it needed none. */
  get slot(): number {
    return this.#slot;
  }

  of(entry: Entry): Group {
    const { partitionKey, explicitHashKey } = entry;
    this.#slot = NO_SLOT;
    const map = this.#map;
    if (map !== undefined) {
      const place = this.#placeOf(entry);
      if (place !== undefined) {
        const group = 2 * map.indexOf(entry, place) + (explicitHashKey === undefined ? 0 : 1);
        return this.#groups[group] as Group;
      }
    }
    if (!this.#options.ordered) return explicitHashKey === undefined ? anyPlace : byKey(explicitHashKey);
    // Digits or nothing, and then the key: no two pairs give the same text.
    return byKey(`${explicitHashKey ?? ''}/${partitionKey}`);
  }

  #placeOf(entry: Entry): number | undefined {
    const { partitionKey, explicitHashKey } = entry;
    if (explicitHashKey !== undefined) return hashPlaceOf(partitionKey, explicitHashKey);
    const { ordered, lanes, places } = this.#options;
    this.#slot = places.slotOf(partitionKey, ordered ? entry.lane : lanes.laneOf(partitionKey));
    return this.#slot === NO_SLOT ? undefined : places.placeAt(this.#slot);
  }
}

const anyPlace: Group = { group: 'any', shardId: undefined, map: undefined, needsHashKey: true };
const byKey = (group: string): Group => ({ group, shardId: undefined, map: undefined, needsHashKey: false });
