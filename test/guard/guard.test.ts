import { describe, expect, it } from 'vitest';
import { type CheckedEndpoint, endpointName } from '../../lambda/core/endpoint-items.ts';
import type { Position } from '../../lambda/core/switch.ts';
import { DeploymentRefusedError } from '../../lambda/guard/errors.ts';
import { forgetStack, type GuardPorts, guardStack } from '../../lambda/guard/guard.ts';
import type { Guarded } from '../../lib/settings/guard.ts';
import type { Accepted, Deployed } from '../../lib/state/deployed-table.ts';

/** A table in memory, and a log of what the guard did in which order. */
class World {
  readonly endpoints = new Map<string, CheckedEndpoint>();
  readonly stacks = new Map<string, ReadonlyMap<string, string>>();
  votesToEvacuate: number | undefined;
  positions: ReadonlyMap<string, Position> = new Map();
  answers = new Map<string, string>();
  statuses = new Map<string, number>();
  readonly accepted = new Map<string, Accepted>();
  rollingBack = false;
  /** What happens while Route 53 is asked. */
  meanwhile = (): void => {};
  readonly did: string[] = [];

  ports(): GuardPorts {
    return {
      table: {
        read: async () => this.#read(),
        positions: async () => this.positions,
        putEndpoint: async (endpoint) => void this.endpoints.set(endpointName(endpoint), endpoint),
        deleteEndpoint: async (endpoint) => void this.endpoints.delete(endpointName(endpoint)),
        putVotesToEvacuate: async (votes) => {
          this.votesToEvacuate = votes;
          this.did.push('stored');
        },
        putGroups: async (stack, groups) => {
          this.stacks.set(stack, groups);
          this.did.push('stored');
        },
        deleteVotes: async () => {
          this.votesToEvacuate = undefined;
        },
        deleteStack: async (stack) => void this.stacks.delete(stack),
        putAccepted: async (guarded, accepted) => void this.accepted.set(guarded, accepted),
        deleteAccepted: async (guarded) => void this.accepted.delete(guarded),
      },
      ask: async ({ host, path }) => ({
        got: 'answer',
        status: this.statuses.get(host) ?? 200,
        text: this.answers.get(host) ?? (path === '/vote' ? 'vote=HOLD' : 'switch=PRIMARY'),
      }),
      observed: async (checkIds) => {
        this.did.push(...checkIds.map((checkId) => `observed ${checkId}`));
        this.meanwhile();
      },
      rollingBack: async () => this.rollingBack,
      sleep: async (ms) => void this.did.push(`waited ${ms}`),
      nowMs: () => 1_000,
    };
  }

  #read(): Deployed {
    const of = (kind: 'vote' | 'switch') =>
      new Map(
        [...this.endpoints.values()]
          .filter((endpoint) => endpoint.kind === kind)
          .map(({ of: subject, host, checkId }) => [subject, { host, checkId }] as const),
      );
    return {
      votes:
        this.votesToEvacuate === undefined
          ? undefined
          : { votes: of('vote'), votesToEvacuate: this.votesToEvacuate },
      switches: {
        switches: of('switch'),
        groups: new Map([...this.stacks.values()].flatMap((each) => [...each])),
      },
      stacks: this.stacks,
      accepted: this.accepted,
    };
  }
}

const votes = (...regions: readonly string[]): Guarded => ({
  Kind: 'votes',
  IntervalSeconds: 10,
  VotesToEvacuate: 2,
  Votes: regions.map((Region) => ({ Region, Host: `${Region}.example`, CheckId: `check-${Region}` })),
});
const cells = (Stack: string, groups: Readonly<Record<string, string>>): Guarded => ({
  Kind: 'cells',
  IntervalSeconds: 10,
  Stack,
  Cells: Object.entries(groups).map(([Cell, Group]) => ({ Cell, Group })),
  Switches: [...new Set(Object.values(groups))].map((Group) => ({
    Group,
    Host: 'switch.example',
    CheckId: `check-${Group}`,
  })),
});

/** Each cell in a group of its own, and both in the standby. */
const own = cells('one', { orders: 'orders', clicks: 'clicks' });
const held: ReadonlyMap<string, Position> = new Map([
  ['orders', 'STANDBY'],
  ['clicks', 'STANDBY'],
]);

/** A world in which this stack was deployed first. */
async function created(after: Guarded): Promise<World> {
  const world = new World();
  await guardStack({ after, isNew: true }, world.ports());
  return world;
}

describe('the guard', () => {
  it('waits for new checks of a stack that traffic follows, then for their data, and stores only then', async () => {
    const world = await created(votes('a', 'b', 'c'));
    world.did.length = 0;
    await guardStack({ after: votes('a', 'd', 'e'), isNew: false }, world.ports());
    expect(world.did).toEqual(['waited 45000', 'observed check-d', 'observed check-e', 'stored']);
    expect([...world.endpoints.keys()]).toEqual(['vote a', 'vote d', 'vote e']);
  });

  it('asks the votes that go as well, and refuses while one of them says EVACUATE', async () => {
    const world = await created(votes('a', 'b', 'c'));
    world.answers.set('c.example', 'vote=EVACUATE');
    const refused = guardStack({ after: votes('a', 'd', 'e'), isNew: false }, world.ports());
    await expect(refused).rejects.toThrow(/the vote of c says EVACUATE/);
  });

  it('does not wait for a stack that is created: no record follows its checks yet', async () => {
    const world = await created(votes('a', 'b', 'c'));
    expect(world.did.filter((what) => what.startsWith('waited'))).toEqual([]);
  });

  it('refuses, changes nothing, and lets the rollback through that follows', async () => {
    const world = await created(own);
    world.positions = held;
    const stored = structuredClone([...world.endpoints]);
    const refused = guardStack(
      { after: cells('one', { orders: 'orders', clicks: 'web' }), isNew: false },
      world.ports(),
    );
    await expect(refused).rejects.toThrow(DeploymentRefusedError);
    await expect(refused).rejects.toThrow(/clicks would go from the switch of clicks, which is at STANDBY/);
    expect([...world.endpoints]).toEqual(stored);
    await guardStack({ after: own, isNew: false }, world.ports());
  });

  it('refuses in the standby already, before the functions know another group, and stores nothing there', async () => {
    const world = await created(own);
    world.positions = held;
    world.did.length = 0;
    const groups = (Groups: Readonly<Record<string, string>>): Guarded => ({ Kind: 'groups', Groups });
    const refused = guardStack(
      { after: groups({ orders: 'orders', web: 'clicks' }), isNew: false },
      world.ports(),
    );
    await expect(refused).rejects.toThrow(DeploymentRefusedError);
    await guardStack({ after: groups({ orders: 'orders clicks' }), isNew: false }, world.ports());
    await guardStack({ after: groups({ orders: 'orders', clicks: 'clicks' }), isNew: false }, world.ports());
    expect(world.did).toEqual([]);
    expect(world.stacks.get('one')?.get('clicks')).toBe('clicks');
  });

  it('asks and waits for nothing when nothing changes, as when an endpoint is dead and the stack rolls back', async () => {
    const world = await created(votes('a', 'b', 'c'));
    world.did.length = 0;
    world.answers.set('a.example', 'nothing');
    await guardStack({ after: votes('a', 'b', 'c'), isNew: false }, world.ports());
    expect(world.did).toEqual([]);
  });

  it('lets a rollback through that follows its own consent: the checks of before have had data all the time', async () => {
    const world = await created(votes('a', 'b', 'c'));
    await guardStack({ after: votes('a', 'b', 'd'), isNew: false }, world.ports());
    world.did.length = 0;
    // The witness that was to be replaced is dead, and an outage has begun.
    world.statuses.set('c.example', 503);
    world.answers.set('a.example', 'vote=EVACUATE');
    world.rollingBack = true;
    await guardStack({ after: votes('a', 'b', 'c'), isNew: false }, world.ports());
    expect(world.did).toEqual(['stored']);
    expect([...world.endpoints.keys()]).toEqual(['vote a', 'vote b', 'vote c']);
  });

  it('takes no deployment that goes back for a rollback, and no rollback to other checks for its own', async () => {
    const world = await created(votes('a', 'b', 'c'));
    await guardStack({ after: votes('a', 'b', 'd'), isNew: false }, world.ports());
    world.answers.set('a.example', 'vote=EVACUATE');
    const refused = /the vote of a says EVACUATE/;
    const again = guardStack({ after: votes('a', 'b', 'c'), isNew: false }, world.ports());
    await expect(again).rejects.toThrow(refused);
    world.rollingBack = true;
    const other = guardStack({ after: votes('a', 'b', 'e'), isNew: false }, world.ports());
    await expect(other).rejects.toThrow(refused);
  });

  it('looks again after it has waited: an outage or an operator may have moved traffic meanwhile', async () => {
    const world = await created(cells('one', { a: 'a', b: 'b' }));
    world.did.length = 0;
    world.meanwhile = () => {
      world.positions = new Map([['b', 'STANDBY']]);
    };
    const refused = guardStack({ after: cells('one', { a: 'a', b: 'web' }), isNew: false }, world.ports());
    await expect(refused).rejects.toThrow(/cell b would go from the switch of b, which is at STANDBY/);
    expect(world.did).toEqual(['waited 55000', 'observed check-web']);
  });

  it('refuses, before anything changes, that checks in stacks of their own go too early', async () => {
    const world = await created(cells('one', { a: 'a', b: 'b' }));
    const groups = (Groups: Readonly<Record<string, string>>, apart?: number): Guarded => ({
      Kind: 'groups',
      Groups,
      ...(apart === undefined ? {} : { ApartIntervalSeconds: apart }),
    });
    const look = (after: Guarded) => guardStack({ after, isNew: false }, world.ports());
    await expect(look(groups({ a: 'a b' }, 10))).rejects.toThrow(/cell b would leave the switch of b/);
    await expect(look(groups({ a: 'a', b: 'b' }, 30))).rejects.toThrow(/an interval of 10 s to one of 30 s/);
    await look(groups({ a: 'a b', b: '' }, 10));
    await look(groups({ a: 'a b' }));
  });

  it.each(['<html>', 'vote=HOLD read=failed'])(
    'asks an endpoint that says %s again, for the time of a cold start, and then refuses',
    async (text) => {
      const world = new World();
      world.answers.set('b.example', text);
      const refused = guardStack({ after: votes('a', 'b', 'c'), isNew: true }, world.ports());
      await expect(refused).rejects.toThrow(/vote endpoint of b \(b.example\) does not answer/);
      expect(world.did).toHaveLength(4);
    },
  );

  it('takes no answer with an error for one', async () => {
    const world = new World();
    world.statuses.set('b.example', 500);
    const refused = guardStack({ after: votes('a', 'b', 'c'), isNew: true }, world.ports());
    await expect(refused).rejects.toThrow(/vote endpoint of b \(b.example\) does not answer/);
  });

  it('knows a cell that joins a group without any check of its own, and forgets one that goes', async () => {
    const world = await created(cells('one', { a: 'a', b: 'b' }));
    await guardStack({ after: cells('one', { a: 'a', b: 'b', c: 'b' }), isNew: false }, world.ports());
    expect(world.stacks.get('one')).toEqual(new Map(Object.entries({ a: 'a', b: 'b', c: 'b' })));
    world.positions = new Map([['b', 'STANDBY']]);
    const apart = guardStack(
      { after: cells('one', { a: 'a', b: 'b', c: 'a' }), isNew: false },
      world.ports(),
    );
    await expect(apart).rejects.toThrow(/cell c would go/);
    await guardStack({ after: cells('one', { a: 'a' }), isNew: false }, world.ports());
    expect(world.stacks.get('one')).toEqual(new Map([['a', 'a']]));
    expect([...world.endpoints.keys()]).toEqual(['switch a']);
  });

  it('judges each cell of a group that the standby is told of', async () => {
    const world = await created(cells('one', { a: 'a', b: 'b' }));
    world.positions = new Map([['b', 'STANDBY']]);
    const after: Guarded = { Kind: 'groups', Groups: { a: 'a b' } };
    await expect(guardStack({ after, isNew: false }, world.ports())).rejects.toThrow(/cell b would go/);
  });

  it('forgets the votes with their stack, and nothing with the standby', async () => {
    const world = await created(votes('a', 'b', 'c'));
    await guardStack({ after: cells('one', { a: 'a' }), isNew: true }, world.ports());
    await forgetStack({ Kind: 'groups', Groups: { a: 'a' } }, world.ports());
    expect(world.endpoints.size).toBe(4);
    await forgetStack(votes('a', 'b', 'c'), world.ports());
    expect([...world.endpoints.keys()]).toEqual(['switch a']);
    expect(world.votesToEvacuate).toBeUndefined();
  });

  it('keeps the endpoint of a group as long as a cell of any stack follows it', async () => {
    const world = await created(cells('one', { a: 'shared', b: 'own' }));
    await guardStack({ after: cells('two', { c: 'shared' }), isNew: true }, world.ports());
    await guardStack({ after: cells('one', { b: 'own' }), isNew: false }, world.ports());
    expect([...world.endpoints.keys()].sort()).toEqual(['switch own', 'switch shared']);
    await forgetStack(cells('two', { c: 'shared' }), world.ports());
    await forgetStack(cells('one', { b: 'own' }), world.ports());
    expect([...world.endpoints.keys()]).toEqual([]);
    expect(world.stacks.size).toBe(0);
    expect(world.accepted.size).toBe(0);
  });
});
