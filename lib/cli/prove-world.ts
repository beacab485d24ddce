import { randomInt } from 'node:crypto';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { uniformFloat64 } from 'pure-rand/distribution/uniformFloat64';
import { xoroshiro128plus } from 'pure-rand/generator/xoroshiro128plus';
import { loadConfig } from '../config/load.ts';
import { workDirectory } from '../files/own-files.ts';
import type { DrillError } from '../local/drill/errors.ts';
import { ready } from '../local/drill/rest.ts';
import { watch } from '../local/drill/watch.ts';
import { startObservers } from '../local/drill/wiring.ts';
import { startWorld } from '../local/drill/world.ts';
import { createRunDirectory } from '../local/run-directory.ts';
import { NoWorldError } from '../operate/errors.ts';
import { findWorld, WORLD_FILE } from '../operate/world.ts';
import { takePlace } from './drill-turn.ts';
import { interruption } from './interruption.ts';
import type { Io } from './io.ts';

/** Whether the one local world that `--local` means has to be built first. */
export async function isWithoutWorld(): Promise<boolean> {
  try {
    await findWorld(workDirectory());
    return false;
  } catch (error) {
    return error instanceof NoWorldError;
  }
}

/**
 * Builds a whole world on this machine, as a drill does and without an outage, has something done with the file that
 * describes the world, and takes the world down.
 */
export async function inOwnWorld<Result>(
  io: Io,
  {
    config: file,
    act,
  }: { readonly config?: string | undefined; readonly act: (worldFile: string) => Promise<Result> },
): Promise<Result> {
  const config = await loadConfig({ directory: io.directory, ...(file === undefined ? {} : { file }) });
  const startedAtMs = Date.now();
  const interrupted = interruption(() => io.err('interrupted: taking the local world down'), {
    unread: io.unread,
  });
  const death = new AbortController();
  const signal = AbortSignal.any([interrupted.signal, death.signal]);
  const place = await takePlace({
    ...{ io, scenario: 'prove', startedAtMs, waitMs: undefined, anyway: false, signal },
    note: (text) => io.err(`note ${text}`),
  });
  try {
    const directory = await createRunDirectory(workDirectory(), startedAtMs, process.pid);
    await place.own?.update({ runDirectory: directory });
    const seed = randomInt(2 ** 31);
    const generator = xoroshiro128plus(seed);
    const say = (text: string): void => io.err(`${seconds(startedAtMs)}  ${text}`);
    say(`no local world is running, so one is built for this; seed ${seed}; logs in ${directory}`);
    const world = await startWorld({
      ...{ config, directory, signal, onProgress: say },
      random: () => uniformFloat64(generator),
      onEvent: () => {},
      onDeath: (error: DrillError) => death.abort(error),
    });
    const watching = watch({ ...world, dnsServer: world.dataPlane.dnsServer, onEvent: () => {} });
    try {
      await startObservers(world.clients, { config: world.config, signal });
      await ready(world, watching, { onProgress: say, signal });
      const worldFile = join(directory, WORLD_FILE);
      const { localStack, dataPlane } = world;
      const facts = {
        localStackUrl: localStack.url,
        dnsServer: dataPlane.dnsServer,
        zone: world.config.zone,
      };
      await writeFile(worldFile, `${JSON.stringify(facts, null, 2)}\n`);
      return await act(worldFile);
    } finally {
      await watching.stop();
      await world.close();
    }
  } catch (error) {
    if (signal.aborted) throw signal.reason;
    throw error;
  } finally {
    await place.leave();
    interrupted.dispose();
  }
}

const seconds = (sinceMs: number): string => `${((Date.now() - sinceMs) / 1_000).toFixed(1).padStart(6)} s`;
