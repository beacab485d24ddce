import type { Regions } from './config.ts';
import type { ConfigProblem } from './errors.ts';
import { nearest } from './nearest.ts';
import { type AwsRegion, otherPartitions, REGIONS_CHECKED_ON, regionTable } from './region-table.ts';

/** The partition whose names are in every ARN that Spillway writes, and whose Route 53 it follows. */
const PARTITION = 'aws';
/** The SDK's pattern for names of the partition; those of other partitions have a part more. */
const named = /^[a-z]{2}-[a-z]+-\d{1,2}$/;

const byName: ReadonlyMap<string, AwsRegion> = new Map(regionTable.map((region) => [region.name, region]));

/** Names of all regions that are known, in every partition. */
export const regionNames: readonly string[] = [...byName.keys()];

interface Place {
  readonly path: string;
  readonly region: string;
  /** What a role needs function URLs for; the primary, where no function is, needs none. */
  readonly needsUrlsTo?: string;
}

const TO_VOTE = 'tell Route 53 its vote';

function placesOf({ primary, standby, witnesses }: Regions): readonly Place[] {
  return [
    { path: 'regions.primary', region: primary },
    { path: 'regions.standby', region: standby, needsUrlsTo: `${TO_VOTE} and the switches` },
    ...witnesses.map((region, n) => ({ path: `regions.witnesses[${n}]`, region, needsUrlsTo: TO_VOTE })),
  ];
}

/**
 * Regions that are not in the partition, that are not known, or that lack what their role needs. The owner's word, in
 * `regions.confirmed`, is taken for what may have come since the table was made, and not for another partition.
 */
export function regionProblems({ regions }: { readonly regions: Regions }): readonly ConfigProblem[] {
  const { confirmed = [] } = regions;
  return placesOf(regions).flatMap((place) => {
    const foreign = foreignProblem(place.region, confirmed);
    const [problem, fix] =
      foreign ??
      (confirmed.includes(place.region) ? [] : (unknownProblem(place) ?? lackOf(place, regions) ?? []));
    return problem === undefined || fix === undefined ? [] : [{ path: place.path, problem, fix }];
  });
}

type ProblemAndFix = readonly [problem: string, fix: string];

function foreignProblem(region: string, confirmed: readonly string[]): ProblemAndFix | undefined {
  const fix = `Name regions of the partition ${PARTITION}, for example us-west-2.`;
  const partition =
    byName.get(region)?.partition ?? otherPartitions.find(([prefix]) => region.startsWith(prefix))?.[1];
  if (partition !== undefined && partition !== PARTITION) {
    return [
      `${region} is in the partition ${partition}, and Spillway works in the partition ${PARTITION} alone`,
      fix,
    ];
  }
  if (!confirmed.includes(region) || named.test(region)) return undefined;
  return [
    `${region} is not named like a region of the partition ${PARTITION}, the only one Spillway works in`,
    fix,
  ];
}

function unknownProblem({ region, needsUrlsTo }: Place): ProblemAndFix | undefined {
  if (byName.has(region)) return undefined;
  const near = nearest(
    region,
    regionTable.filter((one) => fits(one, needsUrlsTo !== undefined)).map(({ name }) => name),
  );
  const since = `if AWS has opened it since ${REGIONS_CHECKED_ON}, add it to regions.confirmed.`;
  return [
    `${region} is not a region of AWS that this version knows`,
    near === undefined ? `Name a region like us-west-2; ${since}` : `Did you mean ${near}? Or, ${since}`,
  ];
}

function lackOf({ region, needsUrlsTo }: Place, regions: Regions): ProblemAndFix | undefined {
  if (needsUrlsTo === undefined || byName.get(region)?.functionUrls === true) return undefined;
  const taken = [regions.primary, regions.standby, ...regions.witnesses];
  const free = regionTable.filter((one) => fits(one, true) && !taken.includes(one.name));
  const [continent = ''] = region.split('-');
  const other = free.find(({ name }) => name.startsWith(`${continent}-`)) ?? free[0];
  return [
    `${region} is not known to have Lambda function URLs, which it would need to ${needsUrlsTo}`,
    `Name another region, for example ${other?.name}; if AWS has added them since ${REGIONS_CHECKED_ON}, add ${region} to regions.confirmed.`,
  ];
}

const fits = ({ partition, functionUrls }: AwsRegion, needsUrls: boolean): boolean =>
  partition === PARTITION && (functionUrls || !needsUrls);
