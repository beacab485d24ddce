import type { DiagnosisCode } from '../../lambda/core/diagnosis.ts';
import type { AlarmName } from '../alarms/alarms-table.ts';

/** The parts of the page of one diagnosis or alarm that its own table does not have. */
export interface RunbookEntry {
  readonly lookAt: readonly string[];
  /** Exact commands, with what each is for. */
  readonly run: readonly (readonly [command: string, purpose: string])[];
  readonly not: readonly string[];
}

const status = ['spillway status --watch', 'whether traffic moves, and how each observer votes'] as const;
const why = ['spillway why', 'the measurements, and the guard that refuses'] as const;
const log = [
  'aws logs tail /aws/lambda/spillway-observer --region REGION --since 10m',
  'what that observer measures, round by round',
] as const;
const ack = ['spillway ack --reason "inc-4711, looking"', 'tell the others that you have it'] as const;

const history = ['spillway history --limit 20', 'what was done, by whom, and the state it left'] as const;
const doctor = ['spillway doctor', 'in quiet times: streams, rights, versions, subscriptions'] as const;

/** A missing diagnosis does not compile. */
export const diagnosisEntries: Readonly<Record<DiagnosisCode, RunbookEntry>> = {
  ClockSuspect: {
    lookAt: [
      'Whether one observer says so or all of them: a single observer has a problem in its own region.',
    ],
    run: [status, log],
    not: ['Do not lower `votesToEvacuate` to make up for this observer.'],
  },
  ObserverSick: {
    lookAt: [
      'The error class in its log: `access` means IAM or a policy, `missing` means that a canary stream is gone.',
    ],
    run: [log, ['spillway doctor', 'in quiet times: do streams, rights and versions match?'], status],
    not: ['Do not fail over because of this: it says something about the observer, not about the primary.'],
  },
  BothImpaired: {
    lookAt: ['Which of the two comes back first; producers keep what they cannot write.'],
    run: [
      ack,
      why,
      [
        'spillway pause --for 1h --reason "both regions impaired"',
        'if the first sign of recovery must not move anything',
      ],
    ],
    not: [
      'Do not fail over in either direction: the other region is no better, and a move loses the order of the records in flight.',
    ],
  },
  StandbyUnknown: {
    lookAt: [
      'Why the standby is not known: its canary is throttled or refused, or the observer has just begun. Put a record to a stream there yourself.',
    ],
    run: [
      why,
      [
        'spillway failover --all --force --reason "the standby takes records by my own test, inc-4711"',
        'if it does; producers spool until then',
      ],
      ack,
    ],
    not: ['Do not wait for it to move by itself: nothing moves to a place that is not known to work.'],
  },
  StandbyUnfit: {
    lookAt: [
      'The evidence about the standby: writes, reads or reachability. While this lasts, the primary cannot be evacuated.',
    ],
    run: [why, ['spillway doctor', 'canary, streams and capacity of the standby'], status],
    not: [
      'Do not use `failover --force` unless the primary is gone for good and the standby works by your own test.',
    ],
  },
  RegionUnreachable: {
    lookAt: ['Whether DNS moves within half a minute of the second vote, and whether the switches follow.'],
    run: [
      status,
      [
        'spillway failover --all --reason "us-east-1 unreachable, inc-4711"',
        'if DNS has not moved a minute after the votes, or no switch is set',
      ],
      ack,
    ],
    not: [
      'Do not wait for the status page or for an alarm in the primary: they fail with it.',
      'Do not deploy: moving traffic needs no deployment, and a deployment may need what is down.',
    ],
  },
  KinesisWriteImpaired: {
    lookAt: [
      'Whether a guard holds the votes back (`why`): a pause, the mode, a maintenance window, the cooldown.',
    ],
    run: [
      status,
      why,
      [
        'spillway resume --reason "real outage, inc-4711"',
        'if a pause or a maintenance window holds the votes back',
      ],
      ['spillway approve --for 30m --reason "seen, go"', 'if the mode is approve'],
      [
        'spillway failover --all --reason "us-east-1 drops writes, inc-4711"',
        'if the mode is observe, or the move takes longer than a minute',
      ],
    ],
    not: [
      'Do not fail back at the first good minute: an outage often returns. Failback is refused until the recovery time is over.',
    ],
  },
  CanaryOnly: {
    lookAt: [
      'The errors and retries of your own producers in the primary. The canary fails, or one of its shards; your streams are seen to take records, or other shards of the canary are.',
    ],
    run: [
      why,
      [
        'spillway failover --cells CELL --reason "its producers fail too, inc-4711"',
        'if producers of that cell fail as well',
      ],
      ack,
    ],
    not: ['Do not move everything: what can be seen besides the canary takes records.'],
  },
  StreamsImpaired: {
    lookAt: [
      'Which cells, in `spillway why`: half of those that may be probed, or more. The canary may be well: Kinesis is made of cells of its own.',
    ],
    run: [why, status, ack],
    not: ['Do not wait for the canary to fail as well.'],
  },
  StreamImpaired: {
    lookAt: [
      'Which cell, and whether it moves: `spillway why` names the guard that holds it. A cell that may not be probed is only paged for.',
      'The errors of that cell’s producers, and whether its consumers in the standby run.',
    ],
    run: [
      why,
      status,
      [
        'spillway failover --cells CELL --reason "its stream fails, inc-4711"',
        'if the cell may not move by itself, and its producers fail',
      ],
      ack,
    ],
    not: ['Do not move the other cells: the region is well.'],
  },
  KinesisReadImpaired: {
    lookAt: [
      'Consumer lag in the primary, and the retention of the streams: records are safe as long as they are kept.',
    ],
    run: [
      why,
      [
        'spillway failover --cells CELL --reason "consumers need new data now"',
        'only if consumers in the standby can start from new records',
      ],
    ],
    not: [
      'Do not move everything: the backlog stays in the primary, and consumers would have two places to read.',
    ],
  },
  KinesisWriteDegraded: {
    lookAt: [
      'The failing fraction (`why`), and whether it grows. Producers try again what fails: look at their buffers and retries.',
    ],
    run: [
      why,
      status,
      [
        'spillway failover --all --reason "buffers grow, inc-4711"',
        'if retries no longer keep up, and the standby is better',
      ],
    ],
    not: ['Do not lower `policy.minimumGain` in the middle of it: a deployment is the last thing it needs.'],
  },
  LatencyDegraded: {
    lookAt: ['The producers’ buffers. If they grow, records come faster than they leave.'],
    run: [
      why,
      ['spillway failover --cells CELL --reason "buffers grow"', 'one cell first; the others if this helps'],
      status,
    ],
    not: ['Do not restart producers: what they hold in memory is lost.'],
  },
  PrimaryRefusesAccess: {
    lookAt: [
      'What your producers get in the primary. The observer’s credentials are good: the standby accepts them.',
      'Changes of policies that name the primary: a service control policy, a key policy of the canary, the role itself.',
    ],
    run: [
      log,
      why,
      [
        'spillway failover --all --reason "the primary refuses credentials, inc-4711"',
        'if producers are refused as well',
      ],
    ],
    not: ['Do not wait for it to move traffic: nothing moves by itself for an error of access.'],
  },
  CanaryMissing: {
    lookAt: ['Which stream the log names, and whether somebody has deleted it or its stack.'],
    run: [log, doctor, ['npx cdk deploy --all', 'creates what is missing; see docs/deployments.md first']],
    not: ['Do not fail over because of it: a stream that is gone says nothing about the region.'],
  },
  CloudWatchBlind: {
    lookAt: ['Alarms of the primary in INSUFFICIENT_DATA, and autoscaling that acts on missing metrics.'],
    run: [why, ack],
    not: [
      'Do not read "no alarm" as "all is well".',
      'Do not fail over because of this: Kinesis takes records.',
    ],
  },
  ControlPlaneOnly: {
    lookAt: ['Deployments and scaling under way in the primary: stop them.'],
    run: [
      why,
      [
        'spillway maintenance --for 2h --reason "control plane down, nothing to be changed"',
        'only if somebody is about to change the primary anyway',
      ],
    ],
    not: ['Do not reshard, scale or deploy in the primary.'],
  },
  SiblingServicesOnly: {
    lookAt: ['Which service (`why` names it), and who depends on it.'],
    run: [why, ack],
    not: ['Do not move producers because of this: the service that they use works.'],
  },
  StandbyDegraded: {
    lookAt: ['The failing fraction of the standby (`why`), and whether it grows.'],
    run: [why, doctor, status],
    not: ['Do not pause for it: the standby still takes the traffic of a primary that fails more.'],
  },
  ProbesRefused: {
    lookAt: [
      'The error class in its log: `access` is a permission that its role lacks, `validation` or `unclassified` a version that does not fit.',
    ],
    run: [log, doctor],
    not: ['Do not fail over because of it: this observer still judges writes.'],
  },
  Undetermined: {
    lookAt: [
      'The age of the vote. A new observer needs a minute; an observer that stays Undetermined cannot reach its tables or probe the regions.',
    ],
    run: [status, log],
    not: ['Do not read this as healthy: this observer will not vote to evacuate.'],
  },
  Recovering: {
    lookAt: ['How long it has been healthy (`why`), and whether traffic is in the standby.'],
    run: [status, why],
    not: ['Do not use `failback --force`: on 2025-10-20 the second dip came within the hour.'],
  },
  Healthy: {
    lookAt: ['Nothing. If traffic is in the standby, see failback below.'],
    run: [status],
    not: [],
  },
};

/** A missing alarm does not compile; what it means and when it fires is in the table of alarms. */
export const alarmEntries: Readonly<Record<AlarmName, RunbookEntry>> = {
  'observer silent': {
    lookAt: [
      'How many votes are live, and how many are needed: the second line of `status`.',
      'The health of the observer’s region: that region may be the one that fails.',
      'Whether `status` shows all observers well: then the monitor in the standby is silent.',
    ],
    run: [
      status,
      log,
      [
        'aws logs tail /aws/lambda/spillway-monitor --region us-west-2 --since 10m',
        'what the monitor says of each observer, minute by minute',
      ],
      [
        'spillway failover --all --reason "too few observers, primary down"',
        'if the primary fails meanwhile and fewer than K votes are live',
      ],
    ],
    not: [
      'Do not lower `votesToEvacuate` during an incident: it needs a deployment, and one sick observer would then move traffic.',
    ],
  },
  'too few observers': {
    lookAt: ['The primary: no quorum watches it for you now.', 'What the silent observers have in common.'],
    run: [
      status,
      log,
      [
        'spillway failover --all --reason "too few observers, primary down"',
        'if your own producers fail, because nothing moves by itself',
      ],
    ],
    not: ['Do not wait for votes: there are not enough.'],
  },
  'observer sick': {
    lookAt: ['Its diagnosis: ClockSuspect, ObserverSick or Undetermined, and their pages above.'],
    run: [status, log, doctor],
    not: ['Do not fail over because of this: it says something about the observer, not about the primary.'],
  },
  'primary impaired': {
    lookAt: [
      'The diagnosis in `status`, and its page above, which says whether traffic moves, and what to do if not.',
    ],
    run: [status, why, ack],
    not: ['Do not wait for the status page or for an alarm in the primary: they fail with it.'],
  },
  'canary or access': {
    lookAt: [
      'Which of the two, in `status`, and its page above: CanaryOnly or PrimaryRefusesAccess.',
      'What your own producers get in the primary: errors, retries, growing buffers.',
    ],
    run: [
      why,
      [
        'spillway failover --cells CELL --reason "its producers fail too, inc-4711"',
        'for each cell whose producers fail as well',
      ],
      log,
      ack,
    ],
    not: ['Do not wait for it to move traffic: nothing moves by itself for either.'],
  },
  'evacuation blocked': {
    lookAt: [
      'Which guard refuses, and until when: `why` says both. "When a guard refuses" above says how to get past each guard.',
    ],
    run: [
      why,
      ['spillway approve --for 30m --reason "seen, go"', 'if the mode is approve'],
      [
        'spillway resume --reason "real outage, inc-4711"',
        'if a pause or a maintenance window holds the votes back',
      ],
      [
        'spillway failover --all --reason "us-east-1 drops writes, inc-4711"',
        'whichever guard refuses: an operator’s failover needs no vote',
      ],
    ],
    not: ['Do not change the policy now: that needs a deployment.'],
  },
  'votes disagreeing': {
    lookAt: [
      'What each of them measures. A one-sided network fault shows as time-outs from one region alone.',
    ],
    run: [
      why,
      log,
      [
        'spillway failover --all --reason "customers fail, observers disagree"',
        'if your own producers fail: trust them more than the observers',
      ],
    ],
    not: ['Do not fail over because of one observer: K of N is there to outvote it.'],
  },
  'cell impaired': {
    lookAt: [
      'Which cell, who accuses it, and whether it moves or what holds it: the lines of streams in `status`.',
      'The errors of that cell’s producers, and whether its consumers in the standby run.',
    ],
    run: [
      status,
      why,
      [
        'spillway failover --cells CELL --reason "its stream fails, inc-4711"',
        'if a guard holds it, and its producers fail: an operator’s failover needs no vote',
      ],
      ack,
    ],
    not: [
      'Do not move the other cells: the region is well.',
      'Do not return the cell while this alarm is on: its stream still fails.',
    ],
  },
  'stream suspected': {
    lookAt: [
      'Which cell, and the reason: the lines of streams in `status`. Records that fail are retried; look at the producers’ buffers.',
      'If producers report failures and the stream may not be probed: the errors of these producers decide, not Spillway.',
      'If the stream refuses the observers: access, a KMS key, or a stream that is missing. `doctor` names the fix.',
    ],
    run: [
      why,
      doctor,
      [
        'spillway failover --cells CELL --reason "its producers fail, inc-4711"',
        'if the producers of the cell are right',
      ],
    ],
    not: ['Do not let observers be refused for long: a cell that cannot be probed does not move by itself.'],
  },
  'traffic moved': {
    lookAt: ['Whether the switches follow within a minute, and whether producers arrive in the standby.'],
    run: [status, ack, history],
    not: ['Do not fail back at the first good minute: an outage often returns.'],
  },
  'not latched': {
    lookAt: ['Whether the conductor has started, and where it stopped: its last line in the journal.'],
    run: [
      history,
      ['spillway failover --all --reason "latch, inc-4711"', 'sets the switches that are missing'],
      [
        'spillway failover --all --direct --reason "conductor does not run, inc-4711"',
        'if Step Functions does not answer in the standby',
      ],
    ],
    not: [
      'Do not fail back to make switches and DNS agree: set the switches first, then look at the primary.',
    ],
  },
  'standby unfit': {
    lookAt: [
      'The evidence about the standby: writes, reads or reachability, and from how many observers.',
      'If only one observer says so, its network path to the standby fails.',
    ],
    run: [why, ['spillway doctor', 'canary, streams and capacity of the standby'], status],
    not: [
      'Do not wait for the next outage to repair or scale the standby: both take minutes, and need a control plane.',
    ],
  },
  'standby too small': {
    lookAt: [
      'Which cells, and by how much: `shortfalls` in the survey’s log, or `spillway doctor`, which reads the sizes again.',
    ],
    run: [
      ['spillway doctor', 'which stream, its shards, and the peak it would have to take'],
      [
        'aws kinesis update-shard-count --region STANDBY --stream-name STREAM --target-shard-count N --scaling-type UNIFORM_SCALING',
        'for a provisioned stream: enough shards for the peak, at 1 MB/s and 1,000 records/s each',
      ],
      [
        'aws kinesis update-stream-warm-throughput --region STANDBY --stream-arn ARN --warm-throughput-mi-bps N',
        'for a stream on demand',
      ],
      [
        'aws logs tail /aws/lambda/spillway-survey --region STANDBY --since 3h',
        'what the survey found, hour by hour',
      ],
    ],
    not: [
      'Do not leave this for the outage: a stream that has to grow during an outage throttles meanwhile.',
    ],
  },
  'standby unread': {
    lookAt: [
      'Which consumers of which cells, and why: `unread` in the survey’s log, or `spillway consumers`, which asks again.',
      'Whether somebody has switched it off on purpose, to switch it on in the crisis: in health the standby’s stream is empty, so a consumer that always runs costs next to nothing.',
    ],
    run: [
      [
        'spillway consumers',
        'each consumer in both regions, what is wrong with it, and the command that mends it',
      ],
      [
        'aws logs tail /aws/lambda/spillway-survey --region STANDBY --since 3h',
        'what the survey found, hour by hour',
      ],
    ],
    not: [
      'Do not leave this for the outage: a mapping takes up to 90 s to start, one that begins at LATEST misses what came before, and an application of the KCL resumes from wherever it was used last.',
      'Do not hold an evacuation back for this: records wait in the standby’s stream as long as its retention lasts.',
    ],
  },
  'survey silent': {
    lookAt: [
      'The survey’s log, which says which calls fail. A value that the survey could not read stays as it was, and is no failure.',
      'Whether its rule still starts the survey each hour.',
    ],
    run: [
      [
        'aws logs tail /aws/lambda/spillway-survey --region us-west-2 --since 4h',
        'how far its runs came, and the error',
      ],
      ['spillway doctor', 'checks again, with the same code, whether the standby would take the load'],
    ],
    not: ['Meanwhile do not take the silence of `standby too small` for good news.'],
  },
  'standby dark': {
    lookAt: [
      'Whether the other witnesses say the same: if so, the standby fails; if not, the network path from this witness fails.',
      'Whether traffic is in the standby: if the standby’s switch endpoint is down as well, DNS returns to the primary where the primary is healthy.',
    ],
    run: [status, why, log],
    not: [
      'Do not take the silence of the other alarms for good news: they are in the region that fails.',
      'Do not fail over: the standby is no better place until it works again.',
    ],
  },
  'pause forgotten': {
    lookAt: ['The owner, the reason and the end of what was set: `status` shows them.'],
    run: [
      ['spillway history', 'who paused, and why'],
      ['spillway resume --reason "load test is over"', 'after asking the owner'],
    ],
    not: ['Do not renew what was set without asking the owner.'],
  },
  'drill overdue': {
    lookAt: [
      'The result of the last drill, and whether a pause, a maintenance window, a silent observer or a cell that was never brought back keeps drills from running.',
      'Whether somebody has turned the schedule off: `schedule` in the history.',
    ],
    run: [
      ['spillway history --limit 50', 'the last drills, and what stopped them'],
      ['spillway failback --cells drill --reason "after a drill"', 'while the drill’s cell is still away'],
      ['spillway drill --aws --reason "overdue"', 'drills now, in about two minutes'],
      ['spillway doctor', 'whether a failover would work now'],
    ],
    not: ['Do not silence this alarm: otherwise the next outage will be the drill.'],
  },
  'DNS unread': {
    lookAt: ['Whether you can resolve the name, and whether the delegation still names the zone’s servers.'],
    run: [
      [
        'aws route53 get-hosted-zone --id ZONE',
        'the name servers of the zone, to compare with what the parent zone says',
      ],
      ['spillway doctor', 'zone and delegation'],
      status,
    ],
    not: ['Do not change records by hand: DNS follows votes and switches.'],
  },
  'state unread': {
    lookAt: ['Whether the table is throttled, whether it exists, and the health of the standby.'],
    run: [
      status,
      doctor,
      [
        'aws dynamodb describe-table --table-name spillway-state --region us-west-2',
        'whether the table exists and is active',
      ],
    ],
    not: [
      'Do not restore the table over the old one while traffic is in the standby: the switches are in it.',
    ],
  },
  'state throttled': {
    lookAt: [
      'What reads so much: other software with this table’s name? And whether the table is no longer on demand.',
    ],
    run: [
      [
        'aws dynamodb describe-table --table-name spillway-state --region us-west-2',
        'its billing mode and limits',
      ],
      status,
    ],
    not: ['Do not start many commands at the same time: each reads the table.'],
  },
  'conductor failed': {
    lookAt: ['The last line of the run: the state it left, and the next command.'],
    run: [
      history,
      [
        'aws logs tail /aws/lambda/spillway-conductor --region us-west-2 --since 30m',
        'the step that failed, and its error',
      ],
      [
        'spillway failover --all --reason "finish, inc-4711"',
        'after a failed evacuation; it goes on from where it stopped',
      ],
    ],
    not: ['Do not set switches by hand while a run goes on: `status` shows who holds the lease.'],
  },
  'run needs an act': {
    lookAt: ['The findings of the run, in its message and in the journal, and its next command.'],
    run: [history, status],
    not: [
      'If a failback was taken back, do not repeat it before the primary has been healthy for a long time.',
    ],
  },
  'endpoint unfit': {
    lookAt: [
      'Which endpoint, and what was found: `spillway status` and the monitor’s log line (`endpoints`) name it.',
      'dead, or refused with status 403: the health check asks a function URL that is gone, for example because the stack of a witness was deleted and deployed again. Deploy again, so that the check asks the present URL; see where it should ask with `aws lambda get-function-url-config`.',
      'refused with status 502, or late: the function fails or is slow. Its log says why.',
      'throttled: somebody else requests the URL; see “switch endpoint failing”.',
      'unreadable: the function may not read its table, or the table does not answer. Its log has the error; compare the role with the template.',
      'wrong: the endpoint reads another table or an old version runs. `spillway doctor` compares versions.',
      'damaged: the record in the state table, under `endpoints`, is not what a deployment writes. Deploy again.',
    ],
    run: [
      ['spillway doctor', 'asks every endpoint from here, and says what was found and what to do'],
      [
        'aws logs tail /aws/lambda/spillway-monitor --region us-west-2 --since 10m',
        'what the monitor found, minute by minute',
      ],
      [
        'aws logs tail /aws/lambda/spillway-vote --region REGION --since 10m',
        'why the function cannot answer; for a switch: spillway-switch in the standby',
      ],
      status,
    ],
    not: [
      'Do not take HOLD from an unreadable endpoint for health: it would say HOLD in an outage too.',
      'Do not deploy to the standby while traffic is there, unless its switch endpoint is what fails.',
    ],
  },
  'vote endpoint failing': {
    lookAt: [
      'Whether these are errors or refusals. Refusals come from too many requests: somebody else requests the URL.',
    ],
    run: [
      [
        'aws logs tail /aws/lambda/spillway-vote --region REGION --since 10m',
        'the function’s log; if it has no line, the function never started',
      ],
      status,
    ],
    not: ['Do not worry about traffic: an endpoint that does not answer reads HOLD, and moves nothing.'],
  },
  'switch endpoint failing': {
    lookAt: [
      'Where traffic is. If it is in the primary, nothing is lost. If it is in the standby, the votes hold it there, as long as they last.',
      'Whether these are errors or refusals (the dashboard shows both). Refusals come from too many requests: a flood. How large a flood the switches ride out, and what a larger one does, is in docs/how-it-works.md, “What a flood can do”.',
      'In a flood: the requests a second, from the metrics Invocations and Throttles of the function. Up to 16 for each unit of reserved concurrency, the switches hold.',
    ],
    run: [
      status,
      [
        'aws logs tail /aws/lambda/spillway-switch --region us-west-2 --since 10m',
        'the function’s log; if it has no line, the function never started',
      ],
      [
        'aws lambda put-function-concurrency --region us-west-2 --function-name spillway-switch --reserved-concurrent-executions 300',
        'in a flood: takes effect at once and moves nothing; then write delivery.switchConcurrency: 300 into the config',
      ],
    ],
    not: ['Do not deploy a rollback during an evacuation before you have read the endpoint’s log.'],
  },
};
