import { evacuationSteps } from '../../lambda/core/conductor.ts';
import { drillRefusals } from '../../lambda/core/drill.ts';
import type { RunState } from '../operate/conductor.ts';
import { LiveDrillError, LiveDrillRefusedError } from './errors.ts';
import { lookUntil, secondsOf, settledMs, type Trace } from './trace.ts';

/** Ends of an evacuation after which the switch holds; the drill itself checks DNS and the puts. */
const heldEnds = new Set<string>([
  'latched',
  ...evacuationSteps.flatMap(({ whenItFails }) => (whenItFails.stops ? [] : [whenItFails.state])),
]);

/**
 * Moves the cell to the standby, as an operator does: through the conductor, which knows nothing but the
 * group.
 *
 * @throws LiveDrillRefusedError, LiveDrillError
 */
export async function wayOut(trace: Trace): Promise<void> {
  const { plan, ports, limits } = trace;
  await lookUntil(trace, {
    timeoutMs: limits.baselineMs,
    otherwise: `the drill's producer did not settle in ${plan.primary}, and nothing was moved,`,
    look: async () => {
      goOn(trace);
      return settledMs(trace, plan.primary, trace.startedAtMs) !== null;
    },
  });
  const askedAtMs = ports.nowMs();
  const epoch = await claim(trace, askedAtMs);
  trace.mayBeAway = true;
  const { run, executionArn } = await ports.start({
    action: 'evacuate',
    trigger: 'asked',
    epoch,
    groups: [plan.group],
    owner: `drill by ${plan.owner}`.slice(0, MAX_OWNER),
    reason: plan.reason,
  });
  ports.say(`the conductor is asked to move ${plan.cell} to ${plan.standby} (${run})`);
  await watch(trace, { askedAtMs, executionArn });
}

/** The longest owner that the conductor's input takes. */
export const MAX_OWNER = 200;

/** @throws LiveDrillError when nothing more may be moved. */
function goOn({ plan: { signal } }: Trace): void {
  if (!signal.aborted) return;
  const reason: unknown = signal.reason;
  throw new LiveDrillError(
    `the drill was stopped: ${reason instanceof Error ? reason.message : String(reason)}`,
  );
}

/**
 * Asks the guards again, and claims a number. If another act has claimed one in between, this is no time for
 * a drill.
 */
async function claim(trace: Trace, atMs: number): Promise<number> {
  const { plan, ports } = trace;
  const facts = await ports.readFacts();
  const refusals = drillRefusals(facts);
  if (refusals.length > 0) throw new LiveDrillRefusedError(refusals);
  goOn(trace);
  const epoch = await ports.claimEpoch({ claim: `drill:${plan.id}`, who: plan.owner, what: 'drill', atMs });
  if (epoch !== Number(facts.newestEpoch) + 1) {
    const reason = `epoch ${epoch - 1} has begun at this moment`;
    throw new LiveDrillRefusedError([{ rule: 'newer-act', reason }]);
  }
  return epoch;
}

async function watch(
  trace: Trace,
  { askedAtMs, executionArn }: { readonly askedAtMs: number; readonly executionArn: string },
): Promise<void> {
  const { plan, ports, limits } = trace;
  const since = (): number => ports.nowMs() - askedAtMs;
  let run: RunState = { running: true };
  const look = async (): Promise<boolean> => {
    goOn(trace);
    await Promise.all([
      seen(trace.latchedMs, async () => {
        if ((await ports.readPosition()) !== 'STANDBY') return;
        trace.latchedMs = since();
        ports.say(
          `the switch holds after ${secondsOf(trace.latchedMs)}; its health check changes in 20 to 35 s`,
        );
      }),
      seen(trace.flipMs, async () => {
        if ((await ports.askSignal()) !== 'standby') return;
        trace.flipMs = since();
        ports.say(`DNS names ${plan.standby} after ${secondsOf(trace.flipMs)}`);
      }),
      seen(run.running ? null : 0, async () => {
        run = await ports.runState(executionArn);
      }),
    ]);
    if (!run.running) refuseBadEnd(run);
    trace.rtoMs = settledMs(trace, plan.standby, askedAtMs);
    return trace.rtoMs !== null && trace.flipMs !== null && trace.latchedMs !== null && !run.running;
  };
  await lookUntil(trace, {
    timeoutMs: limits.moveMs,
    look,
    otherwise: `the move to ${plan.standby} was not complete`,
  });
  ports.say(`the puts have settled in ${plan.standby} after ${secondsOf(trace.rtoMs ?? 0)}`);
}

/** Looks for what has not been seen yet. A failed look is ignored, because the next look follows. */
async function seen(already: number | null, look: () => Promise<void>): Promise<void> {
  if (already === null) await look().catch(() => {});
}

function refuseBadEnd(run: Exclude<RunState, { running: true }>): void {
  if ('failed' in run) throw new LiveDrillError(`the conductor failed (${run.failed})`);
  const { state, findings } = run.report;
  if (heldEnds.has(state)) return;
  throw new LiveDrillError(`the conductor ended as ${[state, ...findings].join('; ')}`);
}
