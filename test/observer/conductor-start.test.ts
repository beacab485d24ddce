import { ExecutionAlreadyExists, type StartExecutionCommand } from '@aws-sdk/client-sfn';
import { describe, expect, it } from 'vitest';
import { RESTART_MS } from '../../lambda/core/conductor.ts';
import type { ObserverReport } from '../../lambda/core/conductor-observers.ts';
import { initialDecisionState } from '../../lambda/core/decide.ts';
import type { Latch, Phase, Quorum } from '../../lambda/core/lifecycle.ts';
import { ConductorStart } from '../../lambda/observer/conductor-start.ts';
import { conductorInputSchema } from '../../lib/conductor/input.ts';
import type { StoredSwitch } from '../../lib/state/state-table.ts';

const VOTE_MS = 1_800_000_000_000;

function world() {
  const started: { readonly name: string; readonly input: unknown }[] = [];
  const errors: unknown[] = [];
  const claims: string[] = [];
  const switches: StoredSwitch[] = [];
  const witnesses: ObserverReport[] = [];
  const state = { asked: 0, fails: undefined as Error | undefined, calls: 0 };
  const make = () =>
    new ConductorStart({
      region: 'us-west-2',
      machineArn: 'arn',
      stepFunctions: {
        send: (async (command: StartExecutionCommand) => {
          state.calls++;
          if (state.fails !== undefined) throw state.fails;
          started.push({ name: String(command.input.name), input: JSON.parse(String(command.input.input)) });
        }) as never,
      },
      state: {
        claimEpoch: async ({ claim }) => {
          if (!claims.includes(claim)) claims.push(claim);
          return claims.indexOf(claim) + 1;
        },
        newestClaim: async () => {
          const claim = claims.at(-1);
          return claim === undefined
            ? undefined
            : { epoch: claims.length, claim, who: 'x', what: 'x', atMs: 1 };
        },
        readSwitches: async () => switches,
      },
      groups: ['g0', 'g1'],
      votesToEvacuate: 2,
      readWitnesses: async () => {
        state.asked++;
        return witnesses;
      },
      onStart: () => {},
      onError: (error) => errors.push(error),
    });
  const round = async (
    start: ConductorStart,
    more: { phase?: Phase; latch?: Latch; quorum?: Quorum; voteSinceMs?: number; atMs?: number } = {},
  ): Promise<void> => {
    const {
      phase = 'evacuating',
      latch = 'open',
      quorum = 'standby',
      voteSinceMs = VOTE_MS,
      atMs = VOTE_MS,
    } = more;
    start.consider({
      decision: {
        vote: 'EVACUATE',
        diagnosis: 'KinesisWriteImpaired',
        comment: 'c'.repeat(2_000),
        refusals: [],
        state: { ...initialDecisionState, phase, voteSinceMs },
      },
      decidedAtMs: atMs,
      latch,
      quorum,
    });
    await start.settled();
  };
  return { started, errors, state, make, round, claims, switches, witnesses, start: make() };
}

describe('the standby’s observer', () => {
  it('starts the conductor once for all rounds of one evacuation, with an input that it takes', async () => {
    const { started, round, start, state } = world();
    for (let n = 0; n < 5; n++) await round(start, { atMs: VOTE_MS + n * 5_000 });
    expect(state.calls).toBe(1);
    expect(started[0]?.name).toBe('all-1');
    expect(conductorInputSchema.parse(started[0]?.input)).toMatchObject({
      action: 'evacuate',
      trigger: 'auto',
      epoch: 1,
    });
  });

  it('gives the next run of the observer the same name, and the next evacuation another', async () => {
    const { started, round, start, make } = world();
    await round(start);
    await round(make());
    await round(start, { voteSinceMs: VOTE_MS + 1 });
    expect(started.map(({ name }) => name)).toEqual(['all-1', 'all-1', 'all-2']);
  });

  it('starts nothing before DNS has moved, nor once the switches hold', async () => {
    const { state, round, start } = world();
    await round(start, { quorum: 'primary' });
    await round(start, { latch: 'latched' });
    await round(start, { phase: 'held' });
    expect(state.calls).toBe(0);
  });

  const witness = (region: string, more: Partial<ObserverReport> = {}): ObserverReport => ({
    region,
    fresh: true,
    vote: 'EVACUATE',
    diagnosis: 'KinesisWriteImpaired',
    decidedAtMs: VOTE_MS,
    healthySinceMs: null,
    voteSinceMs: VOTE_MS + (region === 'eu-west-1' ? 7_000 : 0),
    ...more,
  });

  it.each<Phase>(['held', 'steady', 'suspected', 'quorumMoved', 'partlyInStandby', 'inStandby', 'recovered'])(
    'starts the conductor for the votes of the others while it is %s itself, once',
    async (phase) => {
      const { started, round, start, make, witnesses, errors } = world();
      witnesses.push(witness('eu-west-1'), witness('us-east-2'));
      for (let n = 1; n < 4; n++) await round(start, { phase, atMs: VOTE_MS + n * 5_000 });
      await round(make(), { phase, atMs: VOTE_MS + 20_000 });
      expect(errors).toEqual([]);
      expect(started.map(({ name }) => name)).toEqual(['all-1', 'all-1']);
      expect(conductorInputSchema.parse(started[0]?.input)).toMatchObject({
        trigger: 'auto',
        reason: expect.stringMatching(/by the votes of eu-west-1 \(KinesisWriteImpaired\), us-east-2/),
      });
    },
  );

  it('does not start it for too few of them, for votes that are stale, or where DNS has not moved', async () => {
    const { started, round, start, witnesses, state } = world();
    witnesses.push(witness('eu-west-1'), witness('us-east-2', { vote: 'HOLD' }));
    await round(start, { phase: 'steady' });
    witnesses[1] = witness('us-east-2', { fresh: false });
    await round(start, { phase: 'steady' });
    expect([started.length, state.asked]).toEqual([0, 2]);
    witnesses[1] = witness('us-east-2');
    await round(start, { phase: 'steady', quorum: 'primary' });
    await round(start, { phase: 'steady', quorum: 'unknown' });
    await round(start, { phase: 'steady', latch: 'latched' });
    expect([started.length, state.asked]).toEqual([0, 2]);
  });

  it('does not ask the others when it votes itself', async () => {
    const { round, start, state } = world();
    await round(start);
    expect(state.asked).toBe(0);
  });

  it('takes "exists already" for success', async () => {
    const { errors, round, start, state } = world();
    state.fails = new ExecutionAlreadyExists({ message: 'exists', $metadata: {} });
    await round(start);
    await round(start);
    expect(errors).toEqual([]);
    expect(state.calls).toBe(1);
  });

  it('tries again in the next round when it could not be started', async () => {
    const { errors, round, start, state, started } = world();
    state.fails = new Error('503');
    await round(start);
    state.fails = undefined;
    await round(start);
    expect(errors).toHaveLength(1);
    expect(started).toHaveLength(1);
  });

  it('starts another attempt under the same epoch when the first one has not latched in its time', async () => {
    const { started, round, start } = world();
    await round(start);
    await round(start, { latch: 'partial', atMs: VOTE_MS + RESTART_MS });
    expect(started.map(({ name }) => name)).toEqual(['all-1', 'all-1-retry-1']);
  });

  it('takes a new number when an act about one cell has fenced the first, and keeps that from then on', async () => {
    const { started, round, start, make, claims, switches } = world();
    await round(start);
    claims.push('operator:1');
    switches.push({ group: 'g0', position: 'PRIMARY', epoch: 2 });
    await round(start, { atMs: VOTE_MS + RESTART_MS });
    await round(make(), { atMs: VOTE_MS + RESTART_MS });
    await round(start, { atMs: VOTE_MS + 2 * RESTART_MS });
    expect(started.map(({ name }) => name)).toEqual([
      'all-1',
      'all-3-retry-1',
      'all-3-retry-1',
      'all-3-retry-2',
    ]);
    expect(conductorInputSchema.parse(started[1]?.input)).toMatchObject({ epoch: 3, sinceEpoch: 1 });
  });

  it('takes none when newer acts have left it nothing to do', async () => {
    const { started, round, start, claims, switches } = world();
    await round(start);
    claims.push('operator:1');
    switches.push(
      { group: 'g0', position: 'PRIMARY', epoch: 2 },
      { group: 'g1', position: 'STANDBY', epoch: 2 },
    );
    await round(start, { latch: 'partial', atMs: VOTE_MS + RESTART_MS });
    expect(started).toHaveLength(1);
    expect(claims).toHaveLength(2);
  });
});
