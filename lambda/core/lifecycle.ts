import type { Role } from './role.ts';
import type { Vote } from './vote.ts';

/**
 * The life of an observer's vote, and so of the cells it speaks for, in one table. Each tick brings exactly
 * one event; the first row of (from, event) whose guards hold is taken. A (from, event) without a row is an
 * error, so that nothing goes unnoticed. Diagram and documentation are generated from this table
 * (`docs/lifecycle.md`).
 */
export const phases = {
  steady: {
    vote: 'HOLD',
    meaning: 'nothing speaks against the primary, and neither switches nor DNS are known to have left it',
  },
  suspected: {
    vote: 'HOLD',
    meaning:
      'something fails in the primary, but too little or of the wrong kind to leave the primary; no traffic is known to have left it',
  },
  held: { vote: 'HOLD', meaning: 'an evacuation is called for, and a guard refuses it' },
  quorumMoved: {
    vote: 'HOLD',
    meaning: 'DNS has left the primary without the vote of this observer, and no switch is known to hold',
  },
  evacuating: {
    vote: 'EVACUATE',
    meaning: 'this observer votes to leave the primary; not every switch is known to hold yet',
  },
  evacuated: {
    vote: 'EVACUATE',
    meaning:
      'the switches hold traffic in the standby, and the vote stands until the primary has been healthy for the recovery time',
  },
  partlyInStandby: {
    vote: 'HOLD',
    meaning:
      'some switches hold their cells in the standby, others do not: an operator has moved only some cells, or a failback is under way',
  },
  inStandby: {
    vote: 'HOLD',
    meaning:
      'every switch holds traffic in the standby; this observer has not seen the primary healthy for the recovery time',
  },
  recovered: {
    vote: 'HOLD',
    meaning:
      'every switch holds traffic in the standby, and this observer has seen the primary healthy for the recovery time',
  },
} as const satisfies Record<string, { readonly vote: Vote; readonly meaning: string }>;

export type Phase = keyof typeof phases;
export const phaseNames = Object.keys(phases) as Phase[];
export const voteOf = (phase: Phase): Vote => phases[phase].vote;

/** The events of a tick. Each tick has exactly one, chosen by `eventOf` in decide.ts. */
export const lifeEvents = {
  accusation: 'an actionable diagnosis, and no guard refuses',
  refusal: 'an actionable diagnosis, and a guard refuses',
  suspicion: 'no actionable diagnosis, and something on the way to one',
  recovery: 'the primary has been healthy for the whole recovery time',
  quiet: 'none of these',
} as const;
export type LifeEvent = keyof typeof lifeEvents;
export const lifeEventNames = Object.keys(lifeEvents) as LifeEvent[];

/** Where the switches are: all in the standby, some, none, or not to be read. */
export type Latch = 'latched' | 'partial' | 'open' | 'unknown';
/** The answer of `region.<name>.<zone>`, which follows the quorum of the votes alone. */
export type Quorum = Role | 'unknown';

export interface LifeFacts {
  readonly latch: Latch;
  readonly quorum: Quorum;
  /** This observer's vote was not renewed within its life, so the endpoint has been saying HOLD since. */
  readonly lapsed: boolean;
  /** While this vote has stood, the quorum has been seen in the standby. */
  readonly sawMove: boolean;
  /** The vote has stood long enough for DNS to have followed a quorum. */
  readonly ripe: boolean;
  /** The primary looks healthy now. */
  readonly healthy: boolean;
  /** For a long time, too little has failed in the primary for a move. */
  readonly mild: boolean;
  /** The primary has looked healthy for the whole recovery time. */
  readonly recovered: boolean;
}

/** Conditions a row may name. */
export const lifeGuards = {
  lapsed: { holds: (facts) => facts.lapsed, meaning: 'the vote lapsed while this observer was away' },
  latched: {
    holds: (facts) => facts.latch === 'latched',
    meaning: 'every switch holds its cells in the standby',
  },
  partial: { holds: (facts) => facts.latch === 'partial', meaning: 'some switches hold, others do not' },
  open: { holds: (facts) => facts.latch === 'open', meaning: 'no switch holds' },
  unread: { holds: (facts) => facts.latch === 'unknown', meaning: 'the switches cannot be read' },
  recovered: {
    holds: (facts) => facts.recovered,
    meaning: 'the primary has been healthy for the whole recovery time',
  },
  moved: { holds: (facts) => facts.quorum === 'standby', meaning: 'DNS follows the quorum to the standby' },
  dnsUnread: {
    holds: (facts) => facts.quorum === 'unknown',
    meaning: 'DNS does not say where the quorum is',
  },
  alone: {
    holds: (facts) => facts.ripe && facts.healthy && facts.quorum === 'primary' && !facts.sawMove,
    meaning: 'DNS never left the primary under this vote, and the primary looks healthy',
  },
  aloneAndMild: {
    holds: (facts) => facts.ripe && facts.mild && facts.quorum === 'primary' && !facts.sawMove,
    meaning:
      'DNS never left the primary under this vote, and for a long time too little has failed for a move',
  },
  movedBackAndMild: {
    holds: (facts) => facts.ripe && facts.mild && facts.quorum === 'primary' && facts.sawMove,
    meaning:
      'DNS had left the primary and is back there, and for a long time too little has failed for a move',
  },
  movedBack: {
    holds: (facts) => facts.ripe && facts.quorum === 'primary' && facts.sawMove,
    meaning: 'DNS had left the primary and is back there',
  },
} as const satisfies Record<string, LifeGuard>;

interface LifeGuard {
  readonly holds: (facts: LifeFacts) => boolean;
  readonly meaning: string;
}
export type LifeGuardName = keyof typeof lifeGuards;

/** `cast` begins an epoch; `withdraw` ends one and starts the cooldown; `drop` ends one that moved nothing. */
export type LifeAction = 'cast' | 'withdraw' | 'drop' | 'none';

export interface Transition {
  readonly from: Phase;
  readonly event: LifeEvent;
  /** Guards that must all hold. */
  readonly guards: readonly LifeGuardName[];
  readonly to: Phase;
  readonly action: LifeAction;
  /** The log line. */
  readonly comment: string;
}

type Row = readonly [LifeEvent, readonly LifeGuardName[], Phase, LifeAction, string];
const rowsFrom = (from: Phase, rows: readonly Row[]): readonly Transition[] =>
  rows.map(([event, guards, to, action, comment]) => ({ from, event, guards, to, action, comment }));

/**
 * Events that neither accuse the primary nor are refused. After one of them, a vote that does not stand takes
 * the phase of where traffic is.
 */
type CalmEvent = Exclude<LifeEvent, 'accusation' | 'refusal'>;
const calmEvents = ['suspicion', 'quiet', 'recovery'] as const satisfies readonly CalmEvent[];
const remarks: Readonly<Record<CalmEvent, string>> = {
  suspicion: 'something fails in the primary',
  quiet: 'nothing calls for an evacuation',
  recovery: 'the primary is healthy',
};

interface Place {
  readonly guards: readonly LifeGuardName[];
  readonly to: Phase;
  readonly where: string;
  /** Events that can occur in this place. Default: all calm events. */
  readonly events?: readonly CalmEvent[];
}

/**
 * The phases in which a vote of HOLD comes to rest. The switches decide first, because they hold traffic
 * whatever the votes are; then DNS. Which of these phases it is has no influence on the next vote.
 */
const bySwitches: readonly Place[] = [
  {
    guards: ['latched', 'recovered'],
    to: 'recovered',
    where: 'every switch holds traffic in the standby; the primary has been healthy for the recovery time',
    events: ['suspicion', 'recovery'],
  },
  {
    guards: ['latched'],
    to: 'inStandby',
    where: 'every switch holds traffic in the standby; the primary has not been healthy for long enough',
    events: ['suspicion', 'quiet'],
  },
  { guards: ['partial'], to: 'partlyInStandby', where: 'some switches hold their cells in the standby' },
];
/** A switch or DNS answer that cannot be read is assumed to be unchanged. */
const remembered: Readonly<Partial<Record<Phase, Place>>> = {
  inStandby: { guards: ['unread'], to: 'inStandby', where: 'every switch held when it was last read' },
  recovered: { guards: ['unread'], to: 'inStandby', where: 'every switch held when it was last read' },
  partlyInStandby: {
    guards: ['unread'],
    to: 'partlyInStandby',
    where: 'some switches held when they were last read',
  },
  quorumMoved: {
    guards: ['dnsUnread'],
    to: 'quorumMoved',
    where: 'DNS had left the primary when it was last read',
  },
};
const byDns: Place = {
  guards: ['moved'],
  to: 'quorumMoved',
  where: 'DNS names the standby without this vote, and no switch is known to hold',
};

interface Rest {
  readonly event: CalmEvent;
  /** Absent: the vote is HOLD already. */
  readonly end?: {
    readonly when: LifeGuardName;
    readonly action: LifeAction;
    readonly because: string;
    readonly never: readonly LifeGuardName[];
  };
  readonly from?: Phase;
}

/** The rows by which a vote comes to rest after this event, or stays at rest. */
function rest({ event, end, from }: Rest): readonly Row[] {
  const { when, action = 'none', because = remarks[event], never = [] } = end ?? {};
  const kept = from === undefined ? undefined : remembered[from];
  const places = [...bySwitches, ...(kept === undefined ? [] : [kept]), byDns].filter(
    ({ guards, events = calmEvents }) =>
      events.includes(event) && !guards.some((guard) => never.includes(guard)),
  );
  const guarded = when === undefined ? [] : [when];
  return [
    ...places.map(
      ({ guards, to, where }): Row => [event, [...guarded, ...guards], to, action, `${because}; ${where}`],
    ),
    [event, guarded, event === 'suspicion' ? 'suspected' : 'steady', action, because],
  ];
}

// Where every switch holds, a vote in `evacuating` becomes `evacuated` before anything can end it.
const lapsed = {
  when: 'lapsed',
  action: 'withdraw',
  because: 'the vote lapsed while this observer was away',
  never: ['latched'],
} as const;
const alone = {
  when: 'alone',
  action: 'drop',
  because: 'too few observers agreed, and the primary looks healthy: the vote ends, and nothing moves',
  never: ['latched', 'moved'],
} as const;
const aloneAndMild = {
  when: 'aloneAndMild',
  action: 'drop',
  because:
    'too few agreed, and what has failed for a long time is too little for a move: the vote ends, moving nothing',
  never: ['latched', 'moved'],
} as const;
const movedBackAndMild = {
  when: 'movedBackAndMild',
  action: 'withdraw',
  because:
    'DNS is back in the primary, and what has failed for a long time is too little for a move: the vote ends',
  never: ['latched', 'moved'],
} as const;
const movedBack = {
  when: 'movedBack',
  action: 'withdraw',
  because: 'DNS is back in the primary, which has recovered: the vote ends',
  never: ['latched', 'moved'],
} as const;
const holding = 'the switches hold traffic in the standby';
const stillEvacuating = 'voting to evacuate; the switches do not hold yet';
const notUndone = 'voting to evacuate; the guard that refuses now stops new evacuations, not this one';
const stillEvacuated = 'evacuated; the primary has not recovered';
const released = 'a switch was released while the primary is not healthy: the vote holds traffic';

/**
 * Rows for every phase in which the vote is HOLD: where traffic is held does not change the meaning of an
 * accusation.
 */
const holdingStill = (from: Phase): readonly Transition[] =>
  rowsFrom(from, [
    [
      'accusation',
      ['latched'],
      'evacuated',
      'cast',
      'the primary is impaired: voting to evacuate; traffic is in the standby already',
    ],
    ['accusation', [], 'evacuating', 'cast', 'no guard refuses: voting to evacuate'],
    ['refusal', [], 'held', 'none', 'an evacuation is called for, and refused'],
    ...calmEvents.flatMap((event) => rest({ event, from })),
  ]);

export const transitions: readonly Transition[] = [
  ...phaseNames.filter((name) => voteOf(name) === 'HOLD').flatMap(holdingStill),
  // No guard takes back a vote once cast: guards stop *new* evacuations, and a vote that wavered would make
  // DNS flap. The vote ends when its end moves no traffic: the switches hold, or DNS is in the primary
  // anyway.
  ...rowsFrom('evacuating', [
    ['accusation', ['latched'], 'evacuated', 'none', holding],
    ['accusation', [], 'evacuating', 'none', stillEvacuating],
    ['refusal', ['latched'], 'evacuated', 'none', holding],
    ['refusal', ['lapsed'], 'held', 'withdraw', `${lapsed.because}; another is refused`],
    ['refusal', [], 'evacuating', 'none', notUndone],
    ['suspicion', ['latched'], 'evacuated', 'none', holding],
    ...rest({ event: 'suspicion', end: lapsed }),
    ...rest({ event: 'suspicion', end: aloneAndMild }),
    ...rest({ event: 'suspicion', end: movedBackAndMild }),
    ['suspicion', [], 'evacuating', 'none', stillEvacuating],
    ['quiet', ['latched'], 'evacuated', 'none', holding],
    ...rest({ event: 'quiet', end: lapsed }),
    ...rest({ event: 'quiet', end: alone }),
    ...rest({ event: 'quiet', end: aloneAndMild }),
    ...rest({ event: 'quiet', end: movedBackAndMild }),
    ['quiet', [], 'evacuating', 'none', stillEvacuating],
    ['recovery', ['latched'], 'evacuated', 'none', holding],
    ...rest({ event: 'recovery', end: lapsed }),
    ...rest({ event: 'recovery', end: alone }),
    ...rest({ event: 'recovery', end: movedBack }),
    [
      'recovery',
      [],
      'evacuating',
      'none',
      'the primary has recovered, but ending the vote would move traffic: the switches do not hold',
    ],
  ]),
  ...rowsFrom('evacuated', [
    ['accusation', ['open'], 'evacuating', 'none', released],
    ['accusation', ['partial'], 'evacuating', 'none', released],
    ['accusation', [], 'evacuated', 'none', stillEvacuated],
    ['refusal', ['open'], 'evacuating', 'none', released],
    ['refusal', ['partial'], 'evacuating', 'none', released],
    ['refusal', [], 'evacuated', 'none', stillEvacuated],
    ['suspicion', ['open'], 'evacuating', 'none', released],
    ['suspicion', ['partial'], 'evacuating', 'none', released],
    ['suspicion', [], 'evacuated', 'none', stillEvacuated],
    ['quiet', ['open'], 'evacuating', 'none', released],
    ['quiet', ['partial'], 'evacuating', 'none', released],
    ['quiet', [], 'evacuated', 'none', 'evacuated; the primary has not been healthy for long enough'],
    [
      'recovery',
      ['latched'],
      'recovered',
      'withdraw',
      'the primary has recovered and the switches hold: the vote ends, traffic stays',
    ],
    ['recovery', ['open'], 'evacuating', 'none', released],
    ['recovery', ['partial'], 'evacuating', 'none', released],
    [
      'recovery',
      [],
      'evacuated',
      'none',
      'the primary has recovered; the switches cannot be read, so the vote stays',
    ],
  ]),
];

const byEdge = Map.groupBy(transitions, ({ from, event }) => `${from} ${event}`);

/**
 * An event came in a phase that has no row for it. The table would be incomplete, which its tests exclude.
 */
export class UnknownTransitionError extends Error {
  override readonly name = 'UnknownTransitionError';
}

/** The row to take. @throws UnknownTransitionError */
export function transition(from: Phase, event: LifeEvent, facts: LifeFacts): Transition {
  const row = byEdge
    .get(`${from} ${event}`)
    ?.find(({ guards }) => guards.every((guard) => lifeGuards[guard].holds(facts)));
  if (row === undefined)
    throw new UnknownTransitionError(`No transition from ${from} on ${event}: add a row.`);
  return row;
}
