import { randomUUID } from 'node:crypto';
import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Scenario } from '../../scenario/schema.ts';
import { controlPaths, type EndedAnswer } from './control-protocol.ts';
import { type ControlServer, startControlServer } from './control-server.ts';
import type { Acknowledgement, DrillEvent } from './events.ts';
import { FaultControl, type FaultsBegun } from './fault-control.ts';
import { startFleet } from './fleet.ts';
import { countPerRegion } from './play.ts';
import { type Watching, watch } from './watch.ts';
import type { World } from './world.ts';

export interface KeptOptions {
  readonly world: World;
  /** The scenario as it was played: t = 0 is when it began. */
  readonly scenario: Scenario;
  /** Undefined when the scenario's faults have been ended already, for example by a failback. */
  readonly playingSinceMs: number | undefined;
  readonly directory: string;
  readonly onEvent: (event: DrillEvent) => void;
  /** Called once when everything runs again. */
  readonly onReady: (kept: Kept) => Promise<void>;
  readonly signal: AbortSignal;
}

/**
 * A world after its drill, in which faults, observers and producers keep running, so that a failback can be
 * rehearsed.
 */
export interface Kept {
  readonly control: Pick<ControlServer, 'url' | 'token'>;
  readonly faults: FaultControl;
  endFaults(by: string): EndedAnswer;
  beginFaults(by: string): FaultsBegun;
}

/** Three producers at this pace show where traffic goes, and an in-memory stream can hold a day of it. */
const PUT_EVERY_MS = 1_000;
const LOOK_EVERY_MS = 1_000;

/** Keeps the world running until the abort, whose reason it throws. */
export async function standKept(options: KeptOptions): Promise<never> {
  const { world, onEvent, signal } = options;
  const note = (text: string): void => onEvent({ kind: 'note', atMs: Date.now(), text });
  const directory = join(options.directory, 'kept');
  await mkdir(directory, { recursive: true });
  // Hours of calls would fill the memory, and the audit of the drill is complete.
  world.calls.end();
  const faults = new FaultControl({ ...options, proxy: world.proxy, now: Date.now });
  const watching = watch({ ...world, dnsServer: world.dataPlane.dnsServer, onEvent });
  const fleet = startFleet(world, {
    run: randomUUID().slice(0, 8),
    directory,
    putEveryMs: PUT_EVERY_MS,
    onDeath: (error) => note(error.message),
  });
  const endFaults = (by: string): EndedAnswer => endedBy(by, { world, watching, faults });
  const beginFaults = (by: string): FaultsBegun => faults.begin(by);
  let control: ControlServer | undefined;
  try {
    control = await startControlServer({
      [controlPaths.end]: endFaults,
      [controlPaths.begin]: beginFaults,
    });
    await options.onReady({ control, faults, endFaults, beginFaults });
    const traffic = new Traffic(onEvent);
    for (;;) {
      await sleep(LOOK_EVERY_MS, undefined, { signal });
      faults.tell();
      traffic.saw(fleet.takeAcknowledgements(), { pending: fleet.pending(), atMs: Date.now() });
    }
  } finally {
    await control?.close();
    fleet.kill();
    await watching.stop();
  }
}

function endedBy(
  by: string,
  {
    world: { config },
    watching,
    faults,
  }: { readonly world: World; readonly watching: Watching; readonly faults: FaultControl },
): EndedAnswer {
  const { atMs, ended, cancelled } = faults.end(by);
  const { recoveryMs } = config.policy;
  return {
    atMs,
    ended: [...ended],
    cancelled: [...cancelled],
    failback: {
      held: [...watching.switches.values()].includes('STANDBY'),
      recoveryMs,
      earliestMs: atMs + recoveryMs,
    },
  };
}

const WINDOW_MS = 5_000;
/** A smaller share of records that take another path is not reported. */
const SHARE_SHOWN = 0.1;

/** Reports where producers write, only when that has changed. */
export class Traffic {
  readonly #onEvent: (event: DrillEvent) => void;
  #window: Acknowledgement[] = [];
  #sinceMs: number | undefined;
  #told: string | undefined;

  constructor(onEvent: (event: DrillEvent) => void) {
    this.#onEvent = onEvent;
  }

  saw(
    fresh: readonly Acknowledgement[],
    { pending, atMs }: { readonly pending: number; readonly atMs: number },
  ): void {
    this.#sinceMs ??= atMs;
    this.#window.push(...fresh);
    if (atMs - this.#sinceMs < WINDOW_MS) return;
    const perRegion = countPerRegion(this.#window);
    const least = SHARE_SHOWN * this.#window.length;
    const shown = Object.entries(perRegion).filter(([, count]) => count >= least);
    const picture = shown
      .map(([region]) => region)
      .toSorted()
      .join(' ');
    this.#window = [];
    this.#sinceMs = atMs;
    if (picture === this.#told) return;
    this.#told = picture;
    this.#onEvent({ kind: 'puts', atMs, perRegion, pending });
  }
}
