import { describe, expect, it } from 'vitest';
import { type Answered, nameKey, type PublicName } from '../../lib/deployments/answers.ts';
import type { Stage } from '../../lib/deployments/plan.ts';
import { SOAK_GRACE_MS, type Voice } from '../../lib/deployments/soak.ts';
import type { StaleHost } from '../../lib/operate/deploy/compare.ts';
import { CdkFailedError } from '../../lib/operate/deploy/errors.ts';
import { type RunPorts, runStages, type Verified } from '../../lib/operate/deploy/run.ts';

const orders: PublicName = {
  name: 'signal.orders.example.com',
  type: 'TXT',
  primary: ['v=1; region=us-east-1; stream=orders'],
  standby: ['v=1; region=us-west-2; stream=orders'],
};
const api: PublicName = {
  name: 'api.example.com',
  type: 'A',
  primary: ['192.0.2.10'],
  standby: ['198.51.100.10'],
};
const names = new Map([orders, api].map((name) => [nameKey(name), [name]] as const));
const verified: Verified = {
  names,
  before: new Map([...names.keys()].map((key) => [key, 'primary' as const])),
};
const MINUTE_MS = 60_000;

/** A world with a clock of its own: waiting costs nothing. */
class World {
  nowMs = 0;
  readonly did: string[] = [];
  /** What each name answers, at this time. */
  answers: (name: PublicName) => Answered = ({ primary }) => primary;
  voices: () => readonly Voice[] = () =>
    ['witness-a', 'witness-b', 'standby'].map((region) => this.sound(region));
  stale: readonly StaleHost[] = [];
  onDeploy: (stacks: readonly string[]) => void = () => {};
  aborted: Error | undefined;

  sound(region: string): Voice {
    return {
      region,
      said: { fresh: true, vote: 'HOLD', diagnosis: 'Healthy', decidedAtMs: this.nowMs },
    };
  }

  ports(): RunPorts {
    return {
      deploy: async (stacks, hosts) => {
        this.did.push([`deploy ${stacks.join(' ')}`, ...(hosts ? [JSON.stringify(hosts)] : [])].join(' '));
        this.onDeploy(stacks);
        // CloudFormation has resolved the hosts, and the guard has stored them.
        if (hosts !== undefined) this.stale = this.stale.filter(({ of }) => hosts[of] === undefined);
      },
      askNames: async () =>
        new Map([...names].map(([key, [name]]) => [key, this.answers(name as PublicName)])),
      voices: async () => this.voices(),
      staleHosts: async () => this.stale,
      sleep: async (ms) => {
        this.nowMs += ms;
        if (this.aborted !== undefined) throw this.aborted;
      },
      nowMs: () => this.nowMs,
      say: () => {},
      tell: () => {},
      throwIfAborted: () => {
        if (this.aborted !== undefined) throw this.aborted;
      },
    };
  }
}

const witness = (name: string): Stage => ({
  kind: 'witness',
  stacks: [name],
  soak: { observers: [name], ms: 10 * MINUTE_MS },
  watchDnsMs: 0,
});
const routing: Stage = { kind: 'routing', stacks: ['routing'], watchDnsMs: MINUTE_MS };
const cells: Stage = { kind: 'firstCells', stacks: ['cells'], watchDnsMs: MINUTE_MS };

describe('the stages of a deployment', () => {
  it('come one after the other, each with its soak and its look at DNS', async () => {
    const world = new World();
    const end = await runStages(
      [witness('witness-a'), witness('witness-b'), routing, cells],
      verified,
      world.ports(),
    );
    expect(end.stopped).toBeUndefined();
    expect(world.did).toEqual(['deploy witness-a', 'deploy witness-b', 'deploy routing', 'deploy cells']);
    expect(end.done.map(({ tookMs }) => tookMs)).toEqual([
      10 * MINUTE_MS,
      10 * MINUTE_MS,
      MINUTE_MS,
      MINUTE_MS,
    ]);
    expect(end.dns).toEqual({ moved: [], silent: [], held: 2 });
  });

  it('end when a name answers for another region, with what to do', async () => {
    const world = new World();
    world.answers = (name) => (world.nowMs >= 30_000 && name === orders ? name.standby : name.primary);
    const end = await runStages([routing, cells], verified, world.ports());
    expect(world.did).toEqual(['deploy routing']);
    expect(end.stopped).toMatchObject({ by: 'dns', stage: routing });
    expect(end.stopped?.reason).toMatch(/signal\.orders\.example\.com answered for the primary, .* standby/);
    expect(end.stopped?.next.join(' ')).toMatch(/spillway status.*former config/s);
    expect(end.dns.moved).toMatchObject([{ from: 'primary', to: 'standby' }]);
  });

  it('end when a name has no answer any more', async () => {
    const world = new World();
    world.answers = (name) => (name === api ? [] : name.primary);
    const end = await runStages([routing, cells], verified, world.ports());
    expect(end.stopped).toMatchObject({ by: 'dns', reason: expect.stringMatching(/api.*not at all/) });
  });

  it('go on when only one answer of many is another one', async () => {
    const world = new World();
    let asked = 0;
    world.answers = (name) => {
      if (name === orders) asked += 1;
      return name === orders && asked === 3 ? name.standby : name.primary;
    };
    const end = await runStages([routing], verified, world.ports());
    expect(end.stopped).toBeUndefined();
    expect(asked).toBeGreaterThan(3);
  });

  it('end when DNS does not answer, because nobody would see a name move', async () => {
    const world = new World();
    world.answers = () => 'silent';
    const end = await runStages([routing, cells], verified, world.ports());
    expect(end.stopped).toMatchObject({
      by: 'unasked',
      reason: expect.stringMatching(/DNS does not answer/),
    });
    expect(world.did).toEqual(['deploy routing']);
  });

  it('end before the second observer when the first is not sound', async () => {
    const world = new World();
    const accusing = { fresh: true, vote: 'EVACUATE', diagnosis: 'KinesisWriteImpaired' } as const;
    world.voices = () => [
      { region: 'witness-a', said: { ...accusing, decidedAtMs: world.nowMs } },
      world.sound('witness-b'),
      world.sound('standby'),
    ];
    const end = await runStages([witness('witness-a'), witness('witness-b')], verified, world.ports());
    expect(world.did).toEqual(['deploy witness-a']);
    expect(end.stopped).toMatchObject({ by: 'soak', reason: expect.stringMatching(/witness-a: it accuses/) });
    expect(world.nowMs).toBe(SOAK_GRACE_MS);
  });

  it('end when a name moves during a soak', async () => {
    const world = new World();
    world.answers = (name) => (world.nowMs > 5 * MINUTE_MS ? name.standby : name.primary);
    const end = await runStages([witness('witness-a'), witness('witness-b')], verified, world.ports());
    expect(end.stopped?.by).toBe('dns');
    expect(world.did).toEqual(['deploy witness-a']);
  });

  it('begin with the rest of an earlier soak, and deploy nothing for it', async () => {
    const world = new World();
    const rest: Stage = {
      kind: 'soak',
      stacks: [],
      soak: { observers: ['witness-a'], ms: 4 * MINUTE_MS },
      watchDnsMs: 0,
    };
    world.nowMs = 100 * MINUTE_MS;
    const end = await runStages([rest, witness('witness-b')], verified, world.ports());
    expect(end.done[0]?.tookMs).toBe(4 * MINUTE_MS);
    expect(world.did).toEqual(['deploy witness-b']);
  });

  it('end when the CDK fails, with its reason', async () => {
    const world = new World();
    world.onDeploy = (stacks) => {
      if (stacks.includes('routing'))
        throw new CdkFailedError('Spillway refuses this deployment: …', 'deploy.log');
    };
    const end = await runStages([routing, cells], verified, world.ports());
    expect(end.stopped).toMatchObject({ by: 'cdk', reason: expect.stringMatching(/refuses.*deploy\.log/s) });
    expect(world.did).toEqual(['deploy routing']);
    expect(end.dns.held).toBe(2);
  });

  it('throw what Ctrl-C throws', async () => {
    const world = new World();
    world.onDeploy = () => {
      world.aborted = new Error('Interrupted.');
    };
    await expect(runStages([routing, cells], verified, world.ports())).rejects.toThrow('Interrupted.');
    expect(world.did).toEqual(['deploy routing']);
  });
});

describe('an endpoint that has another host', () => {
  const stale: StaleHost = { of: 'us-east-2', stored: 'old.on.aws', now: 'new.on.aws' };

  it('is given to the stacks whose checks ask it, and to no others', async () => {
    const world = new World();
    world.stale = [stale];
    const end = await runStages([witness('witness-b'), routing, cells], verified, world.ports());
    expect(world.did).toEqual([
      'deploy witness-b',
      'deploy routing {"us-east-2":"new.on.aws"}',
      'deploy cells',
    ]);
    expect(end.done.map(({ hosts }) => hosts)).toEqual([undefined, { 'us-east-2': 'new.on.aws' }, undefined]);
  });

  it('is a reason to end when its check still asks the former host', async () => {
    const world = new World();
    const ports = { ...world.ports(), staleHosts: async () => [stale] };
    const end = await runStages([routing], verified, ports);
    expect(end.stopped).toMatchObject({
      by: 'hosts',
      reason: expect.stringMatching(/us-east-2 still asks old/),
    });
  });
});
