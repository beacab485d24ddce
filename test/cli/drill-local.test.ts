import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { takePlace } from '../../lib/cli/drill-turn.ts';
import { processIo } from '../../lib/cli/io.ts';
import { controlPaths } from '../../lib/local/drill/control-protocol.ts';
import { startControlServer } from '../../lib/local/drill/control-server.ts';
import { RunRegister } from '../../lib/local/running/register.ts';
import type { RunEntry } from '../../lib/local/running/run-entry.ts';
import { startShell } from './fixtures/cli.ts';
import { command } from './fixtures/command.ts';

/** Whole processes, on a machine that may be busy. */
const TIMEOUT_MS = 90_000;

let directory: string;
let register: RunRegister;
beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'spillway-drill-local-'));
  register = new RunRegister(join(directory, 'register'));
});
afterEach(() => rm(directory, { recursive: true, force: true }));

/** Nothing listens there, so that a drill which is let begin fails at once. */
const gone = 'http://127.0.0.1:1';
const drill = (...flags: readonly string[]) =>
  command('/usr/bin/env', [
    `SPILLWAY_RUNNING_DIR=${join(directory, 'register')}`,
    `SPILLWAY_LOCALSTACK_URL=${gone}`,
    process.execPath,
    'bin/spillway.ts',
    'drill',
    ...flags,
  ]);

const other = (changes: Partial<RunEntry> = {}): Promise<{ leave(): Promise<void> }> =>
  register.enter({
    activity: 'drilling',
    pid: process.pid,
    birth: '',
    user: 'ana',
    sinceMs: Date.now() - 180_000,
    what: '2020-kinesis',
    runDirectory: '/runs/1',
    ...changes,
  });

describe('a flood', () => {
  it.each([
    ['--flood 0', /from 1 to 5000/],
    ['--flood 9000', /from 1 to 5000/],
    ['--flood-for 60s', /--flood-for belongs to --flood/],
    ['--flood 1000 --flood-for 1h', /at most 10 minutes/],
    ['--flood 1000 --failback', /leave --failback and --blackout out/],
    [
      '--flood 1000 --scenario 2020-kinesis',
      /2020-kinesis is expected to fail over.*choose a scenario that holds/,
    ],
  ])('that would show nothing is not begun: %s', async (flags, message) => {
    const shell = await startShell();
    try {
      const { exit, err } = await shell.run(`drill ${flags}`);
      expect(err).toMatch(message);
      expect(exit).toBe(2);
    } finally {
      await shell.close();
    }
  });
});

describe('a drill beside another one', { timeout: TIMEOUT_MS }, () => {
  it('is refused where nobody sees it wait: by whom, since when, and what to do', async () => {
    await other();
    const { status, out } = await drill('--json', '--for', '90s', '--seed', '7');
    expect(status).toBe(3);
    const reason = new RegExp(
      `another drill runs on this machine, and two at once .*: pid ${process.pid} of ana, 2020-kinesis, since .* \\(3m\\), run folder /runs/1`,
    );
    expect(JSON.parse(out)).toMatchObject({
      ok: false,
      exit: 3,
      error: {
        name: 'RefusedError',
        refusals: [{ rule: 'other-drill', reason: expect.stringMatching(reason) }],
      },
      nextCommand: 'spillway drill --scenario 2020-kinesis --for 1m30s --seed 7 --wait-for-other 15m',
    });
    expect(await register.running()).toHaveLength(1);
  });

  it('waits as long as it was told to, and says so', async () => {
    await other();
    const startedMs = performance.now();
    const { status, out, said } = await drill('--wait-for-other', '3s');
    expect(performance.now() - startedMs).toBeGreaterThan(3_000);
    expect(status).toBe(3);
    expect(out).toBe('');
    expect(said).toMatch(
      /so this one waits[\s\S]*waiting for pid \d+; less than a minute left[\s\S]*Refused: .*\nnext: .* --wait-for-other 15m\n/,
    );
  });

  it('begins when the other one ends, and a failure then says what to do, in one document', async () => {
    const one = await other();
    const ended = drill('--json', '--seed', '7', '--wait-for-other', '1m');
    await expect
      .poll(async () => (await register.running()).length, { timeout: TIMEOUT_MS, interval: 20 })
      .toBe(2);
    await one.leave();
    const { status, out } = await ended;
    expect(status).toBe(1);
    expect(JSON.parse(out)).toMatchObject({
      ok: false,
      exit: 1,
      error: { name: 'LocalStackStartError', message: expect.stringMatching(/No LocalStack answers/) },
      runDirectory: expect.stringContaining('.spillway/runs/'),
      lookAt: [],
      nextCommand: 'spillway local',
    });
  });

  it('begins at once when it is to begin anyway, and trusts no timing', async () => {
    await other();
    const { status, out, said } = await drill('--anyway', '--seed', '7');
    expect(status).toBe(1);
    expect(out).toMatch(/runs beside this one .*: timings cannot be trusted/);
    expect(said).toMatch(
      /^error No LocalStack answers[\s\S]*\nnext: spillway drill --scenario 2020-kinesis --seed 7\n.*once more, alone/,
    );
    expect(await register.running()).toHaveLength(1);
  });
});

describe('the place of a drill', () => {
  const take = async (env: Readonly<Record<string, string>> = {}) => {
    const notes: string[] = [];
    const place = await takePlace({
      io: { ...processIo(), env: { SPILLWAY_RUNNING_DIR: join(directory, 'register'), ...env } },
      scenario: '2020-kinesis',
      startedAtMs: Date.now(),
      waitMs: 0,
      anyway: false,
      note: (text) => notes.push(text),
      signal: new AbortController().signal,
    });
    return { place, notes };
  };
  const activities = async () => (await register.running()).map(({ activity }) => activity);

  it('is free beside a kept world and a LocalStack, and names them', async () => {
    await other({ activity: 'kept' });
    await other({ activity: 'localstack', what: gone });
    const { place, notes } = await take();
    expect(notes).toEqual([
      expect.stringMatching(
        /^a kept world stands on this machine \(pid \d+ of ana.*\) and uses part of its capacity$/,
      ),
      expect.stringMatching(/^a LocalStack stands on this machine/),
    ]);
    await place.leave();
    expect((await take({ SPILLWAY_LOCALSTACK_URL: gone })).notes).toHaveLength(1);
  });

  it('is left to the next one as soon as the world is kept, and is gone when it leaves', async () => {
    const { place } = await take();
    expect(await activities()).toEqual(['drilling']);
    await expect(take()).rejects.toThrow(/--wait-for-other 15m, or begin beside it with --anyway/);
    await place.keep();
    const next = await take();
    expect(await activities()).toEqual(['kept', 'drilling']);
    await Promise.all([place.leave(), next.place.leave()]);
    expect(await activities()).toEqual([]);
  });

  it('is taken though the register cannot be used, and that is said', async () => {
    await writeFile(join(directory, 'register'), '');
    const { place, notes } = await take();
    expect(notes).toEqual([expect.stringMatching(/whether another drill runs on this machine is not known/)]);
    await place.keep();
    await place.leave();
  });
});

describe('a kept world', () => {
  const zone = { id: 'ZLOCAL', name: 'shop.example.com' };
  const line = { text: 'primary kinesis PutRecord: error, 100 %', sinceMs: 1_000, untilMs: 90_000 };

  async function kept(held: boolean) {
    const asked: string[] = [];
    const server = await startControlServer({
      [controlPaths.end]: (by) => {
        asked.push(`end ${by}`);
        const failback = { held, recoveryMs: 30_000, earliestMs: 35_000 };
        return { atMs: 5_000, ended: [line], cancelled: [], failback };
      },
      [controlPaths.begin]: (by) => {
        asked.push(`begin ${by}`);
        return { atMs: 5_000, inForce: [], toCome: [line] };
      },
    });
    const file = join(directory, 'world.json');
    const { url, token } = server;
    const facts = { localStackUrl: gone, dnsServer: '127.0.0.1:5399', zone, control: { url, token } };
    await writeFile(file, JSON.stringify(facts));
    return { file, asked, close: () => server.close() };
  }

  it('ends its faults on demand: which, and from when a failback is possible', async () => {
    const { file, asked, close } = await kept(true);
    const shell = await startShell();
    try {
      const { exit, out } = await shell.run(['drill', 'end-faults', '--world', file]);
      expect(exit).toBe(0);
      expect(out).toMatch(/this fault is ended:\n {2}primary kinesis PutRecord: error, 100 %/);
      expect(out).toMatch(
        /A failback is possible from 1970-01-01T00:00:35.000Z at the earliest.* healthy for 30s/,
      );
      const next = `spillway failback --all --pause 50s --world ${file} --reason rehearsal`;
      expect(out).toContain(`next: ${next}`);
      const { json } = await shell.run(['drill', 'end-faults', '--json', '--world', file]);
      expect(json).toMatchObject({ ok: true, ended: [line], failback: { held: true }, nextCommand: next });
      expect(asked).toHaveLength(2);
    } finally {
      await Promise.all([close(), shell.close()]);
    }
  });

  it('has nothing to fail back where no switch was held', async () => {
    const { file, close } = await kept(false);
    const shell = await startShell();
    try {
      const { out } = await shell.run(['drill', 'end-faults', '--world', file]);
      expect(out).toMatch(/there is nothing to fail back[\s\S]*next: spillway status/);
    } finally {
      await Promise.all([close(), shell.close()]);
    }
  });

  it('plays its faults again, and one that is gone says so', async () => {
    const { file, asked, close } = await kept(true);
    const shell = await startShell();
    try {
      const { exit, out } = await shell.run(['drill', 'begin-faults', '--world', file]);
      expect(exit).toBe(0);
      expect(out).toMatch(/begins again\.\n {2}primary kinesis PutRecord.*, from 1970/);
      expect(asked[0]).toMatch(/^begin /);
      await close();
      const after = await shell.run(['drill', 'begin-faults', '--json', '--world', file]);
      expect(after.exit).toBe(1);
      expect(after.json).toMatchObject({ ok: false, error: { name: 'UnansweredError' } });
    } finally {
      await shell.close();
    }
  });

  it.each([
    ['drill --local end-faults', /--local stands before end-faults/],
    ['drill end-faults --world a --local', /cannot be used with option '--local'/],
    ['drill end-faults now', /too many arguments/],
  ])('is not guessed: %s', async (line, message) => {
    const shell = await startShell();
    try {
      const { exit, err } = await shell.run(line);
      expect(exit).toBe(2);
      expect(err).toMatch(message);
    } finally {
      await shell.close();
    }
  });
});
