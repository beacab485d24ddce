import { ExecutionAlreadyExists, type StartExecutionCommand } from '@aws-sdk/client-sfn';
import { describe, expect, it } from 'vitest';
import type { CellFinding } from '../../lambda/core/cell-findings.ts';
import { RESTART_MS } from '../../lambda/core/conductor.ts';
import type { ObserverReport } from '../../lambda/core/conductor-observers.ts';
import { initialDecisionState } from '../../lambda/core/decide.ts';
import type { GuardRule } from '../../lambda/core/guards.ts';
import type { Quorum } from '../../lambda/core/lifecycle.ts';
import type { WouldHaveMoved } from '../../lambda/core/would.ts';
import { CellMoves } from '../../lambda/observer/cell-moves.ts';
import { conductorInputSchema } from '../../lib/conductor/input.ts';

const START_MS = 1_800_000_000_000;
const cells = ['orders', 'clicks', 'views'].map((cell) => ({ cell, group: cell, probe: 'always' as const }));

const finding = (cell: string, rule?: GuardRule, sinceMs = START_MS): CellFinding => ({
  cell,
  group: cell,
  kind: 'impaired',
  sinceMs,
  reason: '6 of 6 records were not taken lately',
  refusals: rule === undefined ? [] : [{ rule, reason: 'for a test' }],
});

function world() {
  const started: { readonly name: string; readonly input: unknown }[] = [];
  const claims: string[] = [];
  const would: WouldHaveMoved[] = [];
  const errors: unknown[] = [];
  const state = { fails: undefined as Error | undefined, calls: 0, witness: [] as readonly ObserverReport[] };
  const make = () =>
    new CellMoves({
      region: 'us-west-2',
      machineArn: 'arn',
      stepFunctions: {
        send: (async ({ input }: StartExecutionCommand) => {
          state.calls++;
          if (state.fails !== undefined) throw state.fails;
          started.push({ name: String(input.name), input: JSON.parse(String(input.input)) });
        }) as never,
      },
      state: {
        claimEpoch: async ({ claim }) => {
          if (!claims.includes(claim)) claims.push(claim);
          return claims.indexOf(claim) + 1;
        },
        recordWould: async (one) => void would.push(one),
      },
      cells,
      votesToEvacuate: 2,
      readWitnesses: async () => state.witness,
      onStart: () => {},
      onError: (error) => errors.push(error),
    });
  const moves = make();
  const round = async (
    own: readonly CellFinding[],
    more: {
      readonly by?: CellMoves;
      readonly atMs?: number;
      readonly quorum?: Quorum;
      readonly refusedBy?: GuardRule;
    } = {},
  ) => {
    const by = more.by ?? moves;
    const { refusedBy } = more;
    by.consider({
      decision: {
        vote: 'HOLD',
        diagnosis: refusedBy === undefined ? 'StreamImpaired' : 'KinesisWriteImpaired',
        comment: '',
        refusals: refusedBy === undefined ? [] : [{ rule: refusedBy, reason: '' }],
        state: { ...initialDecisionState, actionableSinceMs: refusedBy === undefined ? null : START_MS + 7 },
      },
      decidedAtMs: more.atMs ?? START_MS,
      cells: own,
      quorum: more.quorum ?? 'primary',
    });
    await by.settled();
  };
  return { started, claims, would, errors, state, make, round };
}

const witness = (said: readonly CellFinding[], more: Partial<ObserverReport> = {}): ObserverReport => ({
  region: 'us-east-2',
  fresh: true,
  vote: 'HOLD',
  diagnosis: 'StreamImpaired',
  decidedAtMs: START_MS,
  healthySinceMs: null,
  cells: said,
  ...more,
});

describe('the standby’s observer, of single cells', () => {
  it('starts the conductor once, for the accused cell alone, with an input that it takes', async () => {
    const { started, round, state } = world();
    state.witness = [witness([finding('orders')])];
    for (let n = 0; n < 5; n++) await round([finding('orders')], { atMs: START_MS + n * 5_000 });
    expect(started).toHaveLength(1);
    expect(started[0]?.name).toBe('orders-1');
    expect(conductorInputSchema.parse(started[0]?.input)).toMatchObject({
      trigger: 'cells',
      groups: ['orders'],
      owner: 'observer us-west-2',
    });
  });

  it('does so by the voices of two witnesses, without its own', async () => {
    const { started, round, state } = world();
    state.witness = [witness([finding('orders')]), witness([finding('orders')], { region: 'eu-west-1' })];
    await round([]);
    expect(started).toHaveLength(1);
  });

  it('moves nothing by one voice, by stale ones, or once the votes have moved everything', async () => {
    const { started, round, state } = world();
    await round([finding('orders')]);
    state.witness = [witness([finding('orders')], { fresh: false })];
    await round([finding('orders')]);
    state.witness = [witness([finding('orders')])];
    await round([finding('orders')], { quorum: 'standby' });
    expect(started).toEqual([]);
  });

  it('has one name for one accusation, whichever run of the observer asks', async () => {
    const { started, round, state, make } = world();
    state.witness = [witness([finding('orders')])];
    await round([finding('orders')]);
    await round([finding('orders')], { by: make() });
    expect(started.map(({ name }) => name)).toEqual(['orders-1', 'orders-1']);
  });

  it('moves two cells in one act, and a third that follows in another', async () => {
    const { started, round, state } = world();
    state.witness = [witness([finding('orders'), finding('clicks')])];
    await round([finding('orders'), finding('clicks')]);
    state.witness = [witness([finding('views', undefined, START_MS + 5_000)])];
    await round([finding('views', undefined, START_MS + 5_000)], { atMs: START_MS + 5_000 });
    expect(started.map(({ name }) => name)).toEqual(['some-1', 'views-2']);
  });

  it('waits with the next cell until the act before has set its switch, or has had the time for it', () => {
    const second = finding('clicks', undefined, START_MS + 5_000);
    const play = async (latchedAfterMs: number) => {
      const { started, round, state } = world();
      const at: string[] = [];
      for (let ms = 0; ms <= 60_000; ms += 5_000) {
        const first = ms >= latchedAfterMs ? finding('orders', 'in-standby') : finding('orders');
        const said = ms === 0 ? [first] : [first, second];
        state.witness = [witness(said)];
        await round(said, { atMs: START_MS + ms });
        while (at.length < started.length) at.push(`${started[at.length]?.name} after ${ms}`);
      }
      return at;
    };
    return Promise.all([
      expect(play(10_000)).resolves.toEqual(['orders-1 after 0', 'clicks-2 after 10000']),
      expect(play(Number.POSITIVE_INFINITY)).resolves.toEqual(['orders-1 after 0', 'clicks-2 after 30000']),
    ]);
  });

  it('tries again under another number when the cell does not get there', async () => {
    const { started, round, state } = world();
    state.witness = [witness([finding('orders')])];
    await round([finding('orders')]);
    await round([finding('orders')], { atMs: START_MS + RESTART_MS });
    expect(started.map(({ name }) => name)).toEqual(['orders-1', 'orders-2']);
  });

  it('takes a start that was made already for done, and repeats one that failed', async () => {
    const { started, round, state, errors } = world();
    state.witness = [witness([finding('orders')])];
    state.fails = new Error('throttled');
    await round([finding('orders')]);
    expect(errors).toHaveLength(1);
    state.fails = new ExecutionAlreadyExists({ message: 'x', $metadata: {} });
    await round([finding('orders')]);
    await round([finding('orders')]);
    expect([state.calls, started.length]).toEqual([2, 0]);
  });

  it('records once what it would have moved, had the mode let it', async () => {
    const { started, would, round, state } = world();
    state.witness = [witness([finding('orders', 'mode')])];
    for (let n = 0; n < 3; n++) await round([finding('orders', 'mode')]);
    expect(started).toEqual([]);
    expect(would).toMatchObject([{ scope: 'orders', cells: ['orders'], sinceMs: START_MS }]);
  });

  it('records the region in the same way, and nothing that another guard holds', async () => {
    const { would, round, state } = world();
    const held = { diagnosis: 'KinesisWriteImpaired', refusedBy: ['mode'], actionableSinceMs: START_MS + 9 };
    state.witness = [witness([], { ...held, refusedBy: ['mode', 'cooldown'] })];
    await round([], { refusedBy: 'mode' });
    expect(would).toEqual([]);
    state.witness = [witness([], held)];
    await round([], { refusedBy: 'mode' });
    expect(would).toMatchObject([{ scope: 'region', cells: [], sinceMs: START_MS + 9 }]);
  });
});
