import type { ConsumerKind } from './consumers.ts';
import type { Role } from './role.ts';

/**
 * `bad`: to be mended before an evacuation needs it. `note`: worth knowing. `unknown`: could not be read, which is no
 * fault of the consumer.
 */
export type FindingLevel = 'bad' | 'note' | 'unknown';

export interface FindingRow {
  readonly level: FindingLevel;
  /** When it is found, and what it means after an evacuation. */
  readonly meaning: string;
  /** What to do, for the documentation; a finding has the command itself where there is one. */
  readonly fix: string;
}

/** Everything that `spillway consumers` can find, the worst first. */
export const consumerFindings = {
  'none-found': {
    level: 'bad',
    meaning:
      'The config names no consumers, and nothing is found that reads the streams of the cell: no event source mapping, no registered consumer, no call of GetRecords. After a move, records would wait until retention takes them.',
    fix: 'Name what reads them in `cells[].consumers`; `consumers: []` says that nothing does.',
  },
  missing: {
    level: 'bad',
    meaning:
      'It reads the stream in neither region: no mapping, no registered consumer or no Firehose stream of this name.',
    fix: 'Create it in both regions, or correct its name in the config.',
  },
  'missing-in-standby': {
    level: 'bad',
    meaning:
      'It reads the primary’s stream, and not the standby’s. After a move nobody reads there what it reads here.',
    fix: 'Create it in the standby. The stream is empty there, so TRIM_HORIZON replays nothing and misses nothing.',
  },
  'missing-in-primary': {
    level: 'bad',
    meaning: 'It reads the standby’s stream, and not the primary’s.',
    fix: 'Create it in the primary, with AT_TIMESTAMP and the time from which it has to read: TRIM_HORIZON reads all that retention has kept.',
  },
  'stream-missing': {
    level: 'bad',
    meaning: 'There is no stream of this name in the region, so nothing can read it.',
    fix: 'Create the stream, or correct its name in the config.',
  },
  'function-missing': {
    level: 'bad',
    meaning: 'There is no function of this name in the region.',
    fix: 'Deploy the function there, or correct its name in the config.',
  },
  'function-failed': {
    level: 'bad',
    meaning: 'Lambda cannot run the function: its state is Failed.',
    fix: 'Correct what StateReason says, and deploy the function again.',
  },
  'function-throttled': {
    level: 'bad',
    meaning:
      'The function’s reserved concurrency is 0, so Lambda runs none of it: this is how a function is stopped by hand.',
    fix: 'Reserve some, or remove the reservation.',
  },
  'lease-table-missing': {
    level: 'bad',
    meaning:
      'There is no lease table of this name in the region: the application has never run there, or has another name.',
    fix: 'Start the application in that region, or correct the name of the table in the config.',
  },
  'not-a-lease-table': {
    level: 'bad',
    meaning: 'There is such a table, but it is none of the KCL.',
    fix: 'Correct the name of the table in the config.',
  },
  'wrong-stream': {
    level: 'bad',
    meaning: 'It reads other streams than that of the cell.',
    fix: 'Create a mapping on the cell’s stream (the source of a mapping cannot be changed), in the primary with AT_TIMESTAMP; or correct the config.',
  },
  'leases-of-another-stream': {
    level: 'bad',
    meaning: 'The lease table has leases, but none of the cell’s stream.',
    fix: 'Give the application the cell’s stream, or correct the name of the table in the config.',
  },
  disabled: {
    level: 'bad',
    meaning:
      'It is switched off. Turned on in the crisis, a mapping takes up to 90 s, and one that has never read begins at its starting position: LATEST misses what came before, TRIM_HORIZON replays what is there.',
    fix: 'Enable it now: the standby’s stream is empty in health, so a consumer that always runs costs nothing.',
  },
  'stale-lease': {
    level: 'bad',
    meaning:
      'No worker holds the leases, and their checkpoints are older than records of the stream; or they are of a stream that was deleted and created again. An application that starts there resumes from the old checkpoint, whatever its settings say: it first reads the records of the last drill or move.',
    fix: 'Start the application: it goes on from its checkpoints. In the standby let it catch up now; there alone, and while it is stopped, single leases may be deleted instead. Never delete a lease table: it is the only exact word on what was read, and may hold the leases of other streams.',
  },
  'not-running': {
    level: 'bad',
    meaning:
      'No worker holds the leases: none has an owner, none is renewed within half a minute, or there are none.',
    fix: 'Start the application in that region.',
  },
  'reads-nothing': {
    level: 'bad',
    meaning:
      'Workers renew the leases, but have never checkpointed, and there are records of the last hour in the shards that are older than a minute.',
    fix: 'Look at the application’s log, and at when it checkpoints.',
  },
  failing: {
    level: 'bad',
    meaning:
      'Lambda or Firehose says that its last batch failed, or that it may not read the stream, by the rights of its own role.',
    fix: 'Look at the consumer’s log and at the rights of its role.',
  },
  'retention-short': {
    level: 'bad',
    meaning: 'It is so far behind that more than half of the time is gone until retention takes the records.',
    fix: 'Lengthen the retention of the stream, then find out why the consumer is slow.',
  },
  lagging: {
    level: 'bad',
    meaning: 'What it read last was more than 10 minutes old.',
    fix: 'Find out why the consumer is slow.',
  },
  'alarm-missing': {
    level: 'bad',
    meaning: 'There is no alarm of this name in the region.',
    fix: 'Create the alarm, or correct its name in the config.',
  },
  'alarm-firing': {
    level: 'bad',
    meaning: 'The alarm says that the consumer does not work.',
    fix: 'Do what the alarm is for.',
  },
  'answers-differ': {
    level: 'bad',
    meaning:
      'The mapping of one region takes reports of failed records (ReportBatchItemFailures), and that of the other does not. Without it, a function that reports them has succeeded, and what failed is lost.',
    fix: 'Turn it on where it is off.',
  },
  'filters-differ': {
    level: 'bad',
    meaning:
      'The mappings of the two regions have different filters, so that one leaves out records that the other handles.',
    fix: 'Give the standby’s mapping the filters of the primary’s.',
  },
  'no-aggregates': {
    level: 'bad',
    meaning:
      'The primary’s stream carries aggregates of the KPL, and the consumer takes none, as the config has it.',
    fix: 'Use recordsOf of spillway/consumer, and write `takes` into the config.',
  },
  'no-probes': {
    level: 'bad',
    meaning:
      'Observers may put marked records into the cell’s streams, and the consumer takes none, as the config has it.',
    fix: 'In a function, use recordsOf of spillway/consumer. Elsewhere skip records whose partition key begins with `spillway-probe/` ([envelope](envelope.md)). Write `takes` into the config; or write `probe: "never"` for the cell.',
  },
  'not-ready': {
    level: 'note',
    meaning: 'It is being created, enabled or changed.',
    fix: 'Look again in a few minutes.',
  },
  'function-idle': {
    level: 'note',
    meaning:
      'Lambda has put the function to rest because nothing called it for weeks. The first batch wakes it, and waits meanwhile.',
    fix: 'Nothing. A drill now and then keeps it awake.',
  },
  'starts-latest': {
    level: 'note',
    meaning:
      'A mapping begins at LATEST and has not begun yet: what arrives before its first poll, for up to several minutes, is missed. An application of the KCL begins at LATEST and has not checkpointed yet: a restart misses what arrived meanwhile.',
    fix: 'Use TRIM_HORIZON in the standby, whose stream is empty in health. A mapping has to be deleted and created again for that.',
  },
  'leases-in-transit': {
    level: 'note',
    meaning:
      'Some leases are renewed, and others not within half a minute: they move to another worker, or it renews more rarely, by its failoverTimeMillis.',
    fix: 'Look again in a few minutes.',
  },
  'nobody-subscribes': {
    level: 'note',
    meaning:
      'The consumer is registered, and CloudWatch has no data of a subscription of the last 15 minutes: nobody seems to subscribe, so nothing is read.',
    fix: 'Start the application. If it runs, look again in a few minutes, or once records have arrived: CloudWatch may be late.',
  },
  replays: {
    level: 'note',
    meaning:
      'It begins with the oldest record and has not begun yet, and the stream has records: those of a drill, or of an earlier move, come once more.',
    fix: 'Let it read them before the next move, with a consumer that deduplicates.',
  },
  'no-failure-destination': {
    level: 'note',
    meaning:
      'Records are given up after some attempts, and go nowhere: also when what the function writes to is away for minutes.',
    fix: 'Give the mapping an S3 bucket as failure destination. It gets the records; a queue or a topic gets only their place in the stream.',
  },
  'blocks-on-poison': {
    level: 'note',
    meaning:
      'A batch that fails is tried until its records expire, and holds up its shard for as long: retries have no end, and nothing splits the batch.',
    fix: 'Limit the attempts, split batches, and give the mapping an S3 bucket as failure destination ([reading records](consuming.md)). Limited attempts also skip a batch while what the function writes to is away for minutes.',
  },
  'settings-differ': {
    level: 'note',
    meaning: 'Its other settings are not the same in both regions.',
    fix: 'Give it the settings of the primary, unless they differ on purpose.',
  },
  'none-known': {
    level: 'note',
    meaning:
      'The config names no consumers and none is found, but somebody calls GetRecords on the standby’s stream: an application of the KCL, a Firehose stream or another that cannot be found from the stream.',
    fix: 'Name it in `cells[].consumers`.',
  },
  unwatched: {
    level: 'note',
    meaning: 'Of a consumer of the kind `other` nothing is known without an alarm.',
    fix: 'Give it an alarm in the config.',
  },
  denied: {
    level: 'unknown',
    meaning: 'These credentials may not ask. Whatever depends on it is not known.',
    fix: '`npx spillway policy operator --verbs consumers --account 123456789012` prints the policy.',
  },
  unreadable: {
    level: 'unknown',
    meaning:
      'A service of a region did not answer in time, or throttles. Whatever depends on it is not known; the other region is shown.',
    fix: 'Ask again, for fewer cells with `--cells`; look at the health of the region.',
  },
} as const satisfies Readonly<Record<string, FindingRow>>;

export type ConsumerFindingCode = keyof typeof consumerFindings;
export const consumerFindingCodes = Object.keys(consumerFindings) as readonly ConsumerFindingCode[];

export interface ConsumerFinding {
  readonly code: ConsumerFindingCode;
  readonly level: FindingLevel;
  /** Null: of a region, whatever the cell. */
  readonly cell: string | null;
  readonly kind: ConsumerKind | null;
  readonly consumer: string | null;
  readonly role: Role | null;
  readonly region: string | null;
  readonly text: string;
  /** A command where there is one. */
  readonly fix: string;
}

/** The worst first, and within a code as they were found. */
export function worstFirst(findings: readonly ConsumerFinding[]): readonly ConsumerFinding[] {
  const levels: readonly FindingLevel[] = ['bad', 'unknown', 'note'];
  const rankOf = ({ level, code }: ConsumerFinding): number =>
    levels.indexOf(level) * consumerFindingCodes.length + consumerFindingCodes.indexOf(code);
  return findings.toSorted((a, b) => rankOf(a) - rankOf(b));
}
