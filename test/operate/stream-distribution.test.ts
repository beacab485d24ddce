import { describe, expect, it } from 'vitest';
import { distributionFindings } from '../../lib/operate/doctor/stream-distribution.ts';
import { canaryFindings } from '../../lib/operate/doctor/streams.ts';

const regions = { primary: 'us-east-1', standby: 'us-west-2' };
const byKey = { distribution: 'byKey' } as const;
const managed = { distribution: 'serviceManaged' } as const;
const findings = (primary: typeof byKey | typeof managed | string, standby: typeof primary) =>
  distributionFindings({ cell: 'orders', regions, primary, standby });

describe('streams with service-managed distribution', () => {
  it('are a hint where both regions have it: producers must know', () => {
    expect(findings(managed, managed)).toMatchObject([
      { ok: true, fix: expect.stringContaining("order: 'none'") },
    ]);
  });

  it('are a fault in one region alone, with the command that mends it', () => {
    expect(findings(byKey, managed)).toMatchObject([
      {
        ok: false,
        finding: expect.stringMatching(
          /us-east-1 keeps keys together, the one in us-west-2 .*no order per key/,
        ),
        fix: expect.stringMatching(/--region us-west-2 .*USER_PARTITION_KEY/),
      },
    ]);
    expect(findings(managed, byKey)).toMatchObject([
      {
        ok: false,
        finding: expect.stringMatching(/without a key would be refused after a failover/),
        fix: expect.stringMatching(/--region us-east-1 .*AUTO for us-west-2/),
      },
    ]);
  });

  it('are nobody’s concern where keys place the records, or nothing is known', () => {
    expect([...findings(byKey, byKey), ...findings('missing', byKey), ...findings(byKey, 'missing')]).toEqual(
      [],
    );
  });

  it('make no canary: each record of an observer is for one shard', () => {
    const canary = { role: 'standby', region: 'us-west-2', name: 'shop-canary' } as const;
    expect(canaryFindings({ ...canary, facts: { shards: 4, distribution: 'serviceManaged' } })).toMatchObject(
      [{ ok: false, fix: expect.stringMatching(/--region us-west-2 .*USER_PARTITION_KEY/) }],
    );
  });
});
