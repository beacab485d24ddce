import type { Assumption } from './assumption.ts';

/** Kinesis, CloudWatch and STS in the regions that are compared. */
export const regionAssumptions = [
  {
    id: 'stream-refusal-named',
    statement:
      'A refusal of the stream that a put names says so: "at \'streamName\'" or "at \'streamARN\'" in its message.',
    breaks:
      'The producer would try such records again for as long as they may be delivered, instead of failing them at once.',
    source: 'inferred',
    proof: {
      notProven: 'It would have to send puts that fail, and judge a wording that AWS may change.',
    },
  },
  {
    id: 'hosts-by-account-reachable',
    statement:
      'Where the SDK asks `ACCOUNT.data-kinesis.REGION.amazonaws.com`, that name leads wherever `kinesis.REGION.amazonaws.com` does, in a VPC with an interface endpoint as well.',
    breaks:
      'A producer in a VPC without a way out would not reach Kinesis; `AWS_ACCOUNT_ID_ENDPOINT_MODE=disabled` is the way round.',
    source: 'inferred',
    proof: { notProven: 'It depends on the VPC of each producer.' },
  },
  {
    id: 'canary-read-after-write',
    statement: 'A record can be read at most 300 ms after its put was answered, as a rule.',
    breaks:
      'Observers read each canary record at once and once more 300 ms later. If that were too early, reads of healthy regions would look stale and page; reads alone never move traffic.',
    source: 'inferred',
    proof: {
      experiment: 'canary',
      how: 'The share of records that the second look finds, which must be 95 % or more, in both regions.',
    },
  },
  {
    id: 'kinesis-cbor',
    statement: 'Kinesis takes PutRecords in CBOR as the producer writes it, and its answer can be read.',
    breaks: 'The producer falls back to JSON for each endpoint: slower, and otherwise the same.',
    source: 'inferred',
    proof: { experiment: 'cbor', how: 'A put in CBOR is answered with a shard and a sequence number.' },
  },
  {
    id: 'kinesis-idle-connection',
    statement: 'Kinesis keeps an idle connection open for more than 20 s.',
    breaks: 'The first request after a pause could meet a closed connection; the producer sends it again.',
    source: 'inferred',
    proof: {
      notProven:
        'The retry makes it harmless, and a middlebox near the producer may decide otherwise anyway.',
    },
  },
  {
    id: 'sequence-number-digits',
    statement: 'The sequence numbers of Kinesis have 56 digits and begin with 49.',
    breaks:
      'The numbers that the sidecar makes up for records on the disk, of 60 digits, would not sort after all of them, and could be taken for them.',
    source: 'inferred',
    proof: {
      notProven:
        'Each number is one sample; nothing that Spillway writes depends on it, and a client can tell the made-up ones by their twenty nines.',
    },
  },
  {
    id: 'kinesis-cellular',
    statement:
      'Kinesis fails in cells: one stream may fail for seconds or hours beside a healthy one of the same account.',
    breaks: 'Cells that move alone would have no use; the region’s canary would speak for every stream.',
    source: 'inferred',
    proof: { notProven: 'Only an outage can show it.' },
  },
  {
    id: 'on-demand-scales',
    statement: 'A stream on demand takes twice its peak of the last 30 days, and more after minutes only.',
    breaks:
      'A standby that was never written to throttles a full evacuation: the survey and `doctor` compare sizes.',
    source: { doc: 'Choose the right mode in Kinesis Data Streams' },
    proof: { notProven: 'It would cost the traffic of a full evacuation.' },
  },
  {
    id: 'access-errors-regional',
    statement:
      'Errors of access in one region, while the same credentials work in another, may be that region’s fault.',
    breaks:
      'PrimaryRefusesAccess would blame the region for a fault of the account; it pages and never moves.',
    source: 'inferred',
    proof: { notProven: 'Only an outage of a region’s sign-in can show it.' },
  },
  {
    id: 'metrics-within-minutes',
    statement: 'CloudWatch shows a point within five minutes after it was put.',
    breaks: 'Observers would call CloudWatch stale, and page; it never moves traffic.',
    source: 'inferred',
    proof: {
      experiment: 'metrics',
      how: 'The age of the newest heartbeat, which each observer puts into both regions every two minutes.',
    },
  },
  {
    id: 'outages-as-replayed',
    statement: 'The fractions of calls that fail in the scenarios are those of the outages.',
    breaks:
      'Drills and the simulator replay another outage than there was. Each scenario names what AWS has stated.',
    source: 'inferred',
    proof: { notProven: 'AWS has published no more than the scenarios cite.' },
  },
  {
    id: 'noise-as-simulated',
    statement:
      'The noise of healthy regions, the drift of checkers and the delays of metrics are those of the simulator.',
    breaks:
      'The simulator’s years of false alarms are not the ones that an account will see. Nothing deployed reads them.',
    source: 'inferred',
    proof: { notProven: 'It takes months of a deployment’s own records: see `spillway history --would`.' },
  },
  {
    id: 'cost-figures',
    statement:
      'The run times that `spillway cost` counts with (5 ms an endpoint’s answer, 0.5 s a monitor’s run) are about right.',
    breaks: 'The estimate of the cost.',
    source: 'inferred',
    proof: { notProven: 'The bill shows it.' },
  },
] as const satisfies readonly Assumption[];
