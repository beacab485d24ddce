import fc from 'fast-check';
import { describe, expect, it, test } from 'vitest';
import type {
  ConsumerFacts,
  ConsumerOfCell,
  ConsumersOfCell,
  FanOutFacts,
  FirehoseFacts,
  KclFacts,
  LambdaFacts,
  LeaseFacts,
  MappingFacts,
  OtherFacts,
  StreamOfCell,
} from '../../lambda/core/consumer-facts.ts';
import {
  type ConsumerFindingCode,
  consumerFindingCodes,
  consumerFindings,
  worstFirst,
} from '../../lambda/core/consumer-findings.ts';
import { judgeCell, judgeObstacles, workingIn } from '../../lambda/core/consumer-judge.ts';
import type { Role } from '../../lambda/core/role.ts';

const NOW_MS = Date.parse('2026-11-25T03:00:00Z');
const HOUR_MS = 3_600_000;
const regions = { primary: 'us-east-1', standby: 'us-west-2' } as const;
const roles: readonly Role[] = ['primary', 'standby'];
const arnIn = (role: Role, name = 'orders'): string =>
  `arn:aws:kinesis:${regions[role]}:123456789012:stream/${name}`;

const streamIn = (role: Role, more: Partial<StreamOfCell> = {}): StreamOfCell => ({
  ...{ name: 'orders', region: regions[role], arn: arnIn(role), exists: true, retentionHours: 24 },
  ...more,
});
const mapping = (role: Role, more: Partial<MappingFacts> = {}): MappingFacts => ({
  uuid: `uuid-${role}`,
  source: arnIn(role),
  function: `arn:aws:lambda:${regions[role]}:123456789012:function:indexer`,
  state: 'enabled',
  stateName: 'Enabled',
  start: 'TRIM_HORIZON',
  hasRead: true,
  settings: {
    batchSize: 100,
    retries: -1,
    maximumAgeSeconds: -1,
    bisects: true,
    reportsItemFailures: true,
    hasFailureDestination: false,
    filters: [],
  },
  ...more,
});

const lambdaFacts = (role: Role, more: Partial<LambdaFacts> = {}): LambdaFacts => ({
  kind: 'lambda',
  function: { exists: true, state: 'Active' },
  mappings: [mapping(role)],
  elsewhere: [],
  lagMs: 0,
  ...more,
});
const leases = (more: Partial<LeaseFacts> = {}): LeaseFacts => ({
  ...{
    open: 4,
    owned: 4,
    otherStreams: [],
    renewed: 4,
    watchedLong: true,
    strange: 0,
    atTrimHorizon: 0,
    behind: 0,
  },
  ...more,
});
const kcl = (more: Partial<KclFacts> = {}): KclFacts => ({
  ...{ kind: 'kcl', table: 'there', leases: leases() },
  ...more,
});
const fanOut = (more: Partial<FanOutFacts> = {}): FanOutFacts => ({
  ...{ kind: 'enhancedFanOut', status: 'ACTIVE' },
  ...more,
});
const firehose = (role: Role, more: Partial<FirehoseFacts> = {}): FirehoseFacts => ({
  ...{ kind: 'firehose', status: 'ACTIVE', source: arnIn(role) },
  ...more,
});
const other = (more: Partial<OtherFacts> = {}): OtherFacts => ({ kind: 'other', alarm: 'OK', ...more });

const healthy: Readonly<Record<ConsumerFacts['kind'], (role: Role) => ConsumerFacts>> = {
  lambda: (role) => lambdaFacts(role),
  kcl: () => kcl(),
  enhancedFanOut: () => fanOut(),
  firehose: (role) => firehose(role),
  other: () => other(),
};

interface Change {
  readonly kind?: ConsumerFacts['kind'];
  readonly primary?: ConsumerFacts | null;
  readonly standby?: ConsumerFacts | null;
  readonly consumer?: Partial<ConsumerOfCell>;
  readonly cell?: Partial<ConsumersOfCell>;
  readonly stream?: Partial<StreamOfCell>;
}

/** A cell that is well but for what is given. `null`: nothing is known. */
function cellWith(change: Change): ConsumersOfCell {
  const kind = change.kind ?? change.standby?.kind ?? change.primary?.kind ?? 'lambda';
  const factsIn = (role: Role): ConsumerFacts | undefined => {
    const given = change[role];
    return given === undefined ? healthy[kind](role) : (given ?? undefined);
  };
  return {
    cell: 'orders',
    declared: true,
    searched: { primary: true, standby: true },
    probe: 'onSuspicion',
    streams: { primary: streamIn('primary'), standby: streamIn('standby', change.stream) },
    consumers: [
      {
        kind,
        name: { primary: 'indexer', standby: 'indexer' },
        takes: ['aggregates', 'probes'],
        ...(kind === 'other' && { alarm: { primary: 'late', standby: 'late' } }),
        facts: { primary: factsIn('primary'), standby: factsIn('standby') },
        ...change.consumer,
      },
    ],
    ...change.cell,
  };
}

const standbyMapping = (more: Partial<MappingFacts>): ConsumerFacts =>
  lambdaFacts('standby', { mappings: [mapping('standby', more)] });
const set = (more: Partial<MappingFacts['settings']>): Partial<MappingFacts> => ({
  settings: { ...mapping('standby').settings, ...more },
});
const bothWith = (more: Partial<MappingFacts['settings']>): Change => ({
  primary: lambdaFacts('primary', { mappings: [mapping('primary', set(more))] }),
  standby: standbyMapping(set(more)),
});
/** As a region may have it, with a filter that a shell would trip over. */
const everySetting: MappingFacts['settings'] = {
  ...{ batchSize: 50, batchingWindowSeconds: 5, parallelizationFactor: 4, tumblingWindowSeconds: 60 },
  ...{ retries: 3, maximumAgeSeconds: 3_600, bisects: true, reportsItemFailures: true },
  ...{ hasFailureDestination: true, filters: [`{"a":["it's"]}`] },
};
const stored = { stored: { records: 3_214, complete: true, oldestAtMs: NOW_MS - 26 * HOUR_MS } };

/** What is wrong, what is found, and what the finding of the standby says or proposes. */
const rows: readonly (readonly [string, Change, readonly ConsumerFindingCode[], RegExp?])[] = [
  ['a lambda that is well', {}, []],
  ['an application that is well', { kind: 'kcl' }, []],
  ['a registered consumer that is well', { kind: 'enhancedFanOut' }, []],
  ['a Firehose stream that is well', { kind: 'firehose' }, []],
  ['an alarm that is well', { kind: 'other' }, []],
  [
    'a mapping that is disabled and has read',
    { standby: standbyMapping({ state: 'disabled', stateName: 'Disabled' }) },
    ['disabled'],
    /goes on where it stopped.*--region us-west-2 --uuid uuid-standby --enabled/,
  ],
  [
    'a disabled one that has not read, at LATEST',
    { standby: standbyMapping({ state: 'disabled', hasRead: false, start: 'LATEST' }) },
    ['disabled', 'settings-differ'],
    /what arrives before its first poll is missed/,
  ],
  [
    'a disabled one that would replay a drill',
    { standby: standbyMapping({ state: 'disabled', hasRead: false }), stream: stored },
    ['disabled'],
    /if it has read nothing so far, as Lambda says, .* replay 3,214 records, the oldest 26 h old/,
  ],
  [
    'a disabled one whose concurrency is 0 as well',
    {
      standby: lambdaFacts('standby', {
        function: { exists: true, reservedConcurrency: 0 },
        mappings: [mapping('standby', { state: 'disabled' })],
      }),
    },
    ['disabled'],
  ],
  [
    'one that is being enabled',
    { standby: standbyMapping({ state: 'changing', stateName: 'Enabling' }) },
    ['not-ready'],
    /Enabling/,
  ],
  [
    'one that is being created at LATEST',
    {
      primary: lambdaFacts('primary', { mappings: [mapping('primary', { start: 'LATEST' })] }),
      standby: standbyMapping({ state: 'changing', hasRead: false, start: 'LATEST' }),
    },
    ['not-ready', 'starts-latest'],
    /delete-event-source-mapping --region us-west-2 --uuid uuid-standby && while .* && aws lambda create-event-source-mapping --region us-west-2 .*TRIM_HORIZON.*--function-response-types ReportBatchItemFailures$/m,
  ],
  [
    'one of the primary that is being created at LATEST',
    {
      primary: lambdaFacts('primary', {
        mappings: [mapping('primary', { state: 'changing', hasRead: false, start: 'LATEST' })],
      }),
      standby: standbyMapping({ start: 'LATEST' }),
    },
    ['not-ready', 'starts-latest'],
    /--uuid uuid-primary && .*--starting-position AT_TIMESTAMP --starting-position-timestamp TIME/,
  ],
  [
    'one that is being created and replays',
    { standby: standbyMapping({ state: 'changing', hasRead: false }), stream: stored },
    ['not-ready', 'replays'],
  ],
  [
    'a mapping on another stream',
    { standby: lambdaFacts('standby', { mappings: [], elsewhere: [arnIn('standby', 'clicks')] }) },
    ['wrong-stream'],
    /reads stream\/clicks, and not the cell's stream orders.*create-event-source-mapping.*stream\/orders/,
  ],
  [
    'no mapping in the standby',
    { standby: lambdaFacts('standby', { mappings: [] }) },
    ['missing-in-standby'],
    /only in us-east-1.*--starting-position TRIM_HORIZON --event-source-arn arn:aws:kinesis:us-west-2\S+ --batch-size 100 --bisect-batch-on-function-error --function-response-types ReportBatchItemFailures$/m,
  ],
  [
    'no mapping in the standby, and every setting in the primary',
    {
      primary: lambdaFacts('primary', { mappings: [mapping('primary', { settings: everySetting })] }),
      standby: lambdaFacts('standby', { mappings: [] }),
    },
    ['missing-in-standby'],
    /--batch-size 50 --maximum-batching-window-in-seconds 5 --parallelization-factor 4 --tumbling-window-in-seconds 60 --maximum-retry-attempts 3 --maximum-record-age-in-seconds 3600 --bisect-batch-on-function-error --function-response-types ReportBatchItemFailures --destination-config '{"OnFailure":{"Destination":"ARN"}}' --filter-criteria '{"Filters":\[{"Pattern":"{\\"a\\":\[\\"it'\\''s\\"\]}"}\]}'$/m,
  ],
  ['one that is being deleted', { standby: standbyMapping({ state: 'deleting' }) }, ['missing-in-standby']],
  [
    'no mapping in the primary',
    { primary: lambdaFacts('primary', { mappings: [] }) },
    ['missing-in-primary'],
    /TRIM_HORIZON would replay up to 24 h of records.*--starting-position AT_TIMESTAMP --starting-position-timestamp TIME --event-source-arn arn:aws:kinesis:us-east-1\S+ --batch-size 100 .*ReportBatchItemFailures$/m,
  ],
  [
    'no mapping in the primary, whose records were counted',
    {
      primary: lambdaFacts('primary', { mappings: [] }),
      cell: { streams: { primary: streamIn('primary', stored), standby: streamIn('standby') } },
    },
    ['missing-in-primary'],
    /TRIM_HORIZON would replay 3,214 records, the oldest 26 h old/,
  ],
  [
    'a mapping of the primary on another stream',
    { primary: lambdaFacts('primary', { mappings: [], elsewhere: [arnIn('primary', 'clicks')] }) },
    ['wrong-stream'],
    /--starting-position AT_TIMESTAMP --starting-position-timestamp TIME .*--batch-size 100/,
  ],
  [
    'no mapping at all',
    {
      primary: lambdaFacts('primary', { mappings: [] }),
      standby: lambdaFacts('standby', { mappings: [] }),
    },
    ['missing'],
  ],
  [
    'a function that is not there',
    { standby: lambdaFacts('standby', { function: { exists: false }, mappings: [] }) },
    ['function-missing'],
  ],
  [
    'a concurrency of 0',
    { standby: lambdaFacts('standby', { function: { exists: true, reservedConcurrency: 0 } }) },
    ['function-throttled'],
    /delete-function-concurrency --region us-west-2 --function-name indexer/,
  ],
  [
    'a function that failed',
    { standby: lambdaFacts('standby', { function: { exists: true, state: 'Failed' } }) },
    ['function-failed'],
  ],
  [
    'a function at rest',
    { standby: lambdaFacts('standby', { function: { exists: true, state: 'Inactive' } }) },
    ['function-idle'],
  ],
  [
    'a batch that failed',
    { standby: standbyMapping({ problem: 'PROBLEM: Function call failed' }) },
    ['failing'],
    /PROBLEM: Function call failed/,
  ],
  [
    'no end of retries',
    bothWith({ bisects: false, reportsItemFailures: false }),
    ['blocks-on-poison', 'blocks-on-poison'],
    /skip a batch, too, while what it writes to is away .* bucket gets the records.*"arn:aws:s3:::BUCKET"/,
  ],
  ['no end of retries, with a split', bothWith({ reportsItemFailures: false }), []],
  [
    'no destination',
    bothWith({ retries: 3 }),
    ['no-failure-destination', 'no-failure-destination'],
    /bucket gets the records.*"arn:aws:s3:::BUCKET"/,
  ],
  [
    'a record age, and no destination',
    bothWith({ maximumAgeSeconds: 7_200 }),
    ['no-failure-destination', 'no-failure-destination'],
  ],
  ['a destination', bothWith({ retries: 3, hasFailureDestination: true }), []],
  [
    'another batch size, and a filter',
    { standby: standbyMapping(set({ batchSize: 10, filters: ['{"a":[1]}'] })) },
    ['filters-differ', 'settings-differ'],
    /update-event-source-mapping --region us-west-2 --uuid uuid-standby --filter-criteria '\{\}'\n.*batch size 100 and 10 \(/,
  ],
  [
    'a filter in the primary alone',
    { primary: lambdaFacts('primary', { mappings: [mapping('primary', set({ filters: ['{"a":[1]}'] }))] }) },
    ['filters-differ'],
    /--uuid uuid-standby --filter-criteria '\{"Filters":\[\{"Pattern":"\{\\"a\\":\[1\]\}"\}\]\}'$/m,
  ],
  [
    'reports of failed records that the standby does not take',
    { standby: standbyMapping(set({ reportsItemFailures: false })) },
    ['answers-differ'],
    /us-west-2 takes no report.*--region us-west-2 --uuid uuid-standby --function-response-types ReportBatchItemFailures$/m,
  ],
  [
    'reports of failed records that the primary does not take',
    {
      primary: lambdaFacts('primary', {
        mappings: [mapping('primary', set({ reportsItemFailures: false }))],
      }),
    },
    ['answers-differ'],
    /--region us-east-1 --uuid uuid-primary --function-response-types ReportBatchItemFailures$/m,
  ],
  [
    'another starting position',
    { standby: standbyMapping({ start: 'LATEST' }) },
    ['settings-differ'],
    /TRIM_HORIZON and LATEST/,
  ],
  ['a lag of 9 minutes', { standby: lambdaFacts('standby', { lagMs: 540_000 }) }, []],
  [
    'a lag of 11 minutes',
    { standby: lambdaFacts('standby', { lagMs: 660_000 }) },
    ['lagging'],
    /11 min behind/,
  ],
  [
    'a lag that retention does not wait for',
    { standby: lambdaFacts('standby', { lagMs: 13 * HOUR_MS }) },
    ['retention-short'],
    /in 11 h.*--stream-name orders --retention-period-hours 168/,
  ],
  ['no lease table', { standby: kcl({ table: 'missing' }) }, ['lease-table-missing']],
  ['another table', { standby: kcl({ table: 'foreign', foreign: 'its key is pk' }) }, ['not-a-lease-table']],
  [
    'leases of another stream',
    { standby: kcl({ leases: leases({ open: 0, renewed: 0, otherStreams: ['clicks'] }) }) },
    ['leases-of-another-stream'],
    /clicks/,
  ],
  ['no leases', { standby: kcl({ leases: leases({ open: 0, renewed: 0 }) }) }, ['not-running']],
  [
    'leases that nobody renews',
    { standby: kcl({ leases: leases({ renewed: 0 }) }) },
    ['not-running'],
    /no worker renews the 4 leases.*failoverTimeMillis/,
  ],
  [
    'leases without an owner',
    { standby: kcl({ leases: leases({ renewed: 0, owned: 0, watchedLong: false }) }) },
    ['not-running'],
    /no worker renews the 4 leases in indexer in us-west-2 Start/,
  ],
  [
    'leases that were watched for a moment',
    { standby: kcl({ leases: leases({ renewed: 0, watchedLong: false, behind: 2 }) }) },
    [],
  ],
  [
    'a lease on its way to another worker, with an old checkpoint',
    { standby: kcl({ leases: leases({ renewed: 3, behind: 1 }) }) },
    ['leases-in-transit'],
    /1 of 4 .*failoverTimeMillis/,
  ],
  [
    'leases at LATEST',
    { standby: kcl({ leases: leases({ atLatest: 4, unread: 0 }) }) },
    ['starts-latest'],
    /a restart before their first checkpoint misses/,
  ],
  [
    'leases at LATEST, with records',
    { standby: kcl({ leases: leases({ atLatest: 4, unread: 2 }) }) },
    ['reads-nothing'],
    /2 of 4 .*never checkpointed/,
  ],
  [
    'and old checkpoints',
    {
      standby: kcl({
        leases: leases({
          renewed: 0,
          behind: 2,
          behindMs: 26 * HOUR_MS,
          staleKeys: ['shardId-1', 'shardId-2'],
        }),
      }),
    },
    ['stale-lease'],
    /\(up to 26 h\).*Start the application in us-west-2: it goes on from its checkpoints. Let it catch up. Or, only while the application is stopped .* aws dynamodb delete-item --region us-west-2 --table-name indexer --key '\{"leaseKey":\{"S":"shardId-1"\}\}' && .*shardId-2.*initialPositionInStream/,
  ],
  [
    'and old checkpoints in the primary',
    { primary: kcl({ leases: leases({ renewed: 0, behind: 2, staleKeys: ['shardId-1'] }) }) },
    ['stale-lease'],
    /Start the application in us-east-1: it goes on from its checkpoints\.$/m,
  ],
  [
    'checkpoints of a stream that was, in the primary',
    { primary: kcl({ leases: leases({ strange: 4 }) }) },
    ['stale-lease'],
    /Look first whether/,
  ],
  [
    'leases at the oldest record, with nobody',
    { standby: kcl({ leases: leases({ renewed: 0, atTrimHorizon: 4 }) }), stream: stored },
    ['not-running'],
    /replay 3,214 records/,
  ],
  ['checkpoints of a stream that was', { standby: kcl({ leases: leases({ strange: 4 }) }) }, ['stale-lease']],
  ['an application that lags', { standby: kcl({ lagMs: 1_200_000 }) }, ['lagging'], /20 min behind/],
  [
    'leases looked at once',
    { standby: kcl({ leases: { open: 4, owned: 4, otherStreams: [], strange: 0, atTrimHorizon: 0 } }) },
    [],
  ],
  [
    'nobody registered in the standby',
    { standby: fanOut({ status: null }) },
    ['missing-in-standby'],
    /register-stream-consumer --region us-west-2/,
  ],
  [
    'one that nobody subscribes to',
    { standby: fanOut({ lagMs: null }) },
    ['nobody-subscribes'],
    /nobody subscribes and nothing is read, or the data are late/,
  ],
  ['one that is being registered', { standby: fanOut({ status: 'CREATING' }) }, ['not-ready']],
  ['no Firehose stream', { standby: firehose('standby', { status: null }) }, ['missing-in-standby']],
  [
    'one that could not be created',
    { standby: firehose('standby', { status: 'CREATING_FAILED' }) },
    ['failing'],
  ],
  ['one that is being created', { standby: firehose('standby', { status: 'CREATING' }) }, ['not-ready']],
  [
    'one that reads nothing',
    { standby: firehose('standby', { source: null }) },
    ['wrong-stream'],
    /no stream of Kinesis/,
  ],
  [
    'one that reads the primary',
    { standby: firehose('standby', { source: arnIn('primary') }) },
    ['wrong-stream'],
  ],
  ['an alarm that fires', { standby: other({ alarm: 'ALARM' }) }, ['alarm-firing']],
  ['an alarm that is not there', { standby: other({ alarm: 'missing' }) }, ['alarm-missing']],
  ['an alarm without data', { standby: other({ alarm: 'INSUFFICIENT_DATA' }) }, []],
  [
    'nothing but a name',
    { primary: { kind: 'other' }, standby: { kind: 'other' }, consumer: { alarm: undefined as never } },
    ['unwatched'],
  ],
  ['aggregates', { cell: { carriesAggregates: true }, consumer: { takes: ['probes'] } }, ['no-aggregates']],
  ['no aggregates', { cell: { carriesAggregates: false }, consumer: { takes: ['probes'] } }, []],
  ['marked records', { consumer: { takes: ['aggregates'] } }, ['no-probes'], /recordsOf/],
  [
    'marked records for an application of the KCL',
    { kind: 'kcl', consumer: { takes: ['aggregates'] } },
    ['no-probes'],
    /begins with spillway-probe\/.*probe: 'never'/,
  ],
  ['no marked records', { cell: { probe: 'never' }, consumer: { takes: ['aggregates'] } }, []],
  [
    'a consumer that was found, of which nobody says what it takes',
    { cell: { carriesAggregates: true }, consumer: { takes: undefined as never } },
    [],
  ],
  [
    'no stream',
    { stream: { exists: false }, standby: lambdaFacts('standby', { lagMs: HOUR_MS }) },
    ['stream-missing'],
  ],
  ['nobody', { cell: { declared: false, consumers: [] } }, ['none-found']],
  ['nobody, as the owner says', { cell: { consumers: [] } }, []],
  [
    'nobody, as far as one may look',
    { cell: { declared: false, consumers: [], searched: { primary: true, standby: false } } },
    [],
  ],
  [
    'somebody who cannot be found',
    {
      cell: {
        declared: false,
        consumers: [],
        streams: { primary: streamIn('primary'), standby: streamIn('standby', { isPolled: true }) },
      },
    },
    ['none-known'],
  ],
];

describe('what is found', () => {
  test.each(rows.map(([what, change, codes, said = /./]) => ({ what, change, codes, said })))(
    '$what',
    ({ change, codes, said }) => {
      const found = judgeCell(cellWith(change), NOW_MS);
      expect(found.map(({ code }) => code)).toEqual(codes);
      for (const { code, level, fix, cell } of found) {
        expect({ level, cell }).toEqual({ level: consumerFindings[code].level, cell: 'orders' });
        expect(fix).not.toBe('');
      }
      const text = found.map((one) => `${one.text} ${one.fix}`).join('\n');
      if (codes.length > 0) expect(text).toMatch(said);
    },
  );

  it('never proposes to delete a table, nor leases of the primary', () => {
    for (const [, change] of rows) {
      for (const { fix, role } of judgeCell(cellWith(change), NOW_MS)) {
        expect(fix).not.toContain('delete-table');
        if (role !== 'standby') expect(fix).not.toContain('delete-item');
        if (role !== 'standby') expect(fix).not.toMatch(/us-east-1.*TRIM_HORIZON/);
      }
    }
  });

  it('is everything that the table has', () => {
    const seen = new Set(rows.flatMap(([, , codes]) => codes));
    const ofObstacles: readonly ConsumerFindingCode[] = ['denied', 'unreadable'];
    expect(consumerFindingCodes.filter((code) => !seen.has(code) && !ofObstacles.includes(code))).toEqual([]);
  });

  it('of an obstacle is unknown, and names what was asked for', () => {
    const found = judgeObstacles([
      {
        region: 'us-west-2',
        service: 'Lambda',
        kind: 'denied',
        actions: ['lambda:ListEventSourceMappings'],
        problem: 'AccessDenied',
      },
      { region: 'us-east-1', service: 'Kinesis', kind: 'unreadable', actions: [], problem: 'it throttles' },
    ]);
    expect(found).toMatchObject([
      { code: 'denied', level: 'unknown', text: expect.stringContaining('lambda:ListEventSourceMappings') },
      { code: 'unreadable', level: 'unknown', text: 'Kinesis in us-east-1 could not be read: it throttles' },
    ]);
    expect(
      worstFirst([...found, ...judgeCell(cellWith({ stream: { exists: false } }), NOW_MS)])[0]?.level,
    ).toBe('bad');
  });
});

describe('whether a consumer works', () => {
  const worksWith = (change: Change): string => {
    const cell = cellWith(change);
    const [consumer] = cell.consumers;
    return consumer === undefined ? '' : workingIn(consumer, 'standby', judgeCell(cell, NOW_MS));
  };
  test.each([
    ['yes', {}],
    ['yes', { primary: lambdaFacts('primary', { mappings: [] }) }],
    ['yes', { standby: lambdaFacts('standby', { function: { exists: true, state: 'Inactive' } }) }],
    ['no', { standby: lambdaFacts('standby', { mappings: [] }) }],
    [
      'no',
      {
        primary: lambdaFacts('primary', { mappings: [] }),
        standby: lambdaFacts('standby', { mappings: [] }),
      },
    ],
    ['no', { standby: kcl({ table: 'missing' }) }],
    ['unknown', { standby: null }],
    [
      'unknown',
      {
        kind: 'kcl',
        standby: kcl({ leases: { open: 4, owned: 4, otherStreams: [], strange: 0, atTrimHorizon: 0 } }),
      },
    ],
    ['unknown', { standby: other({ alarm: 'INSUFFICIENT_DATA' }) }],
    ['unknown', { standby: fanOut({ lagMs: null }) }],
    ['yes', { standby: kcl({ leases: leases({ renewed: 3, behind: 1 }) }) }],
    ['no', { standby: kcl({ leases: leases({ renewed: 0 }) }) }],
    ['unknown', { standby: kcl({ leases: leases({ renewed: 0, watchedLong: false }) }) }],
    ['no', { standby: kcl({ leases: leases({ renewed: 0, owned: 0, watchedLong: false }) }) }],
    ['no', { standby: kcl({ leases: leases({ open: 0, owned: 0, renewed: 0, watchedLong: false }) }) }],
    ['no', { standby: kcl({ leases: leases({ atLatest: 4, unread: 1 }) }) }],
    ['yes', { standby: standbyMapping(set({ reportsItemFailures: false })) }],
  ] as const satisfies readonly (readonly [string, Change])[])('%s', (works, change) => {
    expect(worksWith(change)).toBe(works);
  });
});

describe('what is not known is no fault', () => {
  const kinds = fc.constantFrom(...(Object.keys(healthy) as ConsumerFacts['kind'][]));

  it('takes any facts away from consumers that are well, and finds nothing', () => {
    const keys = [
      'function',
      'mappings',
      'elsewhere',
      'lagMs',
      'table',
      'leases',
      'status',
      'source',
      'alarm',
    ];
    const some = fc.record({ kind: kinds, gone: fc.subarray(keys), whole: fc.subarray([...roles]) });
    fc.assert(
      fc.property(some, fc.boolean(), ({ kind, gone, whole }, streamKnown) => {
        const lessIn = (role: Role): ConsumerFacts | null => {
          if (whole.includes(role)) return null;
          const facts = healthy[kind](role);
          return Object.fromEntries(
            Object.entries(facts).filter(([key]) => !gone.includes(key)),
          ) as unknown as ConsumerFacts;
        };
        const { exists: _exists, retentionHours: _hours, ...bare } = streamIn('standby');
        const cell = cellWith({
          kind,
          primary: lessIn('primary'),
          standby: lessIn('standby'),
          ...(!streamKnown && { cell: { streams: { primary: streamIn('primary'), standby: bare } } }),
        });
        expect(judgeCell(cell, NOW_MS)).toEqual([]);
      }),
    );
  });

  it('takes facts away from any consumer, and finds no fault that was not there', () => {
    const facts = fc.oneof(
      fc.constantFrom(...rows.flatMap(([, { primary, standby }]) => [primary ?? [], standby ?? []].flat())),
    );
    fc.assert(
      fc.property(facts, facts, (a, b) => {
        const kind = b.kind;
        const primary = a.kind === kind ? a : healthy[kind]('primary');
        const before = new Set(judgeCell(cellWith({ primary, standby: b }), NOW_MS).map(({ code }) => code));
        for (const half of [
          { primary: null, standby: b },
          { primary, standby: null },
          { primary: null, standby: null },
        ]) {
          const after = judgeCell(cellWith({ kind, ...half }), NOW_MS).filter(({ level }) => level === 'bad');
          // Missing in both becomes missing in the one that is known.
          const known = after.filter(({ code }) => !code.startsWith('missing'));
          for (const { code } of known) expect(before).toContain(code);
          if (half.primary === null && half.standby === null) expect(after).toEqual([]);
        }
      }),
    );
  });
});
