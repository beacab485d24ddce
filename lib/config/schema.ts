import { z } from 'zod';
import { beaconPolicies, modes, siblingNames } from '../../lambda/core/policy.ts';
import { probeModes } from '../../lambda/core/watched-cells.ts';
import { consumersSchema } from './consumers-schema.ts';
import { drillSchedules } from './drill-schedule.ts';
import { between, either, list, object, oneOf, say, text, whole } from './fields.ts';
import { REGIONS_CHECKED_ON } from './region-table.ts';

// Shape and ranges of a configuration file. Relations between values are in relations.ts, defaults in defaults.ts.

const MINUTE_MS = 60_000;
const HOUR_MS = 60 * MINUTE_MS;
const DAY_MS = 24 * HOUR_MS;
/** The vote endpoint takes a longer life for damage, and answers HOLD (`lambda/core/vote.ts`). */
const MAX_VOTE_TTL_MS = 120_000;
/** Route 53 wants a TTL of 60 s or less on records with a health check. */
const MAX_DNS_TTL_SECONDS = 60;
/** Of an account's usual 1,000, of which Lambda keeps 100 unreserved. */
const MAX_RESERVED = 900;
/** Values in one record set: 400 ("Quotas on records", Amazon Route 53 Developer Guide). */
const MAX_RECORD_VALUES = 400;
const MAX_CELLS = 5_000;
const MAX_SERVICES_PER_CELL = 50;
/**
 * With the standby, the witnesses make N observers; three observers are the least that can outvote a sick
 * one.
 */
const MIN_WITNESSES = 2;
const MAX_WITNESSES = 30;

const label = '[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?';
const zoneLabel = '[A-Za-z0-9_](?:[A-Za-z0-9_-]{0,61}[A-Za-z0-9_])?';

const region = text(
  /^[a-z]{2,4}(?:-[a-z]+)+-\d{1,2}$/,
  'the name of an AWS region',
  'Write a region like us-west-2.',
);
const dnsLabel = (what: string) =>
  text(
    new RegExp(`^${label}$`),
    `a ${what} name`,
    'Use 1 to 63 lower case letters, digits and hyphens, with no hyphen at either end.',
  );

const streamName = text(
  /^[a-zA-Z0-9_.-]{1,128}$/,
  'a Kinesis stream name',
  'Use 1 to 128 letters, digits, underscores, full stops and hyphens; a name, not an ARN: for a stream of another account write { arn }.',
);

const streamArn = text(
  /^arn:aws:kinesis:[a-z0-9-]+:\d{12}:stream\/[a-zA-Z0-9_.-]{1,128}$/,
  'the ARN of a Kinesis stream in the partition aws',
  'Write an ARN like arn:aws:kinesis:us-east-1:111122223333:stream/orders.',
);

const keyArn = text(
  /^arn:aws:kms:[a-z0-9-]+:\d{12}:key\/[A-Za-z0-9-]{1,64}$/,
  'the ARN of a KMS key',
  'Copy the ARN of the key, not of an alias: arn:aws:kms:REGION:ACCOUNT:key/ID.',
);
const keyUse =
  'a created stream is encrypted with it, and whatever writes or reads the stream gets the right to use it. Default: the key of Kinesis itself.';

const streamObject = <Key extends z.ZodType>(kmsKeyArn: Key) =>
  object({
    name: streamName.optional(),
    arn: streamArn
      .optional()
      .describe(
        'In place of name, in streams alone: the ARN of an existing stream of another account, in the region of the role (docs/other-accounts.md).',
      ),
    existing: z
      .boolean({
        error: say('is not true or false', 'Write true for a stream of your own, else leave the key out.'),
      })
      .optional()
      .describe('true: the stream exists and is never touched. Default false: Spillway creates it.'),
    shards: whole({ min: 1, max: 10_000, unit: 'shards' }).describe(
      'Shards of a created, provisioned stream. Default: on demand.',
    ),
    kmsKeyArn,
  }).check(({ value, issues }) => {
    const { name, arn, existing, shards } = value as {
      readonly name?: string;
      readonly arn?: string;
      readonly existing?: boolean;
      readonly shards?: number;
    };
    const told = (path: string[], message: string) =>
      issues.push({ code: 'custom', input: value, path, message });
    if (name === undefined && arn === undefined)
      told(['name'], say('is missing', 'Write the name of the stream, or arn for one of another account.'));
    if (name !== undefined && arn !== undefined)
      told(['arn'], say('is given beside name', 'Leave name out: the ARN has it.'));
    if (shards !== undefined && (existing === true || arn !== undefined))
      told(['shards'], say('is given for an existing stream, which is never changed', 'Leave shards out.'));
    if (arn !== undefined && existing === false)
      told(['existing'], say('is false for a stream of another account', 'Leave existing out.'));
  });

/** Of one region. */
const stream = either(
  [streamName, streamObject(keyArn.optional().describe(`The customer-managed key of the stream: ${keyUse}`))],
  {
    what: 'a stream name nor { name, existing, shards, kmsKeyArn } nor { arn, kmsKeyArn }',
    fix: "Write stream: 'orders'.",
  },
).describe(
  'A stream name, or { name, existing, shards, kmsKeyArn }, or { arn, kmsKeyArn } for a stream of another account.',
);

/** Of one name in both regions; a key has another ARN in each, also a multi-region key. */
const streamOfBoth = either(
  [
    streamName,
    streamObject(
      object({ primary: keyArn.optional(), standby: keyArn.optional() })
        .optional()
        .describe(`The customer-managed key of the stream in each region: ${keyUse}`),
    ),
  ],
  {
    what: 'a stream name nor { name, existing, shards, kmsKeyArn }',
    fix: "Write stream: 'orders'.",
  },
).describe('A stream name, or { name, existing, shards, kmsKeyArn: { primary, standby } }.');

const recordValue = z.string({ error: say('is not a string', 'Write an address or a host name.') });
const recordValues = either(
  [recordValue, list(recordValue, { min: 1, max: MAX_RECORD_VALUES, what: 'values' })],
  {
    what: 'a string nor a list of strings',
    fix: 'Write an address or a host name, or a list of addresses.',
  },
).describe('An address or a host name, or a list of addresses.');

const service = object({
  name: text(
    new RegExp(`^${label}(?:\\.${label})*$`),
    'a name below the zone',
    "Write the name without the zone and in lower case, for example 'api.orders'; the zone's own name and wildcards cannot follow a cell.",
  ).describe('Relative to the zone, for example api.orders.'),
  type: oneOf(['A', 'AAAA', 'CNAME']),
  primary: recordValues,
  standby: recordValues,
});

const cell = object({
  name: dnsLabel('cell').describe('A DNS label: signal.<cell>.<zone> tells producers where to write.'),
  group: dnsLabel('group')
    .optional()
    .describe(
      'Cells of one group share a switch, and so a health check. Default: the cell is its own group.',
    ),
  stream: streamOfBoth.optional().describe('The stream of both regions. Give this or streams.'),
  streams: object({ primary: stream, standby: stream })
    .optional()
    .describe('The stream of each region, when they differ. Give this or stream.'),
  probe: oneOf(probeModes)
    .optional()
    .describe(
      'Whether observers put marked records into the streams of the cell: always, when something is suspected, or never. Consumers see these records. Default: onSuspicion for streams that Spillway creates, never for existing ones.',
    ),
  mode: oneOf(modes)
    .optional()
    .describe(
      'The most that moves of this cell alone may do by themselves. The votes of the region move every cell. Default: as the policy says.',
    ),
  services: list(service, { min: 0, max: MAX_SERVICES_PER_CELL, what: 'services' })
    .optional()
    .describe('DNS names of the workload that move with the cell.'),
  consumers: consumersSchema
    .optional()
    .describe(
      'What reads the streams of the cell, in both regions. `spillway consumers` says whether the standby would be read. Default: not named; what can be found is looked at (docs/consumers.md).',
    ),
}).check((context) => {
  const given = [context.value.stream, context.value.streams].filter((value) => value !== undefined).length;
  if (given === 1) return;
  const problem = given === 0 ? 'names no stream' : 'has both stream and streams';
  const fix = 'Write stream for one name in both regions, or streams: { primary, standby }, not both.';
  context.issues.push({ code: 'custom', input: context.value, message: say(problem, fix) });
});

const policy = object({
  mode: oneOf(modes).optional().describe('observe: report. approve: ask an operator. auto: evacuate.'),
  votesToEvacuate: whole({ min: 1, max: MAX_WITNESSES + 1, unit: 'observers' }).describe(
    'K: observers that must agree. Default: a majority.',
  ),
  tickMs: whole({ min: 1_000, max: 30_000, unit: 'milliseconds' }).describe(
    'Time between two rounds of probes.',
  ),
  probeTimeoutMs: whole({ min: 100, max: 10_000, unit: 'milliseconds' }).describe(
    'Longest wait for one probe.',
  ),
  putsPerRound: whole({ min: 1, max: 10, unit: 'puts' }).describe(
    'Canary records that an observer puts in each round, each in a call of its own.',
  ),
  slowProbeEveryTicks: whole({ min: 1, max: 720, unit: 'ticks' }).describe(
    'CloudWatch and control-plane probes run on every n-th tick.',
  ),
  siblingProbes: list(oneOf(siblingNames), { min: 0, max: siblingNames.length, what: 'services' })
    .optional()
    .describe('Other services of the primary to probe, to tell their outages from those of Kinesis.'),
  voteTtlMs: whole({ min: 3_000, max: MAX_VOTE_TTL_MS, unit: 'milliseconds' }).describe('Life of a vote.'),
  blipMs: whole({ min: 0, max: MINUTE_MS, unit: 'milliseconds' }).describe(
    'A failure that is over sooner than this moves nothing, however complete the failure was.',
  ),
  holdMs: whole({ min: 0, max: HOUR_MS, unit: 'milliseconds' }).describe(
    'How long a diagnosis must last before it becomes a vote.',
  ),
  recoveryMs: whole({ min: 10_000, max: DAY_MS, unit: 'milliseconds' }).describe(
    'How long the primary must be healthy before a vote may clear.',
  ),
  cooldownMs: whole({ min: 0, max: 7 * DAY_MS, unit: 'milliseconds' }).describe(
    'No new evacuation for this long after a vote cleared.',
  ),
  baselineFailureRate: between({ min: 0.000_001, max: 0.1, unit: 'fraction' }).describe(
    'Fraction of probes that fail in a healthy region.',
  ),
  impairedFailureRate: between({ min: 0.01, max: 0.99, unit: 'fraction' }).describe(
    'Fraction of failing probes that must be found quickly.',
  ),
  minimumGain: between({ min: 0.05, max: 0.4, unit: 'fraction' }).describe(
    'How much larger the failing fraction of the primary must be than that of the standby before traffic moves. Below it, a failure is paged.',
  ),
  beacons: oneOf(beaconPolicies)
    .optional()
    .describe(
      'What a quorum of producers that report failures may do. probe (default): probes of the stream decide where they are allowed, else somebody is paged. move: the cell moves. ignore: nothing.',
    ),
  falseAlarmsPerYear: between({ min: 0.001, max: 1_000, unit: 'number a year' }).describe(
    'Expected false alarms per signal, observer and year.',
  ),
  slowFactor: between({ min: 1, max: 1_000, unit: 'multiple' }).describe(
    'A put is slow above this multiple of the 99th percentile learnt in healthy times.',
  ),
  slowFloorMs: whole({ min: 1, max: 10_000, unit: 'milliseconds' }).describe(
    'A put faster than this never counts as slow.',
  ),
});

const delivery = object({
  healthCheckIntervalSeconds: oneOf([10, 30])
    .optional()
    .describe(
      'Route 53 request interval. Changing it later replaces every health check; the deployment then waits until the new ones have data.',
    ),
  dnsTtlSeconds: whole({ min: 1, max: MAX_DNS_TTL_SECONDS, unit: 'seconds' }).describe(
    'TTL of the signal and service records.',
  ),
  producerPollMs: whole({ min: 100, max: MINUTE_MS, unit: 'milliseconds' }).describe(
    'How often a producer asks for the signal.',
  ),
  rtoMs: whole({ min: 5_000, max: HOUR_MS, unit: 'milliseconds' }).describe('The recovery time asked for.'),
  switchConcurrency: whole({ min: 20, max: MAX_RESERVED, unit: 'concurrent executions' }).describe(
    'Concurrent Lambda executions that the switch endpoint reserves, at least; with many switch groups it reserves 0.3 for each. Lambda lets through ten requests a second for each of them, and a larger flood can end a latch (docs/how-it-works.md, "What a flood can do"). Reserving costs nothing, but no other function of the account can use what is reserved.',
  ),
});

const notify = object({
  email: text(/^[^\s@]+@[^\s@]+$/, 'an e-mail address', 'Write an address like oncall@example.com.')
    .optional()
    .describe('Address that is subscribed to the topic; AWS asks it to confirm.'),
  webhook: text(/^https:\/\/[^\s]+$/, 'an https URL', 'Write the whole URL, beginning with https://.')
    .optional()
    .describe('URL that gets a JSON object by POST when a run of the conductor ends.'),
});

const monitoring = object({
  dashboard: z
    .boolean({ error: say('is not true or false', 'Write false for no dashboard, else leave the key out.') })
    .optional()
    .describe('A dashboard in the standby. Default true; $3 a month beyond the first three of an account.'),
  observerSilentMinutes: whole({ min: 2, max: 60, unit: 'minutes' }).describe(
    'Alarm when an observer has had no live vote for this long.',
  ),
  standbyUnfitMinutes: whole({ min: 2, max: 60, unit: 'minutes' }).describe(
    'Alarm when the standby has not been known to work for this long.',
  ),
  votesDisagreeMinutes: whole({ min: 2, max: 24 * 60, unit: 'minutes' }).describe(
    'Alarm when some observers, but too few to move anything, have voted EVACUATE for this long.',
  ),
  // CloudWatch evaluates at most 7 days ("Evaluating an alarm", Amazon CloudWatch User Guide).
  pauseForgottenHours: whole({ min: 1, max: 7 * 24, unit: 'hours' }).describe(
    'Alarm when a pause has been in force for this long.',
  ),
  drillOverdueDays: whole({ min: 1, max: 366, unit: 'days' }).describe(
    'Alarm when no drill has succeeded for this long since drills were asked for. Default: 8 with weekly drills, else no such alarm.',
  ),
});

const drill = object({
  cell: dnsLabel('cell').describe(
    'The cell that a drill moves. This cell exists for drills alone: it carries no traffic, and shares its switch with no other cell.',
  ),
  schedule: oneOf(drillSchedules)
    .optional()
    .describe(
      'weekly: the standby runs a drill each week by itself. off: drills only when asked. Default weekly.',
    ),
});

const beacons = either(
  [
    z.boolean(),
    object({
      sources: whole({ min: 1, max: 1_000_000, unit: 'beacons' }).describe(
        'Beacons at the same time, one for each producer process and stream, for the estimate of what they cost. Default 100.',
      ),
    }),
  ],
  {
    what: 'true, false nor { sources }',
    fix: 'Write true for a table of beacons, or leave the key out for none.',
  },
);

export const configSchema = object({
  $schema: z
    .string({ error: say('is not a string', 'Write the path of config.schema.json.') })
    .optional()
    .describe('For editors; ignored.'),
  name: text(
    /^[a-z](?:[a-z0-9-]{0,18}[a-z0-9])?$/,
    'a valid name',
    'Use 1 to 20 lower case letters, digits and hyphens, starting with a letter and not ending with a hyphen.',
  ).describe('Prefix of every physical name.'),
  regions: object({
    primary: region,
    standby: region,
    witnesses: list(region, { min: MIN_WITNESSES, max: MAX_WITNESSES, what: 'witness regions' }),
    confirmed: list(region, { min: 0, max: MAX_WITNESSES, what: 'regions' })
      .optional()
      .describe(
        `Regions that are newer than Spillway's list of ${REGIONS_CHECKED_ON}, or have got Lambda function URLs since then, and where you have made sure of both. Regions outside the partition aws stay refused.`,
      ),
  })
    .optional()
    .describe('Default: us-east-1, us-west-2, and the witnesses us-east-2 and eu-west-1.'),
  zone: object({
    id: text(
      /^(?:\/hostedzone\/)?[A-Z0-9]{1,32}$/,
      'a hosted zone id',
      'Copy the id from Route 53: up to 32 capital letters and digits.',
    ),
    name: text(
      new RegExp(`^${zoneLabel}(?:\\.${zoneLabel})+\\.?$`),
      'a domain name',
      'Write the name of the public hosted zone, for example shop.example.com.',
    ),
    keepRegionRecord: z
      .boolean({ error: say('is not true or false', 'Write true to keep it, else leave the key out.') })
      .optional()
      .describe(
        'true: region.<zone>, the record of versions before 0.2, stays beside region.<name>.<zone>, for whoever reads it. One deployment in a zone may have it. Default false.',
      ),
  }).describe('The public hosted zone that holds the signals; it must exist already.'),
  cells: list(cell, { min: 1, max: MAX_CELLS, what: 'cells' }),
  policy: policy.optional().describe('How the observers decide.'),
  delivery: delivery.optional().describe('Timing of the path outside the observers.'),
  healthCheckQuota: whole({ min: 1, max: 100_000, unit: 'health checks' }).describe(
    'Route 53 health checks this account may have. Default 200.',
  ),
  drill: drill.optional().describe('The cell that drills really move. Default: none, and no such drills.'),
  cellStacks: whole({ min: 1, max: 256, unit: 'stacks' }).describe(
    'Number of CloudFormation stacks that cells are spread over, by the names of the cells. Default: one, or 32 when one stack does not hold all cells. Changing the number later means other stacks: set it before the first deployment if there will be more than about a hundred cells.',
  ),
  keepGroups: z
    .array(dnsLabel('group'))
    .max(1_000)
    .optional()
    .describe(
      'Groups whose switch and health check stay although no cell follows them. Only for the deployment in which the last cell leaves a group, and only where cells are in several stacks (docs/deployments.md). Default: none.',
    ),
  notify: notify
    .optional()
    .describe('Who is told of evacuations and alarms, beside the subscribers of the topic.'),
  monitoring: monitoring.optional().describe('When the alarms fire, and whether there is a dashboard.'),
  beacons: beacons
    .optional()
    .describe(
      'true: a table in the standby in which producers report how their own writes fare (docs/beacons.md). Default false: producers have to be given the right and the option to report, and without them there is nothing to read.',
    ),
});

/** What a user writes. Every part but `name`, `zone` and `cells` has a default. */
export type ConfigInput = z.input<typeof configSchema>;
export type CellInput = ConfigInput['cells'][number];
export type StreamInput = z.input<typeof stream>;
export type SharedStreamInput = z.input<typeof streamOfBoth>;
