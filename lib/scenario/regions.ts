import { nearest } from '../config/nearest.ts';
import { ScenarioError } from './errors.ts';
import { PRODUCERS, roleNames } from './fields.ts';

export interface PlayedRegions {
  readonly primary: string;
  readonly standby: string;
  readonly witnesses: readonly string[];
}

/** What of a scenario names regions. */
export interface PlacedFaults {
  readonly name: string;
  readonly faults: readonly {
    readonly where: { readonly region: string };
    readonly seenFrom?: readonly string[] | undefined;
  }[];
}

/**
 * @throws ScenarioError when a fault is in a region, or seen from one, that the config does not have: the fault would hit no
 * call, and an expectation to hold would be met by nothing at all.
 */
export function checkRegions({ name, faults }: PlacedFaults, regions: PlayedRegions): void {
  const own = [regions.primary, regions.standby, ...regions.witnesses];
  const problems = faults
    .flatMap(({ where, seenFrom = [] }, n) => [
      { place: where.region, path: `faults[${n}].where.region` },
      ...seenFrom
        .filter((place) => place !== PRODUCERS)
        .map((place, at) => ({ place, path: `faults[${n}].seenFrom[${at}]` })),
    ])
    .filter(({ place }) => !roleNames.includes(place) && !own.includes(place))
    .map(({ place, path }) => {
      const near = nearest(place, own);
      const meant = near === undefined ? '' : `Did you mean ${near}? `;
      return {
        path,
        problem: `names ${place}, and the config has no such region`,
        fix: `${meant}Write a role (primary, standby, witness), or one of ${own.join(', ')}.`,
      };
    });
  if (problems.length > 0) throw new ScenarioError(name, problems);
}
