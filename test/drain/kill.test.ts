import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { text } from 'node:stream/consumers';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import type { DrainPlan } from '../../lib/drain/plan.ts';
import { putAll } from './fixtures/kinesis.ts';
import { drainWorld, expectAll, numbered } from './fixtures/world.ts';

const world = drainWorld();
const drainProcess = fileURLToPath(new URL('fixtures/drain-process.ts', import.meta.url));

describe('a drain that is killed', () => {
  const start = (same: DrainPlan): ChildProcess =>
    spawn(process.execPath, [drainProcess, world.tap.url, world.checkpointFile, JSON.stringify(same)], {
      stdio: ['ignore', 'pipe', 'inherit'],
    });

  it('between a write and its checkpoint copies nothing twice', async () => {
    const all = [...numbered(0, 20), ...numbered(0, 20)];
    await putAll(world.east, world.stream, all);
    const same = await world.plan();
    const child = start(same);
    world.tap.after = ({ operation, number }) => {
      if (operation !== 'PutRecords' || number !== 3) return 'pass';
      child.kill('SIGKILL');
      return 'drop';
    };
    expect(await once(child, 'exit')).toEqual([null, 'SIGKILL']);
    world.tap.after = () => 'pass';
    const before = (await world.copies()).length;
    expect(before).toBeGreaterThan(0);
    const report = await world.run({ plan: same });
    expect(report).toMatchObject({ resumed: true, counts: { read: 40 } });
    expect(report.counts.alreadyThere).toBeGreaterThan(0);
    expectAll(await world.copies(), all);
  });

  it('at any call, again and again, loses and doubles nothing and keeps the order of each key', async () => {
    const all = Array.from({ length: 30 }, (_, n) => [`k${n % 3}`, `${n % 4}`] as const);
    await putAll(world.east, world.stream, all);
    const same = await world.plan();
    let kills = 0;
    for (let life = 1; life < 20; life++) {
      const child = start(same);
      const killAt = world.tap.calls.length + 8 + 3 * life;
      const kill = (): 'drop' | 'pass' => {
        if (world.tap.calls.length < killAt) return 'pass';
        child.kill('SIGKILL');
        return 'drop';
      };
      if (life % 2 === 0) world.tap.before = kill;
      else world.tap.after = kill;
      const [output, [code]] = await Promise.all([text(child.stdout as never), once(child, 'exit')]);
      world.tap.before = () => 'pass';
      world.tap.after = () => 'pass';
      if (code === 0) {
        expect(JSON.parse(output)).toMatchObject({ resumed: true, counts: { read: 30 } });
        break;
      }
      kills++;
    }
    expect(kills).toBeGreaterThan(2);
    await expect(world.run({ plan: same })).resolves.toMatchObject({ alreadyDone: true });
    expectAll(await world.copies(), all);
  }, 40_000);
});
