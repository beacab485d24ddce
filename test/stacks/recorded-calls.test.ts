import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { parseConfig } from '../../lib/config/parse.ts';
import { parseCalls } from '../../lib/operate/audit.ts';
import { isWho } from '../../lib/operate/audit-rules.ts';
import { deployedFrom } from '../permissions/deployed.ts';
import { judgeRecord } from '../permissions/drill-record.ts';
import { evaluate } from '../permissions/evaluate.ts';
import { LOCAL_ACCOUNT as account, sealedConfig } from '../permissions/sealed-config.ts';
import { synthesised } from '../permissions/synthesised.ts';

/** What a drill recorded; `test/localstack/drill.test.ts` judges a new one. `scripts/recorded-calls.ts` renews it. */
const file = 'test/permissions/recorded-calls.jsonl';
const calls = parseCalls(readFileSync(file, 'utf8'), file);
/** The consumers' role is the application's own. */
const ours = calls.filter((call) => !isWho(call, 'consumer'));
const config = parseConfig(sealedConfig, 'test');

describe('the calls of a drill', () => {
  it('are allowed by the roles as they are now, and by the policies of producers', async () => {
    const deployed = deployedFrom(synthesised({ config, account }), account);
    const { denied, judged, keys } = await evaluate(ours, { config, account, deployed });
    expect(denied).toEqual([]);
    expect(judged).toBeGreaterThan(100);
    expect(keys).toBeGreaterThan(5);
  });

  it('are all that the tables of rights ask a drill to show', () => {
    expect(judgeRecord(calls, config, account)).toEqual({ unforeseen: [], unseen: [] });
  });

  it('would be denied without the right', async () => {
    const deployed = deployedFrom(synthesised({ config, account }), account);
    const roles = deployed.roles.map((role) => ({
      ...role,
      policies: role.policies.map((policy) => ({
        ...policy,
        Statement: policy.Statement.filter(
          ({ Action }) => ![Action].flat().includes('states:StartExecution'),
        ),
      })),
    }));
    const { denied } = await evaluate(ours, { config, account, deployed: { ...deployed, roles } });
    expect(denied).toEqual([
      expect.stringMatching(/^observer us-west-2 states:StartExecution on .*conductor$/),
    ]);
  });
});
