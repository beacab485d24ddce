import { setTimeout as sleep } from 'node:timers/promises';
import { z } from 'zod';
import { arrivedMs, SETTLED_WINDOW_MS } from '../../../lambda/core/arrival.ts';
import { roundsToClear } from '../../../lambda/core/evidence.ts';
import { modelSettings } from '../../../lambda/core/observation.ts';
import { exitCodes } from '../../shell/exit-codes.ts';
import { DrillError } from './errors.ts';
import type { DrillEvent } from './events.ts';

import type { Operator } from './operator.ts';
import type { ProducerFleet } from './producers.ts';
import { until } from './until.ts';
import type { Watching } from './watch.ts';
import type { World } from './world.ts';

export interface FailbackEnd {
  /**
   * The failback was refused while it had to be, accepted when it was allowed, and moved every producer back.
   */
  readonly ok: boolean;
  /** From the accepted request until every producer lands 95 % of its puts in the primary; null = never. */
  readonly ms: number | null;
}

export interface FailbackSeen extends FailbackEnd {
  readonly failures: readonly string[];
}

export interface FailbackOptions {
  readonly operator: Operator;
  readonly watching: Pick<Watching, 'observers'>;
  readonly onEvent: (event: DrillEvent) => void;
  readonly signal: AbortSignal;
}

/**
 * How long the primary is watched after the release: longer than a switch takes through its check and DNS.
 */
const PAUSE = '50s';
const CALL_TIMEOUT_MS = 30_000;
const RUN_TIMEOUT_MS = 240_000;
/**
 * Extra time for failures on the way, as on a busy machine: each one sets the recovery back by more than a
 * minute of successes.
 */
const RECOVERY_MARGIN_MS = 150_000;
const ASK_EVERY_MS = 10_000;
/**
 * Interval of requests before they can succeed. A run of the CLI costs a second of work, so requests for the
 * reasons are rare.
 */
const ASK_ANYWAY_EVERY_MS = 60_000;
const LOOK_EVERY_MS = 500;
const HOME_TIMEOUT_MS = 60_000;

const failback = ['failback', '--all', '--percent', '100', '--pause', PAUSE, '--reason', 'drill'] as const;

/**
 * Fails back with the command that an operator uses. First the faults end. A request right after that must be
 * refused, because a primary that has just recovered cannot be trusted; traffic stays until a request is
 * accepted.
 */
export async function failBack(
  world: World,
  fleet: ProducerFleet,
  { operator, watching, onEvent, signal }: FailbackOptions,
): Promise<FailbackSeen> {
  const failures: string[] = [];
  const note = (text: string): void => onEvent({ kind: 'note', atMs: Date.now(), text });
  world.proxy.clear();
  note('the faults end');

  const early = await operator.run(failback, { timeoutMs: CALL_TIMEOUT_MS, signal });
  if (early.status === exitCodes.refused) note('failback is refused: the primary has only just recovered');
  else failures.push(`failback right after the faults ended with status ${early.status}, not refused`);

  const { askedAtMs, status, said, state } = await askUntilLetThrough(world, {
    operator,
    watching,
    note,
    signal,
  });
  note(`failback: ${state ?? `status ${status}`}`);
  if (status !== exitCodes.done || state !== 'failed-back') {
    failures.push(
      `failback ended as ${state ?? 'nothing'} with status ${status}: ${said.trim().slice(-500)}`,
    );
  }
  const homeMs = await home(world, fleet, { askedAtMs, signal });
  if (homeMs === null) failures.push('the producers did not settle in the primary');
  return { ok: failures.length === 0, ms: homeMs, failures };
}

async function askUntilLetThrough(
  { config }: World,
  {
    operator,
    watching,
    note,
    signal,
  }: Omit<FailbackOptions, 'onEvent'> & { readonly note: (text: string) => void },
) {
  const { policy } = config;
  const { recoveryMs } = policy;
  // Before the recovery time begins, the slowest signal has to clear, which takes minutes of successful
  // reads.
  const clearingMs = roundsToClear(modelSettings('kinesisRead', policy)) * policy.tickMs;
  const waitMs = clearingMs + recoveryMs + RECOVERY_MARGIN_MS;
  const deadlineMs = performance.now() + waitMs;
  note(`the primary has to be healthy for ${recoveryMs / 1_000} s`);
  await sleep(recoveryMs, undefined, { signal });
  let refused = '';
  while (performance.now() < deadlineMs) {
    const askedAtMs = Date.now();
    const { status, document, said } = await operator.run(failback, { timeoutMs: RUN_TIMEOUT_MS, signal });
    if (status !== exitCodes.refused) {
      const state = typeof document?.state === 'string' ? document.state : undefined;
      return { askedAtMs, status, said, state };
    }
    const rules = refusingRules(document);
    if (rules !== refused) note(`still refused, by the guards: ${rules}`);
    refused = rules;
    await sleep(ASK_EVERY_MS, undefined, { signal });
    await worthAsking(watching, signal);
  }
  throw new DrillError(
    `failback was refused for ${Math.round(waitMs / 1_000)} s, by the guards: ${refused}. See the observers’ logs.`,
    'failback-refused',
  );
}

/**
 * Waits until no observer votes for the evacuation any more, or until it is time to ask for the reasons
 * again.
 */
async function worthAsking({ observers }: Pick<Watching, 'observers'>, signal: AbortSignal): Promise<void> {
  const untilMs = performance.now() + ASK_ANYWAY_EVERY_MS - ASK_EVERY_MS;
  while (performance.now() < untilMs) {
    if ([...observers.values()].every(({ vote }) => vote === 'HOLD')) return;
    await sleep(LOOK_EVERY_MS, undefined, { signal });
  }
}

const refusalSchema = z.object({ error: z.object({ refusals: z.array(z.object({ rule: z.string() })) }) });

function refusingRules(document: unknown): string {
  const parsed = refusalSchema.safeParse(document);
  return parsed.success ? parsed.data.error.refusals.map(({ rule }) => rule).join(', ') : 'unknown';
}

/**
 * Waits until the producers are back in the primary, and some time longer, so that a flap would still be
 * seen.
 */
async function home(
  { config }: World,
  fleet: ProducerFleet,
  { askedAtMs, signal }: { readonly askedAtMs: number; readonly signal: AbortSignal },
): Promise<number | null> {
  const arrived = (): number | null =>
    arrivedMs(fleet.acknowledgements, {
      fromMs: askedAtMs,
      region: config.regions.primary,
      producers: fleet.names,
    });
  try {
    await until({
      what: 'every producer to be back in the primary',
      timeoutMs: HOME_TIMEOUT_MS,
      everyMs: 500,
      holds: () => arrived() !== null,
      signal,
    });
  } catch (error) {
    if (!(error instanceof DrillError)) throw error;
    return null;
  }
  await sleep(SETTLED_WINDOW_MS, undefined, { signal });
  return arrived();
}
