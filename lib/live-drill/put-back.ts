import { stepNamed } from '../../lambda/core/conductor.ts';
import { drillRefusals } from '../../lambda/core/drill.ts';
import type { RunState } from '../operate/conductor.ts';
import { sayProblem } from './errors.ts';
import { lookUntil, secondsOf, settledMs, type Trace } from './trace.ts';
import { MAX_OWNER } from './way-out.ts';

export interface PutBack {
  /** DNS and the puts are in the primary. */
  readonly ok: boolean;
  readonly ms: number | null;
}

type Attempt =
  | { readonly end: 'released' }
  /** `again`: another attempt may succeed later. */
  | { readonly end: 'not-released'; readonly reason: string; readonly again: boolean };

/** Ends of a failback whose switches were released: only a later step may have failed. */
const releasedEnds = new Set<string>([
  'failed-back',
  ...(['notify', 'finish'] as const).map((step) => stepNamed(step).whenItFails.state),
]);

/**
 * Ends of a failback after which another attempt would not help: a newer act has begun, or the primary
 * degraded again.
 */
const finalEnds = new Set(['superseded', 'failback-taken-back']);

/**
 * Moves the cell back, through the conductor and its guards, whatever happened on the way out, and even if
 * the conductor never answered: the number that this act claims fences an evacuation whose start was never
 * answered. Cannot be interrupted. Never throws: errors go to the trace.
 */
export async function putBack(trace: Trace): Promise<PutBack> {
  const { plan, ports, limits, failures } = trace;
  const deadlineMs = ports.nowMs() + limits.putBackMs;
  let reason = '';
  for (let n = 1; n <= limits.putBackAttempts && ports.nowMs() < deadlineMs; n++) {
    if (n > 1) await ports.sleep(limits.putBackRetryMs);
    const askedAtMs = ports.nowMs();
    const attempt = await tryToRelease(trace, { n, askedAtMs, deadlineMs }).catch(
      (error: unknown): Attempt => ({ end: 'not-released', reason: sayProblem(error), again: true }),
    );
    if (attempt.end === 'released') return home(trace, askedAtMs);
    if (attempt.reason !== reason) ports.say(`not back yet: ${attempt.reason}`);
    reason = attempt.reason;
    if (!attempt.again) break;
  }
  failures.push(`${plan.cell} could not be moved back: ${reason}`);
  return { ok: false, ms: null };
}

async function tryToRelease(
  trace: Trace,
  {
    n,
    askedAtMs,
    deadlineMs,
  }: { readonly n: number; readonly askedAtMs: number; readonly deadlineMs: number },
): Promise<Attempt> {
  const { plan, ports, limits } = trace;
  const votes = drillRefusals(await ports.readFacts()).find(({ rule }) => rule === 'votes');
  // The failback would be refused, and its newer number would fence an evacuation for a real outage.
  if (votes !== undefined)
    return { end: 'not-released', reason: `the outage may be real: ${votes.reason}`, again: true };
  const claim = { claim: `drill:${plan.id}:back-${n}`, who: plan.owner, what: 'drill failback' };
  const epoch = await ports.claimEpoch({ ...claim, atMs: askedAtMs });
  const { run, executionArn } = await ports.start({
    action: 'failback',
    epoch,
    groups: [plan.group],
    owner: `drill by ${plan.owner}`.slice(0, MAX_OWNER),
    reason: plan.reason,
    percent: 100,
    pauseSeconds: Math.round(limits.pauseMs / 1_000),
  });
  ports.say(`the conductor is asked to move ${plan.cell} back (${run})`);
  const ended = await follow(trace, { executionArn, deadlineMs });
  if (ended.running)
    return {
      end: 'not-released',
      reason: `${run} still runs, and continues without the drill`,
      again: false,
    };
  if ('failed' in ended)
    return { end: 'not-released', reason: `the conductor failed (${ended.failed})`, again: true };
  const { state, findings } = ended.report;
  if (releasedEnds.has(state)) return { end: 'released' };
  return { end: 'not-released', reason: [state, ...findings].join('; '), again: !finalEnds.has(state) };
}

async function follow(
  { ports, limits }: Trace,
  { executionArn, deadlineMs }: { readonly executionArn: string; readonly deadlineMs: number },
): Promise<RunState> {
  let state: RunState = { running: true };
  while (state.running && ports.nowMs() < deadlineMs) {
    await ports.sleep(limits.pollMs);
    state = await ports.runState(executionArn).catch((): RunState => ({ running: true }));
  }
  return state;
}

/**
 * Waits until the puts are in the primary to stay. A drill that is cut short may still be moving to the
 * standby when the failback is asked for: puts to the primary before that do not count.
 */
function homeMs(trace: Trace, askedAtMs: number): number | null {
  const { acknowledged } = trace.producer;
  const away = acknowledged.findLast(({ region }) => region === trace.plan.standby);
  const fromMs = Math.max(askedAtMs, away?.atMs ?? 0);
  const settled = settledMs(trace, trace.plan.primary, fromMs);
  return settled === null ? null : fromMs - askedAtMs + settled;
}

async function home(trace: Trace, askedAtMs: number): Promise<PutBack> {
  const { plan, ports, limits, failures } = trace;
  let ms: number | null = null;
  try {
    await lookUntil(trace, {
      timeoutMs: limits.homeMs,
      otherwise: `the switch is released, but DNS and puts were not back in ${plan.primary}`,
      look: async () => {
        ms = homeMs(trace, askedAtMs);
        return ms !== null && (await ports.askSignal().catch(() => 'unknown')) === 'primary';
      },
    });
    ports.say(`${plan.cell} is back; its puts were back after ${secondsOf(ms ?? 0)}`);
    return { ok: true, ms };
  } catch (error) {
    failures.push(sayProblem(error));
    return { ok: false, ms };
  }
}
