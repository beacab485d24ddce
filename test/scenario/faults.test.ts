import { describe, expect, it } from 'vitest';
import { defaultRegions as roles } from '../../lib/config/defaults.ts';
import { type Call, fateOf } from '../../lib/scenario/faults.ts';
import { parseScenario } from '../../lib/scenario/parse.ts';
import type { Fault } from '../../lib/scenario/schema.ts';

const call: Call = { source: 'us-east-2', region: 'us-east-1', service: 'kinesis', operation: 'PutRecord' };

function fate(fault: string, options: { at?: number; random?: number; call?: Partial<Call> } = {}) {
  const scenario = parseScenario(
    `{ name: t, duration: 1h, faults: [${fault}], expect: { verdict: hold } }`,
    't.yaml',
  );
  const { at = 0, random = 0.5 } = options;
  const asked = { ...call, ...options.call };
  return fateOf(asked, { scenario, roles, elapsedMs: at, random: () => random });
}

const reset = (more: string): string => `{ at: 10s, for: 10s, effect: { kind: reset }, ${more} }`;
const through = { delayMs: 0 };
const broken = { delayMs: 0, failure: { kind: 'reset' } };

describe('a fault', () => {
  it('lives from its beginning up to its end', () => {
    const fault = reset('where: { region: primary }');
    expect([9_999, 10_000, 19_999, 20_000].map((at) => fate(fault, { at }))).toEqual([
      through,
      broken,
      broken,
      through,
    ]);
  });

  it.each([
    ['primary', 'us-east-1', true],
    ['primary', 'us-west-2', false],
    ['standby', 'us-west-2', true],
    ['witness', 'eu-west-1', true],
    ['witness', 'us-west-2', false],
    ['eu-west-1', 'eu-west-1', true],
    ['"*"', 'ap-south-1', true],
  ])('of region %s hits calls to %s: %s', (where, region, hit) => {
    const result = fate(reset(`where: { region: ${where} }`), { at: 10_000, call: { region } });
    expect(result).toEqual(hit ? broken : through);
  });

  it('hits its own service, operations and sources alone', () => {
    const fault = reset('where: { service: kinesis, operations: [PutRecord] }, seenFrom: [witness]');
    expect(fate(fault, { at: 10_000 })).toEqual(broken);
    expect(fate(fault, { at: 10_000, call: { operation: 'GetRecords' } })).toEqual(through);
    expect(fate(fault, { at: 10_000, call: { service: 'sts' } })).toEqual(through);
    expect(fate(fault, { at: 10_000, call: { source: 'us-west-2' } })).toEqual(through);
  });

  it('that producers alone see hits them wherever they run, and no observer beside them', () => {
    const fault = reset('where: {}, seenFrom: [producers]');
    expect(fate(fault, { at: 10_000, call: { source: 'us-west-2', byProducer: true } })).toEqual(broken);
    expect(fate(fault, { at: 10_000, call: { source: 'us-west-2' } })).toEqual(through);
  });

  it('ramps over its life', () => {
    const fault = reset('where: {}, rate: { from: 1, to: 0 }');
    expect(fate(fault, { at: 14_000, random: 0.55 })).toEqual(broken);
    expect(fate(fault, { at: 16_000, random: 0.45 })).toEqual(through);
  });
});

it('a fault that refuses some records hides none that fails the whole call, whichever comes first', () => {
  const put = { source: 'us-west-2', region: 'us-east-1', service: 'kinesis', operation: 'PutRecords' };
  const life = { atMs: 0, untilMs: 1_000, where: { region: 'primary' } } as const;
  const partial: Fault = {
    ...life,
    effect: { kind: 'partial', code: 'InternalFailure', rate: 0.1 },
    rate: 1,
  };
  const whole: Fault = { ...life, effect: { kind: 'reset' }, rate: 1 };
  for (const faults of [
    [partial, whole],
    [whole, partial],
  ]) {
    const fate = fateOf(put, { scenario: { faults }, roles, elapsedMs: 1, random: () => 0 });
    expect(fate.failure).toEqual({ kind: 'reset' });
  }
  const alone = { scenario: { faults: [partial] }, roles, elapsedMs: 1, random: () => 0 };
  expect(fateOf(put, alone).failure?.kind).toBe('partial');
  expect(fateOf({ ...put, operation: 'PutRecord' }, alone).failure).toBeUndefined();
});

it('overlapping faults all apply: delays add up, the first failure counts', () => {
  const slow = '{ at: 0s, where: {}, effect: { kind: latency, ms: 100 } }';
  const hole = '{ at: 0s, where: {}, effect: { kind: blackhole } }';
  const drop = '{ at: 0s, where: {}, effect: { kind: reset } }';
  expect(fate([slow, hole, slow, drop].join(','))).toEqual({ delayMs: 200, failure: { kind: 'blackhole' } });
});
