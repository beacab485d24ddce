import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, it, onTestFinished } from 'vitest';
import type { ConfigInput } from '../../lib/config/schema.ts';
import { deploymentBefore, deploymentChanges } from '../../lib/deployments/changes.ts';
import { DRILL_TIMEOUT_MS, startDrill } from './fixtures/drill.ts';

const rowOf = (name: string): ConfigInput => {
  const row = deploymentChanges.find((each) => each.name === name);
  if (row === undefined) throw new Error(`no row ${name}`);
  return row.after;
};

/** One row of docs/deployments.md; `npm run drill:upgrades` plays them all. */
it(
  'a deployment that would bring traffic back to the primary is refused, and no answer changes',
  async () => {
    const directory = await mkdtemp(join(tmpdir(), 'spillway-upgrade-'));
    onTestFinished(() => rm(directory, { recursive: true, force: true }));
    const [before, after] = [join(directory, 'before.json'), join(directory, 'after.json')];
    await writeFile(before, JSON.stringify(deploymentBefore));
    await writeFile(after, JSON.stringify(rowOf('regroup-new')));
    const { status, last, said } = await startDrill('--config', before, '--upgrade', after, '--evacuated')
      .ended;
    expect(status, said).toBe(0);
    expect(JSON.parse(last)).toMatchObject({
      verdict: 'refused',
      evacuated: true,
      changes: [],
      reason: expect.stringMatching(/cell clicks would go from the switch of clicks, which is at STANDBY/),
    });
  },
  DRILL_TIMEOUT_MS,
);
