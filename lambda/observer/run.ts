import type { Memory } from '../core/memory.ts';
import { phaseDriftMs } from '../core/phase.ts';
import { type ObserverStore, STORE_TIMEOUT_MS } from './store.ts';
import { type TickDependencies, type TickResult, tick } from './tick.ts';

export interface RunDependencies extends TickDependencies {
  readonly store: TickDependencies['store'] & Pick<ObserverStore, 'takeOver' | 'save'>;
  /**
   * Offset within a tick at which this observer's rounds begin (`phaseDriftMs`). Absent: the offset of the
   * first round.
   */
  readonly phase?: number | undefined;
  /** Names this run: the Lambda request id. */
  readonly runId: string;
  readonly remainingMs: () => number;
  readonly sleep: (ms: number) => Promise<void>;
  readonly onTick: (result: TickResult) => void;
  readonly onStoreError: (error: unknown) => void;
}

export type RunEnd = 'superseded' | 'deadline';

/** Most ticks in one run, whatever its clock says. */
const MAX_TICKS = 100;
const DEADLINE_MARGIN_MS = 500;

/**
 * Ticks until a newer run takes over, or until the function's own deadline. An Events rule starts a run each
 * minute and the function lives longer than that, so a late start leaves no gap: the old run ends when its
 * write is refused.
 */
export async function run(dependencies: RunDependencies): Promise<RunEnd> {
  const { policy, clock, store, runId } = dependencies;
  const tickCostMs = 2 * policy.probeTimeoutMs + 2 * STORE_TIMEOUT_MS + DEADLINE_MARGIN_MS;
  const startedMs = clock.monotonicMs();
  let memory: Memory | undefined;
  let before: TickResult | undefined;
  let last: { readonly wallMs: number; readonly monotonicMs: number } | undefined;

  for (let n = 0; n < MAX_TICKS && dependencies.remainingMs() > tickCostMs; n++) {
    if (memory === undefined) {
      memory = await takeOver(dependencies);
      if (memory !== undefined) await keepCadence(memory, dependencies);
    }
    if (memory !== undefined) {
      const wallMs = clock.nowMs();
      const monotonicMs = clock.monotonicMs();
      const clockStepMs = last
        ? wallMs - last.wallMs - (monotonicMs - last.monotonicMs)
        : backwardStepMs(memory, wallMs);
      last = { wallMs, monotonicMs };
      const result = await tick({ memory, clockStepMs, before }, dependencies);
      memory = result.memory;
      before = result;
      dependencies.onTick(result);
      const stored = { ...result, expiresAtMs: result.decidedAtMs + policy.voteTtlMs };
      const saved = await store.save(runId, stored).catch(dependencies.onStoreError);
      if (saved === 'superseded') return 'superseded';
    }
    const sinceMs = clock.monotonicMs() - (last?.monotonicMs ?? startedMs);
    const tickWaitMs = policy.tickMs - (sinceMs % policy.tickMs);
    const { phase } = dependencies;
    const driftMs =
      phase === undefined ? 0 : phaseDriftMs({ atMs: clock.nowMs() + tickWaitMs, phase }, policy);
    const waitMs = tickWaitMs + driftMs;
    if (dependencies.remainingMs() - waitMs <= tickCostMs) break;
    await dependencies.sleep(waitMs);
  }
  return 'deadline';
}

/**
 * Keeps rounds at least a tick apart, even between two runs. Otherwise a blip that fits between two rounds
 * would be seen three times, and look like an outage.
 */
async function keepCadence(memory: Memory, { policy, clock, sleep }: RunDependencies): Promise<void> {
  if (memory.lastRoundAtMs === null) return;
  const waitMs = memory.lastRoundAtMs + policy.tickMs - clock.nowMs();
  if (waitMs > 0 && waitMs <= policy.tickMs) await sleep(waitMs);
}

/** Without its memory an observer does not vote; the next tick tries again. */
async function takeOver({ store, runId, onStoreError }: RunDependencies): Promise<Memory | undefined> {
  try {
    return await store.takeOver(runId);
  } catch (error) {
    onStoreError(error);
    return undefined;
  }
}

/**
 * How far the clock stepped back. Between two runs a step forward cannot be told from time that simply
 * passed.
 */
function backwardStepMs(memory: Memory, wallMs: number): number {
  const lastMs = memory.lastRoundAtMs;
  return lastMs === null ? 0 : Math.min(0, wallMs - lastMs);
}
