import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  type AskedCheck,
  type DeployedSwitches,
  type DeployedVotes,
  judgeApart,
  judgeSwitches,
  judgeVotes,
  type RefusalRule,
  untilDataMs,
} from '../../lambda/core/deployment.ts';
import type { Position } from '../../lambda/core/switch.ts';
import type { Vote } from '../../lambda/core/vote.ts';

const check = (id: string): AskedCheck => ({ checkId: id, host: `${id}.example` });
const votesOf = (votesToEvacuate: number, ...regions: readonly string[]): DeployedVotes => ({
  votes: new Map(regions.map((region) => [region, check(region)])),
  votesToEvacuate,
});
const allSay = (votes: DeployedVotes, vote: Vote): ReadonlyMap<string, Vote> =>
  new Map([...votes.votes.keys()].map((region) => [region, vote]));
const rulesOf = (refusals: readonly { readonly rule: RefusalRule }[]): readonly RefusalRule[] =>
  refusals.map(({ rule }) => rule);

describe('votes that change', () => {
  const before = votesOf(2, 'a', 'b', 'c');

  it('wait for the data of exactly the checks that are new', () => {
    const after = votesOf(2, 'a', 'd', 'e');
    const judged = judgeVotes({ before, after, said: allSay(after, 'HOLD') });
    expect(judged).toEqual({ refusals: [], newChecks: ['d', 'e'], unchanged: false });
  });

  it('are refused while a vote says EVACUATE, be it the number alone that changes', () => {
    const after = votesOf(3, 'a', 'b', 'c');
    const said = new Map<string, Vote>([...allSay(after, 'HOLD'), ['b', 'EVACUATE']]);
    expect(judgeVotes({ before, after, said }).refusals).toMatchObject([
      { rule: 'evacuating', subject: 'b' },
    ]);
  });

  it('are refused while a vote that goes says EVACUATE: the quorum counts it until then', () => {
    const after = votesOf(2, 'a', 'd', 'e');
    const said = new Map<string, Vote>([...allSay(after, 'HOLD'), ['b', 'EVACUATE'], ['c', 'EVACUATE']]);
    expect(judgeVotes({ before, after, said }).refusals).toMatchObject([
      { rule: 'evacuating', subject: 'b' },
      { rule: 'evacuating', subject: 'c' },
    ]);
  });

  it('are refused when the endpoint of a new vote, or of one with another host, is silent', () => {
    const moved = new Map([...before.votes, ['c', { checkId: 'c', host: 'elsewhere.example' }]]);
    const after = { votes: new Map([...moved, ['d', check('d')]]), votesToEvacuate: 2 };
    const said = new Map([...allSay(after, 'HOLD'), ['c', 'silent' as const], ['d', 'silent' as const]]);
    const { refusals } = judgeVotes({ before, after, said });
    expect(refusals.map(({ rule, subject }) => [rule, subject])).toEqual([
      ['silentVote', 'c'],
      ['silentVote', 'd'],
    ]);
  });

  it('are refused when nobody asked a new endpoint', () => {
    const after = votesOf(2, 'a', 'b', 'c', 'd');
    expect(judgeVotes({ before, after, said: allSay(before, 'HOLD') }).refusals).toMatchObject([
      { rule: 'silentVote', subject: 'd' },
    ]);
  });

  it('wait for a check that took the place of another at the same host', () => {
    const after = {
      votesToEvacuate: 2,
      votes: new Map([...before.votes, ['a', { ...check('a'), checkId: 'new' }]]),
    };
    const judged = judgeVotes({ before, after, said: new Map([['a', 'silent' as const]]) });
    expect(judged).toMatchObject({ newChecks: ['new'], refusals: [{ rule: 'silentVote', subject: 'a' }] });
  });

  it('are a change when one only goes', () => {
    const after = votesOf(2, 'a', 'b');
    expect(judgeVotes({ before, after, said: allSay(after, 'HOLD') }).unchanged).toBe(false);
  });

  it('do not mind a silent endpoint that stays as it was: the deployment may be what mends another', () => {
    const after = votesOf(2, 'a', 'b', 'c', 'd');
    const said = new Map([...allSay(after, 'HOLD'), ['a', 'silent' as const]]);
    expect(judgeVotes({ before, after, said }).refusals).toEqual([]);
  });

  it('that are the same as before are let through whatever the endpoints say, or no rollback could end', () => {
    const said = allSay(before, 'EVACUATE');
    expect(judgeVotes({ before, after: before, said })).toEqual({
      refusals: [],
      newChecks: [],
      unchanged: true,
    });
  });

  it('wait for every check that the quorum did not count before', () => {
    const region = fc.constantFrom('a', 'b', 'c', 'd', 'e', 'f');
    const set = fc.uniqueArray(region, { minLength: 3 });
    fc.assert(
      fc.property(set, set, fc.integer({ min: 1, max: 3 }), (from, to, k) => {
        const after = votesOf(k, ...to);
        const { newChecks } = judgeVotes({ before: votesOf(2, ...from), after, said: allSay(after, 'HOLD') });
        expect([...newChecks].sort()).toEqual(to.filter((each) => !from.includes(each)).sort());
      }),
    );
  });
});

describe('cells that change their switch', () => {
  const groupsOf = (groups: Readonly<Record<string, string>>): DeployedSwitches => ({
    switches: new Map(Object.values(groups).map((group) => [group, check(`switch-${group}`)])),
    groups: new Map(Object.entries(groups)),
  });
  const before = groupsOf({ orders: 'orders', clicks: 'clicks' });
  const judge = (after: DeployedSwitches, positions: Readonly<Record<string, Position>> = {}) => {
    const stored = new Map(Object.entries(positions));
    const said = new Map([...after.switches.keys()].map((group) => [group, stored.get(group) ?? 'PRIMARY']));
    return judgeSwitches({ before, after, positions: stored, said });
  };

  it('wait for the check of a new group', () => {
    const after = groupsOf({ orders: 'orders', clicks: 'web' });
    expect(judge(after)).toEqual({ refusals: [], newChecks: ['switch-web'], unchanged: false });
  });

  it('are refused when traffic would come back to the primary, or leave it, without any act', () => {
    const toNew = groupsOf({ orders: 'orders', clicks: 'web' });
    expect(rulesOf(judge(toNew, { orders: 'STANDBY', clicks: 'STANDBY' }).refusals)).toEqual(['heldApart']);
    const toHeld = groupsOf({ orders: 'orders', clicks: 'orders' });
    expect(rulesOf(judge(toHeld, { orders: 'STANDBY' }).refusals)).toEqual(['heldApart']);
    expect(judge(toHeld, { orders: 'STANDBY', clicks: 'STANDBY' }).refusals).toEqual([]);
  });

  it('are a change when an old switch is the new one', () => {
    expect(judge(groupsOf({ orders: 'orders', clicks: 'orders' }))).toMatchObject({
      refusals: [],
      unchanged: false,
    });
    expect(judge(before).unchanged).toBe(true);
  });

  it('may be new in a group that is held in the standby: nobody follows the names of a new cell yet', () => {
    const after = groupsOf({ orders: 'orders', clicks: 'clicks', bills: 'clicks' });
    expect(judge(after, { clicks: 'STANDBY' }).refusals).toEqual([]);
  });

  it('never follow a switch of another position', () => {
    const group = fc.constantFrom('orders', 'clicks', 'web', 'more');
    const position = fc.constantFrom<Position>('PRIMARY', 'STANDBY');
    fc.assert(
      fc.property(group, group, fc.dictionary(group, position), (orders, clicks, positions) => {
        const after = groupsOf({ orders, clicks });
        const at = (name: string): Position => positions[name] ?? 'PRIMARY';
        const moves = at(orders) !== at('orders') || at(clicks) !== at('clicks');
        expect(judge(after, positions).refusals.length > 0).toBe(moves);
      }),
    );
  });

  it('are refused when a new endpoint says another position than the stored one', () => {
    const after = groupsOf({ orders: 'orders', clicks: 'clicks', bills: 'bills' });
    const said = new Map([['bills', 'STANDBY' as const]]);
    const { refusals } = judgeSwitches({ before, after, positions: new Map(), said });
    expect(refusals).toMatchObject([{ rule: 'silentSwitch', subject: 'bills' }]);
  });

  it('that come with a new stack of cells are judged by the groups of every other stack', () => {
    const after = groupsOf({ invoices: 'invoices' });
    expect(judge(after, { orders: 'STANDBY' }).refusals).toEqual([]);
  });
});

describe('checks in stacks of their own', () => {
  const before = new Map([
    ['orders', 'orders'],
    ['clicks', 'clicks'],
    ['visits', 'clicks'],
  ]);
  const judge = (after: Readonly<Record<string, string>>, more: { kept?: string[]; was?: number } = {}) => {
    const groups = new Map(Object.entries(after));
    return judgeApart({
      before,
      after: groups,
      kept: new Set([...groups.values(), ...(more.kept ?? [])]),
      intervalSecondsBefore: more.was,
      intervalSeconds: 10,
    }).map(({ rule, subject }) => [rule, subject]);
  };

  it('may not go while a cell still follows them: they go before its names change', () => {
    const all = { orders: 'orders', clicks: 'orders', visits: 'orders' };
    expect(judge(all)).toEqual([
      ['checkGoes', 'clicks'],
      ['checkGoes', 'visits'],
    ]);
    expect(judge(all, { kept: ['clicks'] })).toEqual([]);
  });

  it('may lose one cell of several, and go with the last cell that follows them', () => {
    expect(judge({ orders: 'orders', clicks: 'clicks', visits: 'orders' })).toEqual([]);
    expect(judge({ orders: 'orders' })).toEqual([]);
  });

  it('may not be replaced by checks of another interval', () => {
    const same = Object.fromEntries(before);
    expect(judge(same, { was: 30 })).toEqual([['intervalApart', '10 s']]);
    expect(judge(same, { was: 10 })).toEqual([]);
    expect(judge(same)).toEqual([]);
  });
});

it('lets every checker look as often as the check counts, and once more', () => {
  expect(untilDataMs({ intervalSeconds: 10, failureThreshold: 1 })).toBeGreaterThanOrEqual(30_000);
  expect(untilDataMs({ intervalSeconds: 30, failureThreshold: 3 })).toBeGreaterThanOrEqual(120_000);
});
