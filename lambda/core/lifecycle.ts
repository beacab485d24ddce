import type { Vote } from './vote.ts';

/**
 * The life of an observer's vote, and with it of the cells it speaks for: one table. Each tick brings exactly one event;
 * the first row of (from, event) whose guard holds is taken. A (from, event) without a row is an error: nothing happens
 * in silence. Diagram and documentation are generated from here (`docs/lifecycle.md`).
 */
export const phases = {
  steady: { vote: 'HOLD', meaning: 'traffic is in the primary, and nothing speaks against it' },
  suspected: {
    vote: 'HOLD',
    meaning: 'something fails in the primary; not enough, or not the kind, to leave it',
  },
  held: { vote: 'HOLD', meaning: 'an evacuation is called for, and a guard refuses it' },
  evacuating: {
    vote: 'EVACUATE',
    meaning: 'this observer votes to leave the primary; the switches do not hold yet',
  },
  evacuated: {
    vote: 'EVACUATE',
    meaning: 'the switches hold traffic in the standby; the primary has not recovered',
  },
  readyToFailBack: {
    vote: 'HOLD',
    meaning:
      'the switches hold traffic in the standby, and no vote accuses the primary: an operator may fail back',
  },
  failingBack: { vote: 'HOLD', meaning: 'some switches are back in the primary, others not yet' },
} as const satisfies Record<string, { readonly vote: Vote; readonly meaning: string }>;

export type Phase = keyof typeof phases;
export const phaseNames = Object.keys(phases) as Phase[];
export const voteOf = (phase: Phase): Vote => phases[phase].vote;

/** What a tick can bring. Exactly one, by `eventOf` in decide.ts. */
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
/** What `region.<zone>` answers: it follows the quorum of the votes alone. */
export type Quorum = 'primary' | 'standby' | 'unknown';

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
  alone: {
    holds: (facts) => facts.ripe && facts.healthy && facts.quorum === 'primary' && !facts.sawMove,
    meaning: 'DNS never left the primary under this vote, and the primary looks healthy',
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
  readonly guard?: LifeGuardName;
  readonly to: Phase;
  readonly action: LifeAction;
  /** The log line. */
  readonly comment: string;
}

type Row = readonly [LifeEvent, LifeGuardName | null, Phase, LifeAction, string];
const rowsFrom = (from: Phase, rows: readonly Row[]): readonly Transition[] =>
  rows.map(([event, guard, to, action, comment]) => ({
    from,
    event,
    ...(guard === null ? {} : { guard }),
    to,
    action,
    comment,
  }));

const movedByHand = 'the switches hold traffic in the standby, by an operator';
const calm = 'the primary is healthy';
const stillEvacuating = 'voting to evacuate; the switches do not hold yet';
const notUndone = 'voting to evacuate; what speaks against it now stops new evacuations, not this one';
const stillEvacuated = 'evacuated; the primary has not recovered';
const released = 'a switch was released while the primary is not healthy: the vote holds traffic';

export const transitions: readonly Transition[] = [
  ...rowsFrom('steady', [
    ['accusation', null, 'evacuating', 'cast', 'no guard refuses: voting to evacuate'],
    ['refusal', null, 'held', 'none', 'an evacuation is called for, and refused'],
    ['suspicion', 'latched', 'readyToFailBack', 'none', movedByHand],
    [
      'suspicion',
      'partial',
      'failingBack',
      'none',
      'some switches hold traffic in the standby, by an operator',
    ],
    ['suspicion', null, 'suspected', 'none', 'something fails in the primary'],
    ['quiet', 'latched', 'readyToFailBack', 'none', movedByHand],
    ['quiet', 'partial', 'failingBack', 'none', 'some switches hold traffic in the standby, by an operator'],
    ['quiet', null, 'steady', 'none', 'nothing calls for an evacuation'],
    ['recovery', 'latched', 'readyToFailBack', 'none', movedByHand],
    [
      'recovery',
      'partial',
      'failingBack',
      'none',
      'some switches hold traffic in the standby, by an operator',
    ],
    ['recovery', null, 'steady', 'none', calm],
  ]),
  ...rowsFrom('suspected', [
    ['accusation', null, 'evacuating', 'cast', 'no guard refuses: voting to evacuate'],
    ['refusal', null, 'held', 'none', 'an evacuation is called for, and refused'],
    ['suspicion', 'latched', 'readyToFailBack', 'none', movedByHand],
    ['suspicion', null, 'suspected', 'none', 'something fails in the primary'],
    ['quiet', null, 'steady', 'none', 'the suspicion has gone'],
    ['recovery', null, 'steady', 'none', calm],
  ]),
  ...rowsFrom('held', [
    ['accusation', null, 'evacuating', 'cast', 'no guard refuses any more: voting to evacuate'],
    ['refusal', null, 'held', 'none', 'an evacuation is called for, and refused'],
    ['suspicion', 'latched', 'readyToFailBack', 'none', movedByHand],
    ['suspicion', null, 'suspected', 'none', 'an evacuation is not called for any more'],
    ['quiet', 'latched', 'readyToFailBack', 'none', movedByHand],
    ['quiet', null, 'steady', 'none', 'an evacuation is not called for any more'],
    ['recovery', 'latched', 'readyToFailBack', 'none', movedByHand],
    ['recovery', null, 'steady', 'none', calm],
  ]),
  // A vote once cast is not taken back by a guard: guards stop *new* evacuations, and a vote that wavered would make
  // DNS flap. It ends when that moves no traffic: the switches hold, or DNS is in the primary anyway.
  ...rowsFrom('evacuating', [
    ['accusation', 'latched', 'evacuated', 'none', 'the switches hold traffic in the standby'],
    ['accusation', null, 'evacuating', 'none', stillEvacuating],
    ['refusal', 'latched', 'evacuated', 'none', 'the switches hold traffic in the standby'],
    [
      'refusal',
      'lapsed',
      'held',
      'withdraw',
      'the vote lapsed while this observer was away; another is refused',
    ],
    ['refusal', null, 'evacuating', 'none', notUndone],
    ['suspicion', 'latched', 'evacuated', 'none', 'the switches hold traffic in the standby'],
    ['suspicion', 'lapsed', 'suspected', 'withdraw', 'the vote lapsed while this observer was away'],
    ['suspicion', null, 'evacuating', 'none', stillEvacuating],
    ['quiet', 'latched', 'evacuated', 'none', 'the switches hold traffic in the standby'],
    ['quiet', 'lapsed', 'steady', 'withdraw', 'the vote lapsed while this observer was away'],
    [
      'quiet',
      'alone',
      'steady',
      'drop',
      'too few agreed, and the primary looks healthy: the vote ends, moving nothing',
    ],
    ['quiet', null, 'evacuating', 'none', stillEvacuating],
    ['recovery', 'latched', 'evacuated', 'none', 'the switches hold traffic in the standby'],
    ['recovery', 'lapsed', 'steady', 'withdraw', 'the vote lapsed while this observer was away'],
    [
      'recovery',
      'alone',
      'steady',
      'drop',
      'too few agreed, and the primary looks healthy: the vote ends, moving nothing',
    ],
    [
      'recovery',
      'movedBack',
      'steady',
      'withdraw',
      'DNS is back in the primary, which has recovered: the vote ends',
    ],
    [
      'recovery',
      null,
      'evacuating',
      'none',
      'the primary has recovered, but ending the vote would move traffic: the switches do not hold',
    ],
  ]),
  ...rowsFrom('evacuated', [
    ['accusation', 'open', 'evacuating', 'none', released],
    ['accusation', 'partial', 'evacuating', 'none', released],
    ['accusation', null, 'evacuated', 'none', stillEvacuated],
    ['refusal', 'open', 'evacuating', 'none', released],
    ['refusal', 'partial', 'evacuating', 'none', released],
    ['refusal', null, 'evacuated', 'none', stillEvacuated],
    ['suspicion', 'open', 'evacuating', 'none', released],
    ['suspicion', 'partial', 'evacuating', 'none', released],
    ['suspicion', null, 'evacuated', 'none', stillEvacuated],
    ['quiet', 'open', 'evacuating', 'none', released],
    ['quiet', 'partial', 'evacuating', 'none', released],
    ['quiet', null, 'evacuated', 'none', 'evacuated; the primary has not been healthy for long enough'],
    [
      'recovery',
      'latched',
      'readyToFailBack',
      'withdraw',
      'the primary has recovered and the switches hold: the vote ends, traffic stays',
    ],
    ['recovery', 'open', 'evacuating', 'none', released],
    ['recovery', 'partial', 'evacuating', 'none', released],
    [
      'recovery',
      null,
      'evacuated',
      'none',
      'the primary has recovered; the switches cannot be read, so the vote stays',
    ],
  ]),
  ...rowsFrom('readyToFailBack', [
    [
      'accusation',
      'latched',
      'evacuated',
      'cast',
      'the primary is impaired again; traffic is in the standby already',
    ],
    ['accusation', null, 'evacuating', 'cast', 'the primary is impaired again: voting to evacuate'],
    ['refusal', null, 'held', 'none', 'the primary is impaired again, and a guard refuses'],
    ['suspicion', 'open', 'suspected', 'none', 'every switch was released; something fails in the primary'],
    [
      'suspicion',
      'partial',
      'failingBack',
      'none',
      'an operator is failing back, and something fails in the primary',
    ],
    [
      'suspicion',
      null,
      'readyToFailBack',
      'none',
      'traffic is in the standby; something fails in the primary',
    ],
    ['quiet', 'open', 'steady', 'none', 'every switch was released: traffic is in the primary'],
    ['quiet', 'partial', 'failingBack', 'none', 'an operator is failing back'],
    ['quiet', null, 'readyToFailBack', 'none', 'traffic is in the standby'],
    ['recovery', 'open', 'steady', 'none', 'every switch was released: traffic is in the primary'],
    ['recovery', 'partial', 'failingBack', 'none', 'an operator is failing back'],
    ['recovery', null, 'readyToFailBack', 'none', 'traffic is in the standby; the primary has recovered'],
  ]),
  ...rowsFrom('failingBack', [
    ['accusation', null, 'evacuating', 'cast', 'the primary falters during the failback: voting to evacuate'],
    ['refusal', null, 'held', 'none', 'the primary falters during the failback, and a guard refuses'],
    ['suspicion', 'latched', 'readyToFailBack', 'none', 'the failback was taken back'],
    ['suspicion', 'open', 'suspected', 'none', 'the failback is done; something fails in the primary'],
    ['suspicion', null, 'failingBack', 'none', 'failing back; something fails in the primary'],
    ['quiet', 'latched', 'readyToFailBack', 'none', 'the failback was taken back'],
    ['quiet', 'open', 'steady', 'none', 'the failback is done'],
    ['quiet', null, 'failingBack', 'none', 'failing back'],
    ['recovery', 'latched', 'readyToFailBack', 'none', 'the failback was taken back'],
    ['recovery', 'open', 'steady', 'none', 'the failback is done'],
    ['recovery', null, 'failingBack', 'none', 'failing back'],
  ]),
];

const byEdge = Map.groupBy(transitions, ({ from, event }) => `${from} ${event}`);

/** An event came in a phase that has no row for it. The table is incomplete, which its tests exclude. */
export class UnknownTransitionError extends Error {
  override readonly name = 'UnknownTransitionError';
}

/** The row that is taken. @throws UnknownTransitionError */
export function transition(from: Phase, event: LifeEvent, facts: LifeFacts): Transition {
  const row = byEdge
    .get(`${from} ${event}`)
    ?.find(({ guard }) => guard === undefined || lifeGuards[guard].holds(facts));
  if (row === undefined)
    throw new UnknownTransitionError(`No transition from ${from} on ${event}: add a row.`);
  return row;
}
