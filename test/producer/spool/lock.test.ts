import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { SpoolLockedError } from '../../../lib/producer/spool/errors.ts';
import { isOwned, readOwner } from '../../../lib/producer/spool/lock.ts';
import { Spool } from '../../../lib/producer/spool/spool.ts';
import { entry, readTexts } from './entries.ts';

const program = fileURLToPath(new URL('owner-process.ts', import.meta.url));

let directory: string;
let children: ChildProcess[];

interface Answer {
  readonly owns: boolean;
  readonly ownerPid?: number;
  readonly message?: string;
}

/** A process that is about to open the spool. */
async function contender(): Promise<ChildProcess> {
  const child = fork(program, [directory]);
  children.push(child);
  await once(child, 'message');
  return child;
}

async function tryToOwn(child: ChildProcess): Promise<Answer> {
  const answered = once(child, 'message');
  child.send('go');
  const [answer] = await answered;
  return answer;
}

async function kill(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const exited = once(child, 'exit');
  child.kill('SIGKILL');
  await exited;
}

beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'spillway-lock-'));
  children = [];
});
afterEach(async () => {
  await Promise.all(children.map(kill));
  await rm(directory, { recursive: true, force: true });
});

describe('the owner of a spool', () => {
  it('keeps another process out, which is told whom to end', async () => {
    const owner = await contender();
    expect(await tryToOwn(owner)).toMatchObject({ owns: true });
    const other = await tryToOwn(await contender());
    expect(other).toMatchObject({ owns: false, ownerPid: owner.pid });
    expect(other.message).toMatch(`Process ${owner.pid} on `);
  });

  it('keeps another spool of the same process out', async () => {
    const spool = await Spool.open({ directory });
    await expect(Spool.open({ directory })).rejects.toThrow(SpoolLockedError);
    await spool.append([entry('a')]);
    await spool.close();
    const next = await Spool.open({ directory });
    expect(await readTexts(next)).toEqual(['a']);
    await next.close();
  });

  it('lets go when it is killed', async () => {
    const owner = await contender();
    await tryToOwn(owner);
    await kill(owner);
    const spool = await Spool.open({ directory });
    expect(await readOwner(directory)).toMatchObject({ pid: process.pid });
    await spool.close();
  });

  it('is seen by those who only look, and not in their way', async () => {
    expect(await isOwned(directory)).toBe(false);
    const spool = await Spool.open({ directory });
    expect(await isOwned(directory)).toBe(true);
    await spool.close();
    expect(await isOwned(directory)).toBe(false);
    const [opened] = await Promise.all([
      Spool.open({ directory }),
      ...Array.from({ length: 20 }, () => isOwned(directory)),
    ]);
    await opened?.close();
  });

  it('has exactly one successor, however many race for it', async () => {
    let owner = await contender();
    await tryToOwn(owner);
    for (let round = 0; round < 3; round++) {
      const rivals = await Promise.all(Array.from({ length: 4 }, contender));
      const killed = kill(owner);
      if (round > 0) await killed;
      const answers = await Promise.all(rivals.map(tryToOwn));
      await killed;
      const winners = rivals.filter((_, index) => answers[index]?.owns);
      expect(winners.length).toBe(1);
      owner = winners[0] as ChildProcess;
    }
  }, 30_000);
});
