import type { DrillResult } from '../../lambda/core/drill.ts';
import { liveDrill } from '../live-drill/live-drill.ts';
import { operatorPorts } from '../live-drill/operator-ports.ts';
import type { LiveDrillPlan, LiveDrillPorts } from '../live-drill/ports.ts';
import { rehearse } from '../live-drill/rehearse.ts';
import type { DrillTarget } from '../settings/drill.ts';
import type { Check } from './check.ts';
import type { ProveContext } from './context.ts';
import { ProveError } from './errors.ts';
import { type Figures, judged, refuted, rounded, undecided } from './judgement.ts';

const SECOND_MS = 1_000;
/** Three looks of a switch's check, each up to an interval after the last, its first one, and 5 s. */
const lookMs = (intervalSeconds: number): number => 4 * intervalSeconds * SECOND_MS + 10_000;

export interface MoveSeen {
  readonly result: DrillResult;
  readonly limitMs: number;
}

/** A drill of the account, with all that belongs to it: guards, conductor, journal, metrics. */
export const move: Check<'move', MoveSeen> = {
  observe: async (context) => {
    const { drill, config } = context;
    if (drill === undefined) throw new ProveError('the config names no cell for drills');
    const limitMs = lookMs(config.delivery.healthCheckIntervalSeconds);
    const plan = planOf(context, drill);
    const ports = portsOf(context, drill);
    if (context.rehearsing) {
      const rehearsal = { plan, ports, target: drill, clients: context.clients, nowMs: context.nowMs() };
      return { limitMs, result: await rehearse(rehearsal) };
    }
    const end = await liveDrill(plan, ports);
    if (end.end === 'result') return { limitMs, result: end.result };
    throw new ProveError(
      `the drill was refused: ${end.refusals.map(({ rule, reason }) => `${reason} (${rule})`).join('; ')}`,
    );
  },
  judges: {
    'switch-delivery': ({ result, limitMs }) => {
      const { flipMs, latchedMs, rtoMs, failback, nextCommand } = result;
      const figures: Figures = {
        limitSeconds: limitMs / SECOND_MS,
        ...(rtoMs === null ? {} : { secondsUntilPutsMoved: rounded(rtoMs / SECOND_MS) }),
        ...(failback.ms === null ? {} : { secondsUntilPutsWereBack: rounded(failback.ms / SECOND_MS) }),
      };
      const back = nextCommand === undefined ? undefined : `the cell may be away: ${nextCommand}`;
      if (latchedMs === null) return undecided(back ?? 'the switch was not set', figures);
      if (flipMs === null) return refuted(figures, back ?? 'DNS never named the standby');
      const tookMs = Math.max(0, flipMs - latchedMs);
      return judged(
        tookMs <= limitMs,
        { secondsFromSwitchToDns: rounded(tookMs / SECOND_MS), ...figures },
        back,
      );
    },
  },
};

function planOf({ id, owner, reason, signal }: ProveContext, drill: DrillTarget): LiveDrillPlan {
  const { cell, group, primary, standby } = drill;
  return { id, cell, group, primary, standby, owner, reason, signal };
}

function portsOf(context: ProveContext, target: DrillTarget): LiveDrillPorts {
  const { id, clients, account, say } = context;
  return operatorPorts({ id, target, where: context, clients, account, say });
}
