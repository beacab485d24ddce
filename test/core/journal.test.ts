import { expect, it } from 'vitest';
import { drillEntry } from '../../lambda/core/journal.ts';

const drill = { atMs: 1, who: 'drill', subject: '2024-kinesis', lost: 0 };

it.each([
  [true, 20_495, '2024-kinesis passed: RTO 20.5 s, 0 lost'],
  [true, null, '2024-kinesis passed: traffic stayed, as it should, 0 lost'],
  [false, null, '2024-kinesis failed: traffic never settled in the standby, 0 lost'],
])('a drill that is ok: %s, with an RTO of %s ms, is told in a line', (ok, rtoMs, why) => {
  expect(drillEntry({ ...drill, ok, rtoMs }).why).toBe(why);
});
