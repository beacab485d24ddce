import { describe, expect, test } from 'vitest';
import type { JournalEntry } from '../../lambda/core/journal.ts';
import { historyScreen } from '../../lib/cli/history.ts';
import { lastRunEnd } from '../../lib/operate/run-end.ts';
import { statusOf } from '../../lib/operate/status.ts';
import { config, NOW_MS, read, readings } from './fixtures/readings.ts';

const entry = (what: string, after?: unknown): JournalEntry => ({
  atMs: NOW_MS,
  who: 'conductor for ada',
  what,
  why: 'inc-4711',
  epoch: 3,
  ...(after === undefined ? {} : { after }),
});
const report = { run: 'all-3', epoch: 3, startedAtMs: NOW_MS, latched: 0, findings: [] };
const command = 'spillway failover --all --reason "finish epoch 3"';
const stopped = entry('stopped: partly-latched', {
  ...report,
  state: 'partly-latched',
  findings: ['latch failed: StateUnavailableError: the table does not answer'],
  nextCommand: command,
});
const latched = entry('evacuate ends: latched', { ...report, state: 'latched' });
/** Newest first; the lines around a run's end say nothing of it. */
const around = (end: JournalEntry): readonly JournalEntry[] => [
  entry('notify', { untold: [] }),
  end,
  entry('refresh', { verdict: 'latch' }),
];
const findings = (journal: readonly JournalEntry[], epoch = 3) =>
  statusOf(config, readings({ state: { journal: read(journal), epoch: read(epoch) } })).findings;

describe('how the last run ended', () => {
  test('is read from the line that ended it', () => {
    expect(lastRunEnd(around(stopped))).toMatchObject({ state: 'partly-latched', stopped: true });
    expect(lastRunEnd(around(latched))).toMatchObject({ state: 'latched', stopped: false });
    expect(lastRunEnd([entry('notify')])).toBeUndefined();
  });

  test('is shown below the journal, in full and with the next command, when something is left to do', () => {
    const screen = historyScreen(around(stopped), 80);
    expect(screen.split('\n').slice(-3)).toEqual([
      'the last run, all-3, ended as partly-latched',
      '  latch failed: StateUnavailableError: the table does not answer',
      `next: ${command}`,
    ]);
    expect(historyScreen(around(latched), 80)).not.toContain('the last run');
  });

  test('is bad in the status while no newer act has begun', () => {
    const [first] = findings(around(stopped));
    expect(first).toEqual({
      level: 'bad',
      text: 'the last run (all-3) ended as partly-latched: latch failed: StateUnavailableError: the table does not answer',
      run: command,
    });
    const texts = (of: ReturnType<typeof findings>): readonly string[] => of.map(({ text }) => text);
    expect(texts(findings(around(stopped), 4)).join()).not.toContain('the last run');
    expect(texts(findings(around(latched))).join()).not.toContain('the last run');
  });
});
