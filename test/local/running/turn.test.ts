import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { OtherDrillError } from '../../../lib/local/running/errors.ts';
import { RunRegister } from '../../../lib/local/running/register.ts';
import type { RunEntry } from '../../../lib/local/running/run-entry.ts';
import { type TurnOptions, takeTurn, watchBeside } from '../../../lib/local/running/turn.ts';

/** On a machine that may be busy. */
const TIMEOUT_MS = 60_000;

let directory: string;
let register: RunRegister;
beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'spillway-turn-'));
  register = new RunRegister(directory);
});
afterEach(() => rm(directory, { recursive: true, force: true }));

const entry: Omit<RunEntry, 'activity'> = {
  pid: process.pid,
  birth: '',
  user: 'ana',
  sinceMs: 1_000,
  what: '2020-kinesis',
};

const turn = (changes: Partial<TurnOptions> = {}) =>
  takeTurn({
    register,
    entry,
    waitMs: TIMEOUT_MS,
    anyway: false,
    onWaiting: () => {},
    everyMs: 20,
    signal: new AbortController().signal,
    ...changes,
  });

describe('the turn of a drill', { timeout: TIMEOUT_MS }, () => {
  it('comes at once where nobody drills, though a kept world and a LocalStack stand', async () => {
    await register.enter({ ...entry, activity: 'kept' });
    await register.enter({ ...entry, activity: 'localstack' });
    const { beside, idle } = await turn({ waitMs: 0 });
    expect(beside).toEqual([]);
    expect(idle.map(({ activity }) => activity)).toEqual(['kept', 'localstack']);
  });

  it('is one at a time, in the order in which they came, however many come at once', async () => {
    const [running, ended]: [number[], number[]] = [[], []];
    let most = 0;
    await Promise.all(
      Array.from({ length: 4 }, async () => {
        const { own } = await turn();
        running.push(own.ticket);
        most = Math.max(most, running.length);
        await new Promise((done) => setTimeout(done, 20));
        running.pop();
        ended.push(own.ticket);
        await own.leave();
      }),
    );
    expect(most).toBe(1);
    expect(ended).toEqual(ended.toSorted((a, b) => a - b));
  });

  it('is refused when the other one goes on for longer, with who it is, and its place is free again', async () => {
    const other = await register.enter({ ...entry, activity: 'drilling', runDirectory: '/runs/1' });
    const refused = turn({ waitMs: 30 });
    await expect(refused).rejects.toThrow(OtherDrillError);
    await expect(refused).rejects.toMatchObject({ others: [{ pid: process.pid, runDirectory: '/runs/1' }] });
    expect((await register.running()).map(({ ticket }) => ticket)).toEqual([other.ticket]);
  });

  it('comes when the other one is kept, or ends', async () => {
    const other = await register.enter({ ...entry, activity: 'drilling' });
    const waiting = turn({ onWaiting: () => void other.update({ activity: 'kept' }) });
    expect((await waiting).idle.map(({ ticket }) => ticket)).toEqual([other.ticket]);
  });

  it('comes at once to one that begins anyway; the next one waits for it', async () => {
    await register.enter({ ...entry, activity: 'drilling' });
    const { own, beside } = await turn({ anyway: true, waitMs: 0 });
    expect(beside).toHaveLength(1);
    await expect(turn({ waitMs: 0 })).rejects.toMatchObject({ others: [{}, { ticket: own.ticket }] });
  });

  it('is given up by an abort', async () => {
    await register.enter({ ...entry, activity: 'drilling' });
    const aborted = new AbortController();
    const waiting = turn({ onWaiting: () => aborted.abort(new Error('Ctrl-C')), signal: aborted.signal });
    await expect(waiting).rejects.toThrow();
    expect(await register.running()).toHaveLength(1);
  });

  it('hears once of each drill that begins beside it, and not of one that waits', async () => {
    const { own } = await turn();
    await register.enter({ ...entry, activity: 'waiting' });
    const heard: number[] = [];
    const stop = watchBeside(register, {
      own,
      beside: [],
      everyMs: 5,
      onBeside: ({ ticket }) => heard.push(ticket),
    });
    const one = await register.enter({ ...entry, activity: 'drilling' });
    await expect.poll(() => heard, { timeout: TIMEOUT_MS }).toEqual([one.ticket]);
    const two = await register.enter({ ...entry, activity: 'drilling' });
    await expect.poll(() => heard, { timeout: TIMEOUT_MS }).toEqual([one.ticket, two.ticket]);
    stop();
  });
});
