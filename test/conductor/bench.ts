import type { Conductor } from '../../lambda/conductor/conductor.ts';
import { type RunState, reportOf } from '../../lambda/conductor/run-state.ts';
import { runStep } from '../../lambda/conductor/steps.ts';
import type { ConductorStart, RunReport } from '../../lib/conductor/input.ts';
import { policy } from '../core/levels.ts';
import { type MemoryTable, memoryTable } from './memory-table.ts';

export const START_MS = Date.parse('2026-01-01T00:00:00Z');

export interface Bench {
  readonly table: MemoryTable;
  readonly conductor: Conductor;
  readonly clock: { nowMs: number };
  readonly told: RunReport[];
}

export const groupNames = (count: number): readonly string[] =>
  Array.from({ length: count }, (_, n) => `g${String(n).padStart(3, '0')}`);

/** A conductor whose world is in memory: everything works, DNS follows the switches, and nobody says a word. */
export function bench(groups: number, changes: Partial<Conductor> = {}): Bench {
  const table = memoryTable();
  const clock = { nowMs: START_MS };
  const told: RunReport[] = [];
  const conductor: Conductor = {
    settings: {
      name: 'shop',
      primary: 'us-east-1',
      standby: 'us-west-2',
      observers: ['us-west-2', 'us-east-2', 'eu-west-1'],
      zoneName: 'example.com',
      policy: { ...policy, siblingProbes: [] },
      topicArn: 'arn:aws:sns:us-west-2:000000000000:shop',
    },
    state: table,
    cells: groupNames(groups).map((group) => ({
      cell: group,
      group,
      stream: group,
      primaryStream: group,
      probe: 'never' as const,
    })),
    nowMs: () => clock.nowMs++,
    readQuorum: async () => 'standby',
    askSignals: async (cells) =>
      cells.map((cell) => ({
        cell,
        region: table.switches.get(cell)?.position === 'PRIMARY' ? 'primary' : 'standby',
      })),
    readArrivals: async (streams) => ({ seen: streams, silent: [], unknown: [], unreadable: [] }),
    readTakers: async (consumers) => consumers.map((one) => ({ ...one, took: 'yes' as const })),
    readDigests: async () => [],
    readReports: async () => [],
    readStandbyLevels: async () => ({ kinesisWrite: 'up', kinesisRead: 'up', reachability: 'up' }),
    tell: async (report) => {
      told.push(report);
      return [];
    },
    ...changes,
  };
  return { table, conductor, clock, told };
}

/** Steps of a run until it ends or fails, as the state machine takes them; `afterEach` may stop it. */
export async function drive(
  input: ConductorStart,
  { conductor, clock }: Pick<Bench, 'conductor' | 'clock'>,
  afterEach: (step: string, state: RunState) => Promise<'go on' | 'stop'> = async () => 'go on',
): Promise<RunState> {
  const startedAt = new Date(clock.nowMs).toISOString();
  let state = (await runStep({ step: 'lease', input, startedAt }, conductor)) as RunState;
  let done = 'lease';
  for (let n = 0; n < 5_000 && done !== 'finish'; n++) {
    if ((await afterEach(done, state)) === 'stop') return state;
    done = state.next;
    if (done === 'latch') {
      for (const batch of state.batches ?? []) await runStep({ step: 'latch', state, batch }, conductor);
      state = { ...state, next: 'confirm' };
    } else {
      state = (await runStep({ step: done, state }, conductor)) as RunState;
    }
  }
  return state;
}

export const endOf = (state: RunState): string => reportOf(state).state;
