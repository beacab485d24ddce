import { randomInt } from 'node:crypto';
import { basename } from 'node:path';
import { uniformFloat64 } from 'pure-rand/distribution/uniformFloat64';
import { xoroshiro128plus } from 'pure-rand/generator/xoroshiro128plus';
import { loadConfig } from '../config/load.ts';
import { workDirectory } from '../files/own-files.ts';
import { createRunDirectory } from '../local/run-directory.ts';
import { drillUpgrades, type UpgradeResult } from '../local/upgrade/upgrade.ts';
import { exitCodes } from '../shell/exit-codes.ts';
import { colors } from './colors.ts';
import type { DrillFlags } from './drill-flags.ts';
import { takePlace } from './drill-turn.ts';
import { interruption } from './interruption.ts';
import type { Io } from './io.ts';
import type { End } from './verb.ts';

/**
 * `spillway drill --upgrade FILE`: deploys a second config in a whole world on this machine while producers
 * run, and says what that did to DNS.
 */
export async function drillUpgrade(io: Io, flags: DrillFlags & { readonly upgrade: string }): Promise<End> {
  const write = flags.json ? io.err : io.out;
  const before = await loadConfig({
    directory: io.directory,
    ...(flags.config === undefined ? {} : { file: flags.config }),
  });
  const after = await loadConfig({ directory: io.directory, file: flags.upgrade });
  const seed = flags.seed ?? randomInt(2 ** 31);
  const generator = xoroshiro128plus(seed);
  const interrupted = interruption(
    () => write('interrupted: taking everything down (Ctrl-C again ends immediately)'),
    { unread: io.unread },
  );
  const { signal } = interrupted;
  const startedAtMs = Date.now();
  const name = basename(flags.upgrade);
  try {
    const place = await takePlace({
      io,
      scenario: `upgrade to ${name}`,
      startedAtMs,
      waitMs: flags.waitForOther,
      anyway: flags.anyway === true,
      note: (text) => write(`${colors.yellow('note')} ${text}`),
      signal,
    });
    try {
      const directory = await createRunDirectory(workDirectory(), startedAtMs, process.pid);
      await place.own?.update({ runDirectory: directory });
      write(`upgrade to ${name}; seed ${seed}; logs in ${directory}`);
      const evacuated = flags.evacuated === true;
      const [result] = await drillUpgrades({
        config: before,
        steps: [{ name, config: after }],
        evacuated,
        directory,
        random: () => uniformFloat64(generator),
        onEvent: () => {},
        onProgress: (text) =>
          write(`${((Date.now() - startedAtMs) / 1_000).toFixed(1).padStart(6)} s  ${text}`),
        onResult: () => {},
        signal,
      });
      if (result === undefined) throw new Error('a drill of one deployment ended without its result');
      return endOf(result, { evacuated, seed, runDirectory: directory });
    } finally {
      await place.leave();
    }
  } catch (error) {
    if (signal.aborted) throw signal.reason;
    throw error;
  } finally {
    interrupted.dispose();
  }
}

const meanings = {
  held: 'no answer changed',
  asked: 'answers changed as the config asks, and no name changed its region',
  refused: 'the deployment was refused, and no answer changed',
  moved: 'a name changed its region',
  failed: 'the deployment failed',
} as const satisfies Record<UpgradeResult['verdict'], string>;

function endOf(
  result: UpgradeResult,
  more: { readonly evacuated: boolean; readonly seed: number; readonly runDirectory: string },
): End {
  const ok = result.verdict !== 'moved' && result.verdict !== 'failed';
  const changes = result.changes.map(({ name, type, from, to, afterMs }) => ({
    name,
    type,
    from,
    to,
    afterMs,
  }));
  const lines = [
    `${ok ? colors.green('ok') : colors.red('failed')}: ${meanings[result.verdict]}; deployed in ${(result.deployMs / 1_000).toFixed(1)} s`,
    ...changes.map(
      ({ name, type, from, to, afterMs }) =>
        `  +${(afterMs / 1_000).toFixed(1)} s ${name} ${type}: ${from} -> ${to}`,
    ),
    ...(result.reason === undefined ? [] : [result.reason]),
  ];
  return {
    exit: ok ? exitCodes.done : exitCodes.failed,
    document: {
      upgrade: result.name,
      verdict: result.verdict,
      ok,
      ...more,
      deployMs: result.deployMs,
      changes,
      ...(result.reason === undefined ? {} : { reason: result.reason }),
    },
    screen: lines.join('\n'),
  };
}
