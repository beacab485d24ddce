import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { type CheckedEndpoint, endpointName } from '../../lambda/core/endpoint-items.ts';
import { endpointsDue, endpointsOf, roundsOf, SWITCHES_A_ROUND } from '../../lambda/core/endpoint-rounds.ts';

const endpoint = (kind: 'vote' | 'switch', of: string): CheckedEndpoint => ({
  kind,
  of,
  host: 'abc.lambda-url.us-west-2.on.aws',
  path: '/',
  checkId: of,
  atMs: 1,
});
const votes = ['us-west-2', 'eu-west-1'].map((of) => endpoint('vote', of));
const switches = (count: number) => Array.from({ length: count }, (_, n) => endpoint('switch', `g${n}`));

describe('a round', () => {
  it('asks every vote, and every switch of a small deployment', () => {
    const all = [...switches(SWITCHES_A_ROUND), ...votes];
    const due = endpointsDue(all, { round: 7, troubled: new Set() });
    expect(new Set(due)).toEqual(new Set(all));
  });

  it('asks a thousand switches within 21 rounds, whichever is the first', () => {
    const all = [...votes, ...switches(1_000)];
    expect(roundsOf(1_000)).toBe(21);
    fc.assert(
      fc.property(fc.nat(30_000_000), (first) => {
        const asked = new Set<string>();
        for (let round = first; round < first + 21; round++) {
          const due = endpointsDue(all, { round, troubled: new Set() });
          expect(due.length).toBeLessThanOrEqual(SWITCHES_A_ROUND + votes.length);
          expect(due.filter(({ kind }) => kind === 'vote')).toEqual(votes);
          for (const one of due) asked.add(endpointName(one));
        }
        expect(asked.size).toBe(all.length);
      }),
      { numRuns: 5 },
    );
  });

  it('asks those in trouble again out of turn, each once, and not all of many', () => {
    const all = [...votes, ...switches(1_000)];
    const due = endpointsDue(all, {
      round: 0,
      troubled: new Set(['switch g0', 'switch g999', 'switch gone']),
    });
    const names = due.map(endpointName);
    expect(names).toContain('switch g999');
    expect(new Set(names).size).toBe(names.length);
    const troubled = new Set(all.map(endpointName));
    expect(endpointsDue(all, { round: 0, troubled }).length).toBeLessThan(70);
  });
});

it('finds what the checks of a deployment ask, and which of them nobody can ask', () => {
  const deployed = [...votes, endpoint('switch', 'orders'), endpoint('switch', 'clicks')];
  const records = {
    endpoints: [endpoint('vote', 'eu-west-1'), endpoint('switch', 'orders'), endpoint('switch', 'removed')],
    damaged: ['switch#clicks', 'switch#removed-too'],
  };
  const { known, unasked } = endpointsOf(deployed, records);
  expect(known.map(endpointName)).toEqual(['vote eu-west-1', 'switch orders']);
  expect(unasked).toEqual([
    { kind: 'vote', of: 'us-west-2', finding: 'missing', detail: '' },
    { kind: 'switch', of: 'clicks', finding: 'damaged', detail: '' },
  ]);
});
