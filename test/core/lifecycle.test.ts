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
            for (const healthy of booleans) yield { latch, quorum, lapsed, sawMove, ripe, healthy };
}

function* everyStep() {
  for (const from of phaseNames)
    for (const event of lifeEventNames)
      for (const facts of everyFacts()) yield { from, event, facts, row: transition(from, event, facts) };
}

/** Phases that can be reached from `from`, over real facts only. */
function reachableFrom(from: Phase, events: readonly LifeEvent[] = lifeEventNames): ReadonlySet<Phase> {
  const reached = new Set<Phase>([from]);
  for (const phase of reached) {
    for (const event of events)
      for (const facts of everyFacts()) reached.add(transition(phase, event, facts).to);
  }
  return reached;
}

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
