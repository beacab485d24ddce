import { setTimeout as sleep } from 'node:timers/promises';
import { SETTLED_WINDOW_MS } from '../../../lambda/core/arrival.ts';
import type { Scenario } from '../../scenario/schema.ts';
import type { DrillOptions } from './drill-options.ts';
import { rtoMs } from './measure.ts';
import { movingIn } from './moving.ts';
import type { ProducerFleet } from './producers.ts';
import { describeFault, leadMs, withoutLead } from './schedule.ts';
import type { Sources } from './sources.ts';
import type { Watching } from './watch.ts';
import { killObserver } from './wiring.ts';
import type { World } from './world.ts';

type PlayOptions = Pick<
  DrillOptions,
  'scenario' | 'forMs' | 'killObserver' | 'onEvent' | 'onFault' | 'signal'
>;

const PUTS_EVERY_MS = 1_000;

export interface Stage {
  readonly world: World;
  readonly fleet: ProducerFleet;
  readonly watching: Watching;
  /** Fleets that report, where the scenario has sources that lie. */
  readonly sources?: Sources | undefined;
}

/** Plays the scenario and returns when its first fault began. Ends early once an expected failover has settled and is held. */
export async function play(stage: Stage, options: PlayOptions): Promise<number> {
  const { world, fleet, sources } = stage;
  const { onEvent, signal } = options;
  const scenario = withoutLead(options.scenario);
  const startedAtMs = Date.now();
  const faultAtMs = startedAtMs + leadMs(scenario);
  world.proxy.play(scenario);
  sources?.begin(scenario, startedAtMs);
  options.onFault(faultAtMs);
  for (const fault of scenario.faults) {
    if (fault.atMs > options.forMs) continue;
    onEvent({ kind: 'fault', atMs: startedAtMs + fault.atMs, text: describeFault(fault) });
  }
  if (options.killObserver !== undefined) {
    await killObserver(world.clients, world.config, options.killObserver);
    onEvent({ kind: 'note', atMs: Date.now(), text: `killed the observer in ${options.killObserver}` });
  }

  const endMs = startedAtMs + options.forMs;
  let counted = fleet.acknowledgements.length;
  while (Date.now() < endMs) {
    await sleep(Math.min(PUTS_EVERY_MS, Math.max(1, endMs - Date.now())), undefined, { signal });
    const fresh = fleet.acknowledgements.slice(counted);
    counted += fresh.length;
    onEvent({ kind: 'puts', atMs: Date.now(), perRegion: countPerRegion(fresh), pending: fleet.pending() });
    if (scenario.expect.verdict === 'failover' && settled(stage, { faultAtMs, scenario })) break;
  }
  return faultAtMs;
}

/** Some time after the move, so that a flap right after it would still be seen. */
const WATCH_AFTER_MOVE_MS = 20_000;

function settled(
  { world, fleet, watching }: Stage,
  { faultAtMs, scenario }: { readonly faultAtMs: number; readonly scenario: Scenario },
): boolean {
  const { standby } = world.config.regions;
  const { groups, producers } = movingIn(world.config, scenario);
  if (!groups.every((group) => watching.switches.get(group) === 'STANDBY')) return false;
  const rto = rtoMs(fleet.acknowledgements, { faultAtMs, standby, producers });
  return rto !== null && Date.now() > faultAtMs + rto + SETTLED_WINDOW_MS + WATCH_AFTER_MOVE_MS;
}

export function countPerRegion(list: readonly { readonly region: string }[]): Record<string, number> {
  const groups = Map.groupBy(list, (ack) => ack.region);
  return Object.fromEntries([...groups].map(([region, acks]) => [region, acks.length]));
}
