import { expect, it } from 'vitest';
import { drillEntry, drillId, journalSchema } from '../../lambda/core/journal.ts';

it('a drill leaves a line that says in words and in figures how it went', () => {
  const entry = drillEntry({
    atMs: 5,
    who: 'ada',
    subject: '2020-kinesis',
    ok: true,
    rtoMs: 41_230,
    lost: 0,
    epoch: 7,
  });
  expect(journalSchema.parse(entry)).toEqual({
    atMs: 5,
    who: 'ada',
    what: 'drill',
    why: '2020-kinesis passed: RTO 41.2 s, 0 lost',
    epoch: 7,
    after: { subject: '2020-kinesis', ok: true, rtoMs: 41_230, lost: 0 },
  });
});

it('a drill that failed says so, also when traffic never moved', () => {
  const entry = drillEntry({ atMs: 5, who: 'schedule', subject: 'cell drill', ok: false, rtoMs: null });
  expect(entry).toMatchObject({
    why: 'cell drill failed: traffic never settled in the standby',
    after: { ok: false },
  });
  expect(drillId('r1')).not.toBe(drillId('r2'));
});
