import type { DiagnosisCode } from '../../lambda/core/diagnosis.ts';

/** What the page of one diagnosis or alarm says beyond what the tables of the core say. */
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

export interface AlarmEntry extends RunbookEntry {
  readonly alarm: string;
  readonly meaning: string;
}

export const alarmEntries: readonly AlarmEntry[] = [
  {
    alarm: 'observer silent',
    meaning:
      'An observer has not decided for some minutes. Its vote reads HOLD; with K of N left, the others still evacuate, and with fewer nothing moves by itself.',
    lookAt: [
      'How many votes are live, against how many are needed: the second line of `status`.',
      'The region’s own health: it may be the one that fails.',
    ],
    run: [
      status,
      log,
      [
        'spillway failover --all --reason "too few observers, primary down"',
        'if the primary fails meanwhile and fewer than K votes are live',
      ],
    ],
    not: [
      'Do not lower `votesToEvacuate` during an incident: it needs a deployment, and one sick observer would then move traffic.',
    ],
  },
  {
    alarm: 'drill overdue',
    meaning: 'The weekly drill has not run, or not to its end. The way out is unproven.',
    lookAt: [
      'What the last drill said, and whether a pause, a maintenance window, a silent observer or a cell that was never brought back kept it from running.',
    ],
    run: [
      ['spillway history --limit 50', 'the last drills, and what stopped them'],
      ['spillway failback --cells drill --reason "after a drill"', 'while the drill’s cell is still away'],
      ['spillway drill --aws --reason "overdue"', 'drills now, in about three minutes'],
      ['spillway doctor', 'what has changed since'],
    ],
    not: ['Do not silence it: the next outage is the drill then.'],
  },
  {
    alarm: 'pause forgotten',
    meaning: 'A pause has stood for hours. While it does, no outage is evacuated by itself.',
    lookAt: ['Its owner and reason, and when it ends: `status` shows them.'],
    run: [
      ['spillway history', 'who paused, and why'],
      ['spillway resume --reason "load test is over"', 'after asking its owner'],
    ],
    not: ['Do not renew it without its owner.'],
  },
  {
    alarm: 'standby unfit',
    meaning:
      'The standby does not take or return records, or would not take the primary’s peak. There is no way out.',
    lookAt: ['The evidence about the standby, and its shards against the primary’s peak.'],
    run: [why, ['spillway doctor', 'which cell falls short, and by how much']],
    not: ['Do not wait for the next outage to scale it: scaling takes minutes, and needs a control plane.'],
  },
  {
    alarm: 'votes disagreeing',
    meaning:
      'For a while some observers have voted EVACUATE and too few to move anything. Either one of them is wrong, or the primary fails for part of the world.',
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
];
