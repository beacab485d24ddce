/**
 * How a stream places its records: by their keys, or as the service likes, where keys are ignored (`RecordDistributionStrategy`
 * AUTO; "Service-managed record distribution", Amazon Kinesis Data Streams Developer Guide). A stream may change at any time.
 */
export type Distribution = 'byKey' | 'serviceManaged';

/** From the field of DescribeStreamSummary. Regions and endpoints that do not know it place by key. */
export const distributionOf = (strategy: string | undefined): Distribution =>
  strategy === 'AUTO' ? 'serviceManaged' : 'byKey';

/** The command that gives a stream back to its keys. */
export const byKeyCommand = (region: string): string =>
  `aws kinesis update-stream-record-distribution-strategy --region ${region} --stream-arn ARN --record-distribution-strategy USER_PARTITION_KEY`;

/** What a producer was asked to do that needs the keys to place records. */
export interface KeyNeeds {
  /** `order: 'perKey'` */
  readonly order: boolean;
  readonly aggregates: boolean;
}

/** Streams of which one is written to. */
export interface KnownStreams {
  /** The first is taken for the home of the records: what can be refused without harm is refused there. */
  readonly regions: readonly string[];
  /** The region that is written to. */
  readonly inForce: string;
  /** Absent: not known. */
  readonly known: ReadonlyMap<string, { readonly stream: string; readonly distribution: Distribution }>;
  /** Records have been written, or were about to be, where keys place them. */
  readonly hasWritten: boolean;
}

export type DistributionVerdict =
  | { readonly kind: 'well' }
  /** No record is taken: nothing could keep what was asked for. */
  | { readonly kind: 'refused'; readonly reason: string }
  /** Records go on, and somebody should know. */
  | { readonly kind: 'told'; readonly problems: readonly string[] };

/**
 * What to do about streams that keep no key together. Refuses at home, or where all regions are like that, and only a producer that
 * has not worked before: the fault is then one of the set-up. In a standby, or in a stream that was changed under a running
 * producer, records go on without their order: to refuse them would be an outage.
 */
export function verdictOf(streams: KnownStreams, needs: KeyNeeds): DistributionVerdict {
  const { regions, inForce, known, hasWritten } = streams;
  const managed = regions.filter((region) => known.get(region)?.distribution === 'serviceManaged');
  if (managed.length === 0 || !(needs.order || needs.aggregates)) return { kind: 'well' };
  const nameOf = (region: string): string => known.get(region)?.stream ?? 'its stream';
  const isRefused =
    !hasWritten && managed.includes(inForce) && (inForce === regions[0] || managed.length === regions.length);
  if (isRefused) return { kind: 'refused', reason: refusalOf(nameOf(inForce), inForce, needs) };
  const problems = managed.map((region) => {
    const effect =
      region === inForce
        ? `records go on, ${lostOf(needs)}`
        : `after a move there, records would go on ${lostOf(needs)}`;
    return `${seen(nameOf(region), region)}: ${effect}. ${remedy(region, needs)}`;
  });
  return { kind: 'told', problems };
}

const seen = (stream: string, region: string): string =>
  `The stream ${stream} in ${region} has service-managed distribution (RecordDistributionStrategy AUTO), which keeps no key together`;

function refusalOf(stream: string, region: string, needs: KeyNeeds): string {
  const refused = [
    ...(needs.order ? ["`order: 'perKey'` cannot be kept there"] : []),
    ...(needs.aggregates ? ['aggregates are lost there, since the KCL drops their records in silence'] : []),
  ];
  return `${seen(stream, region)}: ${refused.join(', and ')}. ${remedy(region, needs)}`;
}

const lostOf = ({ order, aggregates }: KeyNeeds): string =>
  [...(order ? ['without their order per key'] : []), ...(aggregates ? ['not aggregated'] : [])].join(
    ' and ',
  );

function remedy(region: string, { order, aggregates }: KeyNeeds): string {
  const without = [
    ...(order ? ["set `order: 'none'`"] : []),
    ...(aggregates ? ['leave `aggregate` out'] : []),
  ];
  return `If consumers need none of that, ${without.join(' and ')}; else give the stream back to its keys: ${byKeyCommand(region)}`;
}
