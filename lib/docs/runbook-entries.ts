import type { DiagnosisCode } from '../../lambda/core/diagnosis.ts';
import type { AlarmName } from '../alarms/alarms-table.ts';

/** What the page of one diagnosis or alarm says beyond what their own tables say. */
export interface RunbookEntry {
  readonly lookAt: readonly string[];
  /** Exact commands, with what each is for. */
  readonly run: readonly (readonly [command: string, purpose: string])[];
  readonly not: readonly string[];
}

const status = ['spillway status --watch', 'is it moving, and who says so'] as const;
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
    lookAt: ['Whether it is one observer or all of them: one is that region’s affair.'],
    run: [status, log],
    not: ['Do not lower `votesToEvacuate` to make up for it.'],
  },
  ObserverSick: {
    lookAt: [
      'The error class in its log: `access` is IAM or a policy, `missing` is a canary stream that is gone.',
    ],
    run: [log, ['spillway doctor', 'in quiet times: do streams, rights and versions match?'], status],
    not: ['Do not fail over because of it: it says something about the observer, not about the primary.'],
  },
  BothImpaired: {
    lookAt: ['Which of the two comes back first; producers keep what they cannot write.'],
    run: [
      ack,
      why,
      [
        'spillway pause --for 1h --reason "both regions impaired"',
        'if the first sign of life must not move anything',
      ],
    ],
    not: [
      'Do not fail over, neither way: the other place is no better, and moving costs the order of what is in flight.',
    ],
  },
  StandbyUnfit: {
    lookAt: [
      'The evidence about the standby: writes, reads or reachability. While it lasts there is no way out of the primary.',
    ],
    run: [why, ['spillway doctor', 'canary, streams and capacity of the standby'], status],
    not: [
      'Do not use `failover --force` unless the primary is gone for good and the standby works by your own test.',
    ],
  },
  RegionUnreachable: {
    lookAt: ['That DNS moves within half a minute of the second vote, and that the switches follow.'],
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
      'Do not deploy: nothing that moves traffic needs it, and it may need what is down.',
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
        'if a pause or a maintenance window holds it back',
      ],
      ['spillway approve --for 30m --reason "seen, go"', 'if the mode is approve'],
      [
        'spillway failover --all --reason "us-east-1 drops writes, inc-4711"',
        'if the mode is observe, or it takes longer than a minute',
      ],
    ],
    not: [
      'Do not fail back at the first good minute: outages come in dips. Failback is refused until the recovery time is over.',
    ],
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
  LatencyDegraded: {
    lookAt: ['The producers’ buffers. If they grow, records come faster than they leave.'],
    run: [
      why,
      ['spillway failover --cells CELL --reason "buffers grow"', 'one cell first; the others if it helps'],
      status,
    ],
    not: ['Do not restart producers: what they hold in memory is lost.'],
  },
  CloudWatchBlind: {
    lookAt: ['Alarms of the primary in INSUFFICIENT_DATA, and autoscaling that acts on missing metrics.'],
    run: [why, ack],
    not: ['Do not read "no alarm" as "all is well".', 'Do not fail over for it: Kinesis takes records.'],
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
    not: ['Do not move producers for it: their service works.'],
  },
  Undetermined: {
    lookAt: [
      'The age of the vote. A new observer needs a minute; one that stays so does not reach its tables or its probes.',
    ],
    run: [status, log],
    not: ['Do not take it for healthy: this observer will not vote to evacuate.'],
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
      'How many votes are live, against how many are needed: the second line of `status`.',
      'The region’s own health: it may be the one that fails.',
      'All observers well in `status`: then the monitor in the standby is what is silent.',
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
    lookAt: [
      'The primary: nobody watches it in your place now.',
      'What the silent observers have in common.',
    ],
    run: [
      status,
      log,
      [
        'spillway failover --all --reason "too few observers, primary down"',
        'if your own producers fail: nothing moves by itself',
      ],
    ],
    not: ['Do not wait for votes: there are not enough.'],
  },
  'observer sick': {
    lookAt: ['Its diagnosis: ClockSuspect, ObserverSick or Undetermined, and their pages above.'],
    run: [status, log, doctor],
    not: ['Do not fail over because of it: it says something about the observer, not about the primary.'],
  },
  'primary impaired': {
    lookAt: [
      'The diagnosis in `status`, and its page above: it says whether traffic moves, and what to do if not.',
    ],
    run: [status, why, ack],
    not: ['Do not wait for the status page or for an alarm in the primary: they fail with it.'],
  },
  'evacuation blocked': {
    lookAt: [
      'Which guard refuses, and until when: `why` says both; "When a guard refuses" above says the way round.',
    ],
    run: [
      why,
      ['spillway approve --for 30m --reason "seen, go"', 'if the mode is approve'],
      [
        'spillway resume --reason "real outage, inc-4711"',
        'if a pause or a maintenance window holds it back',
      ],
      [
        'spillway failover --all --reason "us-east-1 drops writes, inc-4711"',
        'whatever the guard: an operator’s word needs no vote',
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
        'if your own producers fail: they are the better witness',
      ],
    ],
    not: ['Do not fail over because of one observer: K of N is there to outvote it.'],
  },
  'traffic moved': {
    lookAt: ['That the switches follow within a minute, and that producers arrive in the standby.'],
    run: [status, ack, history],
    not: ['Do not fail back at the first good minute: outages come in dips.'],
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
    not: ['Do not fail back to make it consistent: latch first, then look at the primary.'],
  },
  'standby unfit': {
    lookAt: [
      'The evidence about the standby: writes, reads or reachability, and from how many observers.',
      'One observer alone: its way to the standby is what fails.',
    ],
    run: [why, ['spillway doctor', 'canary, streams and capacity of the standby'], status],
    not: [
      'Do not wait for the next outage to mend or scale it: that takes minutes, and needs a control plane.',
    ],
  },
  'standby too small': {
    lookAt: [
      'Which cells, and by how much: `shortfalls` in the survey’s log, or `spillway doctor`, which asks anew.',
    ],
    run: [
      ['spillway doctor', 'which stream, its shards, and the peak it would have to take'],
      [
        'aws kinesis update-shard-count --region STANDBY --stream-name STREAM --target-shard-count N --scaling-type UNIFORM_SCALING',
        'a provisioned stream: shards for the peak, at 1 MB/s and 1,000 records/s each',
      ],
      [
        'aws kinesis update-stream-warm-throughput --region STANDBY --stream-arn ARN --warm-throughput-mi-bps N',
        'a stream on demand',
      ],
      [
        'aws logs tail /aws/lambda/spillway-survey --region STANDBY --since 3h',
        'what the survey found, hour by hour',
      ],
    ],
    not: ['Do not leave it for the outage: a stream that grows then does so while it throttles.'],
  },
  'survey silent': {
    lookAt: [
      'The survey’s log: it says which calls fail. What it could not read of a region stays as it was, and is no failure.',
      'Whether its rule still starts it, each hour.',
    ],
    run: [
      [
        'aws logs tail /aws/lambda/spillway-survey --region us-west-2 --since 4h',
        'how far its runs came, and the error',
      ],
      ['spillway doctor', 'asks anew, by the same code, whether the standby would take the load'],
    ],
    not: ['Do not take the silence of `standby too small` for good news meanwhile.'],
  },
  'standby dark': {
    lookAt: [
      'Whether the other witnesses say the same: then it is the standby, else the way from this one to it.',
      'Traffic in the standby meanwhile: if its switch endpoint is gone as well, DNS returns to the primary where that is healthy.',
    ],
    run: [status, why, log],
    not: [
      'Do not take the silence of the other alarms for good news: they are in the region that fails.',
      'Do not fail over: there is no better place until it is back.',
    ],
  },
  'pause forgotten': {
    lookAt: ['Its owner and reason, and when it ends: `status` shows them.'],
    run: [
      ['spillway history', 'who paused, and why'],
      ['spillway resume --reason "load test is over"', 'after asking its owner'],
    ],
    not: ['Do not renew it without its owner.'],
  },
  'drill overdue': {
    lookAt: [
      'What the last drill said, and whether a pause, a maintenance window, a silent observer or a cell that was never brought back kept it from running.',
      'Whether somebody has turned the schedule off: `schedule` in the history.',
    ],
    run: [
      ['spillway history --limit 50', 'the last drills, and what stopped them'],
      ['spillway failback --cells drill --reason "after a drill"', 'while the drill’s cell is still away'],
      ['spillway drill --aws --reason "overdue"', 'drills now, in about two minutes'],
      ['spillway doctor', 'what has changed since'],
    ],
    not: ['Do not silence it: the next outage is the drill then.'],
  },
  'DNS unread': {
    lookAt: ['Whether you can resolve it, and whether the delegation still names the zone’s servers.'],
    run: [
      ['aws route53 get-hosted-zone --id ZONE', 'the name servers of the zone, against what the parent says'],
      ['spillway doctor', 'zone and delegation'],
      status,
    ],
    not: ['Do not change records by hand: DNS follows votes and switches.'],
  },
  'state unread': {
    lookAt: ['Throttling of the table, its existence, and the standby’s own health.'],
    run: [
      status,
      doctor,
      [
        'aws dynamodb describe-table --table-name spillway-state --region us-west-2',
        'is it there, and active?',
      ],
    ],
    not: [
      'Do not restore the table over the old one while traffic is in the standby: the switches are in it.',
    ],
  },
  'state throttled': {
    lookAt: ['Who reads so much: other software with this table’s name, or a table not on demand any more.'],
    run: [
      [
        'aws dynamodb describe-table --table-name spillway-state --region us-west-2',
        'its billing mode and limits',
      ],
      status,
    ],
    not: ['Do not start many commands at once: each reads the table.'],
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
        'a failed evacuation; it goes on from where it is',
      ],
    ],
    not: ['Do not set switches by hand while a run goes on: `status` shows who holds the lease.'],
  },
  'run needs an act': {
    lookAt: ['The findings of the run, in its message and in the journal; its next command.'],
    run: [history, status],
    not: ['Do not repeat a failback that was taken back before the primary has been healthy for long.'],
  },
  'vote endpoint failing': {
    lookAt: ['Errors or refusals? Refusals come from too many requests: somebody else asks the URL.'],
    run: [
      [
        'aws logs tail /aws/lambda/spillway-vote --region REGION --since 10m',
        'what it says; without a line it never began',
      ],
      status,
    ],
    not: ['Do not worry for traffic: an endpoint that does not answer reads HOLD, and moves nothing.'],
  },
  'switch endpoint failing': {
    lookAt: [
      'Where traffic is. In the primary: nothing is lost. In the standby: the votes hold it, as long as they stand.',
    ],
    run: [
      status,
      [
        'aws logs tail /aws/lambda/spillway-switch --region us-west-2 --since 10m',
        'what it says; without a line it never began',
      ],
    ],
    not: ['Do not deploy a rollback during an evacuation before you have read its log.'],
  },
};
