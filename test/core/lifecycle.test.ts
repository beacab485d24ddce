import { describe, expect, it } from 'vitest';
import {
  type Latch,
  type LifeEvent,
  type LifeFacts,
  lifeEventNames,
  type Phase,
  phaseNames,
  type Quorum,
  transition,
  transitions,
  UnknownTransitionError,
  voteOf,
} from '../../lambda/core/lifecycle.ts';

const latches: readonly Latch[] = ['latched', 'partial', 'open', 'unknown'];
const quorums: readonly Quorum[] = ['primary', 'standby', 'unknown'];
const booleans = [true, false];

function* everyFacts(): Generator<LifeFacts> {
  for (const latch of latches)
    for (const quorum of quorums)
      for (const lapsed of booleans)
        for (const sawMove of booleans)
          for (const ripe of booleans)
            for (const mild of booleans)
              for (const healthy of booleans)
                for (const recovered of healthy ? booleans : [false])
                  yield { latch, quorum, lapsed, sawMove, ripe, mild, healthy, recovered };
}

/** `decide` says "recovery" of a primary that has recovered, and never "quiet". */
const agree = (event: LifeEvent, { recovered }: LifeFacts): boolean =>
  event === 'recovery' ? recovered : event !== 'quiet' || !recovered;

function* everyStep() {
  for (const from of phaseNames)
    for (const event of lifeEventNames)
      for (const facts of everyFacts())
        if (agree(event, facts)) yield { from, event, facts, row: transition(from, event, facts) };
}

/** Phases that can be reached from `from`, over real facts only. */
function reachableFrom(from: Phase, events: readonly LifeEvent[] = lifeEventNames): ReadonlySet<Phase> {
  const reached = new Set<Phase>([from]);
  for (const phase of reached) {
    for (const event of events)
      for (const facts of everyFacts())
        if (agree(event, facts)) reached.add(transition(phase, event, facts).to);
  }
  return reached;
}

interface Seen {
  readonly from: Phase;
  readonly event: LifeEvent;
  readonly facts: LifeFacts;
}

/**
 * What the name of each phase claims, said once more and without the table. `from` counts only for what cannot be read
 * now: it is taken to be as it was.
 */
const claims: Readonly<Record<Phase, (seen: Seen) => boolean>> = {
  steady: ({ event, facts }) =>
    (event === 'quiet' || event === 'recovery') && isOpen(facts) && facts.quorum !== 'standby',
  suspected: ({ event, facts }) => event === 'suspicion' && isOpen(facts) && facts.quorum !== 'standby',
  held: ({ event }) => event === 'refusal',
  quorumMoved: ({ from, facts: { latch, quorum } }) =>
    (latch === 'open' || latch === 'unknown') &&
    (quorum === 'standby' || (quorum === 'unknown' && from === 'quorumMoved')),
  evacuating: ({ facts }) => facts.latch !== 'latched',
  evacuated: ({ from, event, facts }) =>
    (facts.latch === 'latched' || (facts.latch === 'unknown' && from === 'evacuated')) &&
    // A vote that has just become `evacuated` is looked at again in the next round.
    !(from === 'evacuated' && event === 'recovery' && facts.latch === 'latched'),
  partlyInStandby: ({ from, facts: { latch } }) =>
    latch === 'partial' || (latch === 'unknown' && from === 'partlyInStandby'),
  inStandby: ({ from, facts: { latch, recovered } }) =>
    (latch === 'latched' && !recovered) ||
    (latch === 'unknown' && (from === 'inStandby' || from === 'recovered')),
  recovered: ({ facts }) => facts.latch === 'latched' && facts.recovered,
};
const isOpen = ({ latch }: LifeFacts): boolean => latch === 'open' || latch === 'unknown';

describe('the name of a phase', () => {
  it('is true of what this round has seen, wherever it came from', () => {
    for (const { from, event, facts, row } of everyStep()) {
      const isTrue = claims[row.to]({ from, event, facts });
      expect([from, event, facts, row.to, isTrue]).toEqual([from, event, facts, row.to, true]);
    }
  });

  it('decides nothing, as long as the vote is HOLD: the next vote and its action are the same from each', () => {
    const holding = phaseNames.filter((name) => voteOf(name) === 'HOLD');
    for (const event of lifeEventNames)
      for (const facts of everyFacts()) {
        const next = holding.map((from) => transition(from, event, facts));
        expect(new Set(next.map(({ to, action }) => `${voteOf(to)} ${action}`)).size).toBe(1);
      }
  });
});

describe('the life of a vote', () => {
  it('has a row for everything that can come in every phase, and uses every row', () => {
    const used = new Set([...everyStep()].map(({ row }) => row));
    expect(transitions.filter((row) => !used.has(row))).toEqual([]);
  });

  it('reaches every phase from the start', () => {
    expect([...reachableFrom('steady')].sort()).toEqual([...phaseNames].sort());
  });

  it('traps no phase: each has a way back to steady, without a new accusation', () => {
    for (const phase of phaseNames) {
      const calm = reachableFrom(phase, ['quiet', 'recovery', 'suspicion']);
      expect([phase, calm.has('steady')]).toEqual([phase, true]);
    }
  });

  it('refuses an event that no row knows', () => {
    const facts: LifeFacts = [...everyFacts()][0] as LifeFacts;
    expect(() => transition('steady', 'earthquake' as LifeEvent, facts)).toThrow(UnknownTransitionError);
  });

  it('casts a vote on an accusation alone, and every cast begins an EVACUATE', () => {
    for (const { from, event, row } of everyStep()) {
      const begins = voteOf(from) === 'HOLD' && voteOf(row.to) === 'EVACUATE';
      expect([from, event, begins]).toEqual([from, event, row.action === 'cast']);
      if (begins) expect(event).toBe('accusation');
    }
  });

  it('ends a vote only where that moves no traffic, or where the vote has lapsed by itself', () => {
    for (const { from, facts, row } of everyStep()) {
      if (voteOf(from) !== 'EVACUATE' || voteOf(row.to) === 'EVACUATE') continue;
      const movesNothing = facts.latch === 'latched' || facts.lapsed || facts.quorum === 'primary';
      expect([from, row.comment, movesNothing]).toEqual([from, row.comment, true]);
      expect(['withdraw', 'drop']).toContain(row.action);
    }
  });

  it('never ends a vote while it is accused again', () => {
    for (const { from, event, row } of everyStep()) {
      if (voteOf(from) === 'EVACUATE' && event === 'accusation') expect(voteOf(row.to)).toBe('EVACUATE');
    }
  });
});
