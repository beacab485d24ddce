import { describe, expect, it } from 'vitest';
import { formatSignal } from '../../../lambda/core/signal.ts';
import { parseConfig } from '../../../lib/config/parse.ts';
import type { ConfigInput } from '../../../lib/config/schema.ts';
import { deploymentBefore } from '../../../lib/deployments/changes.ts';
import {
  type AnswerChange,
  keyOf,
  NO_ANSWER,
  namesOf,
  roleOfAnswer,
} from '../../../lib/local/upgrade/answers.ts';
import { judgeUpgrade } from '../../../lib/local/upgrade/verdict.ts';

const input: ConfigInput = deploymentBefore;
const before = parseConfig(input, 'before');
const signal = { name: 'signal.clicks.example.com', type: 'TXT' } as const;
const api = { name: 'api.orders.example.com', type: 'A' } as const;
const primary = formatSignal({ region: 'us-east-1', stream: 'clicks' });
const standby = formatSignal({ region: 'us-west-2', stream: 'clicks' });
const change = (of: typeof signal | typeof api, from: string, to: string): AnswerChange => ({
  ...of,
  from,
  to,
  atMs: 0,
});
const judge = (
  changes: readonly AnswerChange[],
  more: { readonly after?: ConfigInput; readonly reason?: string; readonly baseline?: string } = {},
) =>
  judgeUpgrade({
    before,
    after: parseConfig(more.after ?? input, 'after'),
    baseline: new Map([
      [keyOf(signal), more.baseline ?? primary],
      [keyOf(api), '192.0.2.10'],
    ]),
    changes,
    reason: more.reason,
  });

describe('the verdict on a deployment', () => {
  it('reads the region of every kind of answer', () => {
    expect(roleOfAnswer([before], signal, primary)).toBe('primary');
    expect(roleOfAnswer([before], signal, standby)).toBe('standby');
    expect(roleOfAnswer([before], api, '198.51.100.10')).toBe('standby');
    expect(roleOfAnswer([before], api, '203.0.113.1')).toBeUndefined();
    const ofRegion = { name: 'region.spillway.example.com', type: 'TXT' } as const;
    expect(roleOfAnswer([before], ofRegion, 'v=1; region=us-west-2')).toBe('standby');
    const names = namesOf([before, before]).map(({ name }) => name);
    expect(names).toEqual([
      ofRegion.name,
      'signal.orders.example.com',
      'api.orders.example.com',
      'signal.clicks.example.com',
      'signal.payments.example.com',
    ]);
  });

  it('is held without a change', () => {
    expect(judge([])).toBe('held');
  });

  it('is moved for a name that changes its region, be it for a moment, and whatever else came of the deployment', () => {
    const flap = [change(signal, primary, standby), change(signal, standby, primary)];
    expect(judge(flap)).toBe('moved');
    expect(judge(flap, { reason: 'Spillway refuses this deployment: x' })).toBe('moved');
    expect(judge([change(api, '192.0.2.10', '198.51.100.10')])).toBe('moved');
    expect(judge([change(signal, primary, 'nonsense')])).toBe('moved');
  });

  it('is moved for a name that loses its answer, unless the new config does without the name', () => {
    const lost = [change(signal, primary, NO_ANSWER)];
    expect(judge(lost)).toBe('moved');
    const [orders] = deploymentBefore.cells;
    expect(judge(lost, { after: { ...input, cells: [orders] } })).toBe('asked');
  });

  it('is asked for another address or stream of the same region', () => {
    const [orders, clicks] = deploymentBefore.cells;
    const api2 = [
      { name: 'api.orders', type: 'A' as const, primary: '192.0.2.11', standby: '198.51.100.11' },
    ];
    const after = {
      ...input,
      cells: [
        { ...orders, services: api2 },
        { ...clicks, stream: 'visits' },
      ],
    };
    const changes = [
      change(api, '192.0.2.10', '192.0.2.11'),
      change(signal, primary, formatSignal({ region: 'us-east-1', stream: 'visits' })),
    ];
    expect(judge(changes, { after })).toBe('asked');
    expect(judge([change(api, '192.0.2.10', '198.51.100.11')], { after })).toBe('moved');
  });

  it('is held when a new name begins to answer, and moved when that name then changes its region', () => {
    const first = change(signal, NO_ANSWER, standby);
    expect(judge([first], { baseline: NO_ANSWER })).toBe('held');
    expect(judge([first, change(signal, standby, primary)], { baseline: NO_ANSWER })).toBe('moved');
  });

  it('tells the guard’s refusal from every other failure', () => {
    expect(judge([], { reason: 'cdk deploy failed: Spillway refuses this deployment: x' })).toBe('refused');
    expect(judge([], { reason: 'cdk synth failed' })).toBe('failed');
  });
});
