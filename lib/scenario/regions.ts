import { nearest } from '../config/nearest.ts';
import { PRODUCERS, roleNames } from './fields.ts';

export interface PlayedRegions {
  readonly primary: string;
  readonly standby: string;
  readonly witnesses: readonly string[];
}

/** What of a scenario names regions. */
export interface PlacedFaults {
  readonly faults: readonly {
    readonly where: { readonly region: string };
    readonly seenFrom?: readonly string[] | undefined;
  }[];
}

/**
 * Sentences about faults that hit nothing of this config, because it has no such region. They are said and not refused: a
 * scenario may be about an outage elsewhere, which is to move nothing.
 */
export function strayRegions({ faults }: PlacedFaults, regions: PlayedRegions): readonly string[] {
  const own = [regions.primary, regions.standby, ...regions.witnesses];
  return faults
    .flatMap(({ where, seenFrom = [] }, n) => [
      { place: where.region, path: `faults[${n}].where.region` },
      ...seenFrom
        .filter((place) => place !== PRODUCERS)
        .map((place, at) => ({ place, path: `faults[${n}].seenFrom[${at}]` })),
    ])
    .filter(({ place }) => !roleNames.includes(place) && !own.includes(place))
    .map(({ place, path }) => {
      const near = nearest(place, own);
      const meant = near === undefined ? '' : ` Did you mean ${near}?`;
      return `${path} names ${place}, which is no region of the config (${own.join(', ')}): it hits nothing.${meant}`;
    });
}
