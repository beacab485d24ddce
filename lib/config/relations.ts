import { CALLS_PER_ROUND, rtoBudget } from './budget.ts';
import { checkedGroups } from './checked-groups.ts';
import { type Config, hasForeignStream, observerRegions } from './config.ts';
import { DRILL_EVERY_DAYS, defaultDrillOverdueDays } from './defaults.ts';
import type { ConfigProblem } from './errors.ts';
import { nearest } from './nearest.ts';
import { regionProblems } from './regions.ts';

type Relation = (config: Config) => readonly ConfigProblem[];

/**
 * A vote must outlive this many ticks, because one or two ticks may be late between two runs of an observer.
 */
const TICKS_PER_VOTE = 3;
/** A shard answers five GetRecords calls a second ("Quotas and limits", Amazon Kinesis Data Streams Developer Guide). */
const SHARD_READS_PER_SECOND = 5;
/** An observer reads one shard of the canary at most this often in a round: a fresh record may need a second look. */
const READS_PER_ROUND = 2;

/** The rules that must hold between settings, in the order in which they are reported. */
const relations: readonly Relation[] = [
  regionProblems,
  distinctRoles,
  quorum,
  failuresAreEvidence,
  roundFitsTick,
  canaryReads,
  voteOutlivesSeam,
  rto,
  healthChecks,
  drillCell,
  drillOverdue,
  movingBeacons,
];

export function relationProblems(config: Config): readonly ConfigProblem[] {
  return relations.flatMap((relation) => relation(config));
}

/** A quorum of beacons that nobody can send moves nothing: whoever asked for it would wait in vain. */
function movingBeacons({ policy, beacons }: Config): readonly ConfigProblem[] {
  if (policy.beacons !== 'move' || beacons !== undefined) return [];
  const problem = 'lets producers move their cell, and there is no table in which they could report';
  return [{ path: 'policy.beacons', problem, fix: 'Write beacons: true at the top level as well.' }];
}

function distinctRoles({ regions }: Config): readonly ConfigProblem[] {
  const roles = [
    ['regions.primary', regions.primary],
    ['regions.standby', regions.standby],
    ...regions.witnesses.map((witness, index) => [`regions.witnesses[${index}]`, witness] as const),
  ] as const;
  return roles.flatMap(([path, region], index) => {
    const earlier = roles.slice(0, index).find(([, other]) => other === region);
    if (earlier === undefined) return [];
    const problem = `${region} is ${earlier[0]} already`;
    return [
      { path, problem, fix: 'Give each role a region of its own, because the roles must not fail together.' },
    ];
  });
}

/**
 * 2 <= K <= N-1: with K = 1 one sick observer moves traffic, with K = N one dead observer stops every
 * evacuation. K may be less than a majority: all votes are about the same primary, so two groups of votes
 * cannot contradict each other.
 */
function quorum({ regions, policy }: Config): readonly ConfigProblem[] {
  const observers = observerRegions(regions).length;
  const votes = policy.votesToEvacuate;
  if (votes >= 2 && votes <= observers - 1) return [];
  const effect =
    votes < 2 ? 'one sick observer would move traffic' : 'one dead observer would block every evacuation';
  return [
    {
      path: 'policy.votesToEvacuate',
      problem: `is ${votes} of ${observers} observers, so ${effect}`,
      fix: `Write ${observers === 3 ? '2' : `a number from 2 to ${observers - 1}`}, or leave the key out for a majority.`,
    },
  ];
}

function failuresAreEvidence({ policy }: Config): readonly ConfigProblem[] {
  if (policy.baselineFailureRate < policy.impairedFailureRate) return [];
  return [
    {
      path: 'policy.impairedFailureRate',
      problem: `${policy.impairedFailureRate} is not above policy.baselineFailureRate ${policy.baselineFailureRate}`,
      fix: 'Raise this value, or lower policy.baselineFailureRate: an impaired region fails more than a healthy one.',
    },
  ];
}

function roundFitsTick({ policy }: Config): readonly ConfigProblem[] {
  const roundMs = CALLS_PER_ROUND * policy.probeTimeoutMs;
  if (roundMs <= policy.tickMs) return [];
  return [
    {
      path: 'policy.probeTimeoutMs',
      problem: `a put and its read-back may take ${roundMs} ms, longer than policy.tickMs ${policy.tickMs}`,
      fix: `Lower this value to ${Math.floor(policy.tickMs / CALLS_PER_ROUND)}, or raise policy.tickMs to ${roundMs}.`,
    },
  ];
}

/**
 * Checks the reads of the canary. Throttled reads are no evidence, so observers that read too often would
 * blind each other.
 */
function canaryReads({ regions, policy }: Config): readonly ConfigProblem[] {
  const observers = observerRegions(regions).length;
  const minTickMs = Math.ceil((observers * READS_PER_ROUND * 1_000) / SHARD_READS_PER_SECOND);
  if (policy.tickMs >= minTickMs) return [];
  return [
    {
      path: 'policy.tickMs',
      problem: `with ${observers} observers the canary shard could be read more than ${SHARD_READS_PER_SECOND} times a second, the limit of Kinesis`,
      fix: `Raise this value to ${minTickMs} or more, or name fewer witnesses.`,
    },
  ];
}

function voteOutlivesSeam({ policy }: Config): readonly ConfigProblem[] {
  const leastMs = TICKS_PER_VOTE * policy.tickMs + CALLS_PER_ROUND * policy.probeTimeoutMs;
  if (policy.voteTtlMs >= leastMs) return [];
  return [
    {
      path: 'policy.voteTtlMs',
      problem: `${policy.voteTtlMs} ms is less than ${TICKS_PER_VOTE} ticks and a round that times out (${leastMs} ms), so a vote could expire between two runs of an observer`,
      fix: `Raise this value to ${leastMs} or more.`,
    },
  ];
}

function rto({ policy, delivery }: Config): readonly ConfigProblem[] {
  // Without a difference between the two rates no number of failures is evidence; another rule reports that.
  if (policy.baselineFailureRate >= policy.impairedFailureRate) return [];
  const { parts, totalMs } = rtoBudget(policy, delivery);
  if (totalMs <= delivery.rtoMs) return [];
  const sum = parts.map(({ part, ms }) => `${part} ${ms}`).join(' + ');
  const levers = [...parts].sort((a, b) => b.ms - a.ms).flatMap(({ lower }) => lower ?? []);
  return [
    {
      path: 'delivery.rtoMs',
      problem: `${delivery.rtoMs} ms cannot be kept: ${sum} = ${totalMs} ms`,
      fix: `Raise this value to ${totalMs} or more, or lower (largest part first) ${levers.join(', ')}.`,
    },
  ];
}

/** Counts the health checks: one per vote, one for the quorum, and one per switch. */
function healthChecks(config: Config): readonly ConfigProblem[] {
  const { regions, healthCheckQuota } = config;
  const votes = observerRegions(regions).length;
  const switches = checkedGroups(config).length;
  const needed = votes + 1 + switches;
  if (needed <= healthCheckQuota) return [];
  return [
    {
      path: 'healthCheckQuota',
      problem: `${needed} health checks are needed (${votes} votes, 1 quorum, ${switches} switches), and the account may have ${healthCheckQuota}`,
      fix: 'If AWS has raised the quota, write the new quota here; else let cells share a switch by giving them the same group.',
    },
  ];
}

/**
 * Checks the drill cell. A drill must not move real traffic: neither that of its own cell, which only the
 * user can ensure, nor that of other cells with the same switch.
 */
function drillCell({ drill, cells }: Config): readonly ConfigProblem[] {
  if (drill === undefined) return [];
  const path = 'drill.cell';
  const cell = cells.find(({ name }) => name === drill.cell);
  if (cell === undefined) {
    const near = nearest(
      drill.cell,
      cells.map(({ name }) => name),
    );
    const fix = near === undefined ? 'Add a cell of that name to cells.' : `Did you mean ${near}?`;
    return [{ path, problem: `there is no cell ${drill.cell}`, fix }];
  }
  if (hasForeignStream(cell)) {
    const problem = `the streams of the cell ${cell.name} are in another account, and a drill puts records and reads them`;
    return [{ path, problem, fix: 'Name a cell with streams of this account.' }];
  }
  const others = cells.filter(({ name, group }) => group === cell.group && name !== cell.name);
  const [first] = others;
  if (first === undefined) return [];
  const more = others.length === 1 ? '' : ` and ${others.length - 1} more`;
  return [
    {
      path,
      problem: `${cell.name} shares the switch of group ${cell.group} with ${first.name}${more}, which a drill would move as well`,
      fix: 'Give the drill cell a group of its own, or leave its group out.',
    },
  ];
}

/**
 * Checks the alarm for overdue drills. An alarm that no drill can silence, or that fires between two
 * successful drills, would fire for nothing.
 */
function drillOverdue({ drill, monitoring: { drillOverdueDays: days } }: Config): readonly ConfigProblem[] {
  if (days === undefined) return [];
  const path = 'monitoring.drillOverdueDays';
  if (drill === undefined) {
    const problem = 'is given, but there is no drill cell, so the alarm could never stop firing';
    return [{ path, problem, fix: 'Name a cell in drill.cell, or leave this key out.' }];
  }
  if (drill.schedule !== 'weekly' || days > DRILL_EVERY_DAYS) return [];
  return [
    {
      path,
      problem: `is ${days}, but drills run every ${DRILL_EVERY_DAYS} days, so the alarm would fire each week although all is well`,
      fix: `Write ${defaultDrillOverdueDays} or more, or leave this key out.`,
    },
  ];
}
