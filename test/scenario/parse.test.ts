import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { formatDuration, parseDuration } from '../../lib/scenario/duration.ts';
import { ScenarioError } from '../../lib/scenario/errors.ts';
import { onsetMs } from '../../lib/scenario/onset.ts';
import { parseScenario } from '../../lib/scenario/parse.ts';
import { underPolicy } from '../../lib/scenario/policy.ts';
import { strayRegions } from '../../lib/scenario/regions.ts';
import { fleetOf } from '../../lib/scenario/sources.ts';
import { checkCells } from '../../lib/scenario/streams.ts';
import { systemProblems } from '../../lib/simulator/system.ts';
import { deployed } from '../simulator/deployed.ts';

const minimal = `
name: mine
duration: 1h
faults:
  - at: 10s
    where: { region: primary }
    effect: { kind: error }
expect: { verdict: hold }
`;

function complaint(text: string): string {
  try {
    parseScenario(text, 'mine.yaml');
  } catch (error) {
    expect(error).toBeInstanceOf(ScenarioError);
    return (error as Error).message;
  }
  throw new Error('nothing was wrong with it');
}

describe('a scenario', () => {
  it('takes its defaults', () => {
    expect(parseScenario(minimal, 'mine.yaml')).toEqual({
      name: 'mine',
      title: 'mine',
      durationMs: 3_600_000,
      faults: [
        {
          atMs: 10_000,
          untilMs: 3_600_000,
          where: { region: 'primary' },
          effect: { kind: 'error', status: 500, code: 'InternalFailure' },
          rate: 1,
        },
      ],
      expect: { verdict: 'hold' },
    });
  });

  it.each([
    ['an unknown key', minimal.replace('at: 10s', 'att: 10s'), /mine\.yaml:5: faults\[0\]/],
    ['a bad duration', minimal.replace('10s', '10 seconds'), /faults\[0\]\.at is not usable/],
    ['an unknown effect', minimal.replace('kind: error', 'kind: explode'), /faults\[0\]\.effect/],
    ['a place that is none', minimal.replace('primary', 'mars'), /neither a role nor a region/],
    [
      'an operation that does not exist',
      minimal.replace('primary', 'primary, service: kinesis, operations: [PutRecodr]'),
      /mine\.yaml:6: faults\[0\]\.where\.operations\[0\] is no operation of kinesis\. Did you mean PutRecord\?/,
    ],
    [
      'an operation of another service',
      minimal.replace('primary', 'primary, service: kinesis, operations: [Invoke]'),
      /is no operation of kinesis/,
    ],
    [
      'an operation of no service',
      minimal.replace('primary', 'primary, operations: [PutRekords]'),
      /is no operation of any service that a fault can name\. Did you mean PutRecords\?/,
    ],
    [
      'a service that does not exist',
      minimal.replace('primary', 'primary, service: kinessis'),
      /faults\[0\]\.where\.service is no service that a fault can name\. Did you mean kinesis\?/,
    ],
    [
      'operations of a service whose requests do not name them',
      minimal.replace('primary', 'primary, service: s3, operations: [GetObject]'),
      /is no operation of s3\. Leave operations out/,
    ],
    [
      'streams of another service',
      minimal.replace('primary', 'primary, service: sts, streams: [orders]'),
      /where\.streams is for kinesis, and the fault is of sts/,
    ],
    ['a region that does not exist', minimal.replace('primary', 'us-est-1'), /Did you mean us-east-1\?/],
    ['a role that does not exist', minimal.replace('primary', 'primry'), /AWS\. Did you mean primary\?/],
    [
      'a ramp with a key that it does not have',
      minimal.replace('error }', 'error }\n    rate: { from: 0.8, too: 0 }'),
      /faults\[0\]\.rate.*(?:too|to)/,
    ],
    [
      'a refusal of records by a call that has one',
      minimal
        .replace('primary', 'primary, service: kinesis, operations: [PutRecord]')
        .replace('kind: error', 'kind: partial'),
      /faults\[0\]\.effect hits PutRecords of kinesis alone/,
    ],
    ['a share in words', minimal.replace('error }', 'error }\n    rate: a third'), /rate is not a share/],
    ['a share above all', minimal.replace('error }', 'error }\n    rate: 130%'), /rate is not a share/],
    ['a number above all', minimal.replace('error }', 'error }\n    rate: 30'), /rate is above 1/],
    ['a moment after the end', minimal.replace('hold }', 'hold, after: 2h }'), /expect\.after is when/],
    ['a fault after the end', minimal.replace('10s', '2h'), /begins when the scenario has ended/],
    ['no faults', minimal.replace(/faults:[\s\S]*expect/, 'faults: []\nexpect'), /has at least one fault/],
    [
      'a policy with a key that it does not have',
      `${minimal}policy: { minimumGane: 0.3 }\n`,
      /mine\.yaml:9: policy has no key "minimumGane"\. Did you mean minimumGain\?/,
    ],
    [
      'a use of beacons that is none',
      `${minimal}policy: { beacons: prob }\n`,
      /policy\.beacons "prob" is not/,
    ],
    ['a setting out of its range', `${minimal}policy: { minimumGain: 2 }\n`, /policy\.minimumGain must be/],
    [
      'no instances',
      `${minimal}producers: { instances: 0 }\n`,
      /producers\.instances must be a whole number of instances from 1 to 10000/,
    ],
    [
      'a key of a fleet that it does not have',
      `${minimal}producers: { cells: { orders: { beacon: true } } }\n`,
      /producers\.cells\.orders has no key "beacon"\. Did you mean beacons\?/,
    ],
    [
      'a lie without anybody who could tell it',
      `${minimal}lies: [{ at: 1s, share: 30%, say: failing }]\n`,
      /lies need producers that report\. Write producers: \{ beacons: true \}/,
    ],
    [
      'a lie of producers that are silent',
      `${minimal}producers: { beacons: false }\nlies: [{ at: 1s, share: 30%, say: failing }]\n`,
      /lies need producers that report/,
    ],
    [
      'a lie about a cell whose producers are silent',
      `${minimal}producers: { cells: { orders: { beacons: false } } }\nlies: [{ at: 1s, cells: [clicks, orders], share: 30%, say: failing }]\n`,
      /lies\[0\]\.cells names orders, whose producers do not report\. (?!.*clicks)/,
    ],
    [
      'a name that does not resolve for one stream',
      minimal.replace('primary', 'primary, service: kinesis, streams: [orders]').replace('error', 'dns'),
      /faults\[0\]\.where\.streams cannot be chosen: a name fails for every stream/,
    ],
    [
      'a name that does not resolve for one operation',
      minimal.replace('primary', 'primary, operations: [PutRecord]').replace('error', 'dns'),
      /faults\[0\]\.where\.operations cannot be chosen: a name fails for every operation/,
    ],
    [
      'a kind that is misspelt',
      minimal.replace('error', 'eror'),
      /effect\.kind "eror" is no effect\. Did you mean error\?/,
    ],
    ['no kind', minimal.replace('{ kind: error }', '{}'), /effect\.kind is missing\. Write one of error, /],
    [
      'a diagnosis that is misspelt',
      minimal.replace('hold', 'hold, diagnosis: StreamImpared'),
      /expect\.diagnosis "StreamImpared" is no diagnosis\. Did you mean StreamImpaired\?/,
    ],
    [
      'a verdict that is misspelt',
      minimal.replace('hold', 'holds'),
      /verdict "holds" is no verdict\. Did you mean hold\?/,
    ],
    [
      'a key of a place that is misspelt',
      minimal.replace('primary', 'primary, services: kinesis'),
      /where has no key "services"\. Did you mean service\?/,
    ],
    [
      'a key of an effect that is misspelt',
      minimal.replace('kind: error', 'kind: error, statsu: 500'),
      /effect has no key "statsu"\. Did you mean status\?/,
    ],
    [
      'a key that is misspelt',
      minimal.replace('duration', 'durations'),
      /has no key "durations"\. Did you mean duration\?/,
    ],
    [
      'a lie that nobody would tell',
      `${minimal}producers: {}\nlies: [{ at: 1s, share: 30%, say: failed }]\n`,
      /lies\[0\]\.say "failed" is not one of "failing" or "healthy"/,
    ],
    [
      'a lie of more than all',
      `${minimal}producers: {}\nlies: [{ at: 1s, share: 2, say: failing }]\n`,
      /lies\[0\]\.share is above 1/,
    ],
    [
      'a lie after the end',
      `${minimal}producers: {}\nlies: [{ at: 2h, share: 1, say: failing }]\n`,
      /lies\[0\]\.at begins when the scenario has ended/,
    ],
    [
      'a lie of no length',
      `${minimal}producers: {}\nlies: [{ at: 1m, for: 0s, share: 1, say: failing }]\n`,
      /lies\[0\]\.for is zero/,
    ],
    [
      'producers as a region that is called',
      minimal.replace('primary', 'producers'),
      /region is neither a role nor a region/,
    ],
    ['no YAML', 'name: [', /mine\.yaml:\d+: is not YAML/],
    ['nothing', '', /is empty/],
    ['two documents', `${minimal}---\n${minimal}`, /several YAML documents/],
    ['an alias bomb', `a: &a [x,x]\nb: &b [${'*a,'.repeat(60)}]\nc: [${'*b,'.repeat(60)}]`, /cannot be read/],
  ])('names the place and the fix of %s', (_what, text, message) => {
    expect(complaint(text)).toMatch(message);
  });

  it.each([
    ['30%', 0.3],
    ['2.5 %', 0.025],
    ['100%', 1],
    ['0.3', 0.3],
  ])('understands a rate of %s', (text, rate) => {
    const { faults } = parseScenario(minimal.replace('error }', `error }\n    rate: ${text}`), 'mine.yaml');
    expect(faults[0]?.rate).toBeCloseTo(rate, 9);
  });

  it('names streams by their cells, and refuses a cell that the config does not have', () => {
    const text = minimal
      .replace('primary', 'primary, service: kinesis, streams: [orders, canary]')
      .replace('hold }', 'failover, cells: [orders] }');
    const scenario = parseScenario(text, 'mine.yaml');
    expect(scenario.faults[0]?.where.streams).toEqual(['orders', 'canary']);
    expect(scenario.expect.cells).toEqual(['orders']);
    expect(() => checkCells(scenario, ['orders', 'clicks'])).not.toThrow();
    expect(() => checkCells(scenario, ['order', 'clicks'])).toThrow(
      /faults\[0\]\.where\.streams names orders, and the config has no such cell\. Did you mean order\?[\s\S]*expect\.cells/,
    );
  });

  it('has fleets, what differs for a cell, lies, and settings of its own', () => {
    const scenario = parseScenario(
      `${minimal.replace(/faults:[\s\S]*expect/, 'expect')}
producers: { instances: 12, cells: { orders: { probe: never }, clicks: { beacons: false } } }
lies: [{ at: 5m, cells: [orders], share: 30%, say: failing }]
policy: { beacons: move, minimumGain: 0.3 }
`,
      'mine.yaml',
    );
    const { producers, lies, policy, faults } = scenario;
    expect(producers).toEqual({
      instances: 12,
      beacons: true,
      probe: 'onSuspicion',
      cells: {
        orders: { instances: 12, beacons: true, probe: 'never' },
        clicks: { instances: 12, beacons: false, probe: 'onSuspicion' },
      },
    });
    expect(lies).toEqual([
      { atMs: 300_000, untilMs: 3_600_000, cells: ['orders'], share: 0.3, says: 'failing' },
    ]);
    expect(policy).toEqual({ beacons: 'move', minimumGain: 0.3 });
    expect(faults).toEqual([]);
    expect(onsetMs(scenario)).toBe(300_000);
    expect(
      producers && ['orders', 'other', 'toString'].map((cell) => fleetOf(producers, cell).probe),
    ).toEqual(['never', 'onSuspicion', 'onSuspicion']);
    expect(() => checkCells(scenario, ['orders', 'clicks'])).not.toThrow();
    expect(() => checkCells(scenario, ['order', 'clicks'])).toThrow(
      /producers\.cells\.orders names orders.*Did you mean order\?[\s\S]*lies\[0\]\.cells/,
    );
  });

  it('is played under its own policy, unless the settings do not go together', () => {
    const played = { policy: deployed.policy, regions: deployed.regions };
    const scenario = { name: 'mine', faults: [], policy: { minimumGain: 0.3, voteTtlMs: 3_000 } };
    expect(underPolicy(played, { name: 'mine' }, () => [])).toBe(played);
    expect(underPolicy(played, scenario, () => []).policy).toEqual({
      ...deployed.policy,
      minimumGain: 0.3,
      voteTtlMs: 3_000,
    });
    expect(() => underPolicy(deployed, scenario, systemProblems)).toThrow(/mine: policy\.voteTtlMs/);
  });

  it('may say when nothing is to have moved, which has no effect', () => {
    for (const key of ['cells: [orders]', 'within: 60s', 'after: 2m'])
      expect(() => parseScenario(minimal.replace('hold', `hold, ${key}`), 'mine.yaml')).not.toThrow();
  });

  it('tells of regions that the config does not have: nothing would happen there', () => {
    const told = (text: string) => strayRegions(parseScenario(text, 'mine.yaml'), deployed.regions);
    const seenFrom = (places: string) => minimal.replace('error }', `error }\n    seenFrom: [${places}]`);
    expect(told(minimal.replace('primary', 'us-east-1'))).toEqual([]);
    expect(told(minimal.replace('primary', '"*"'))).toEqual([]);
    expect(told(seenFrom('producers, witness, eu-west-1'))).toEqual([]);
    expect(told(minimal.replace('primary', 'ap-south-1'))).toEqual([
      'faults[0].where.region names ap-south-1, which is no region of the config (us-east-1, us-west-2, us-east-2, eu-west-1): it hits nothing.',
    ]);
    expect(told(minimal.replace('primary', 'us-west-1')).join()).toMatch(/Did you mean us-west-2\?/);
    expect(told(seenFrom('standby, ap-south-1')).join()).toMatch(
      /^faults\[0\]\.seenFrom\[1\] names ap-south-1/,
    );
  });

  it('reads the effects of a call that fails in part, and of a name that does not resolve', () => {
    const effectOf = (text: string) =>
      parseScenario(minimal.replace('{ kind: error }', text), 'mine.yaml').faults[0]?.effect;
    expect(effectOf('{ kind: partial, rate: 40%, code: ServiceUnavailable }')).toEqual({
      kind: 'partial',
      rate: 0.4,
      code: 'ServiceUnavailable',
    });
    expect(effectOf('{ kind: partial }')).toEqual({ kind: 'partial', rate: 1, code: 'InternalFailure' });
    expect(effectOf('{ kind: dns }')).toEqual({ kind: 'dns' });
  });

  it('is read or refused with a ScenarioError, whatever the text', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary', maxLength: 200 }), (text) => {
        try {
          parseScenario(text, 'any.yaml');
        } catch (error) {
          expect(error).toBeInstanceOf(ScenarioError);
        }
      }),
    );
  });
});

it('a duration reads back as it was written', () => {
  fc.assert(
    fc.property(fc.nat(300 * 86_400_000), (ms) => {
      expect(parseDuration(formatDuration(ms))).toBe(ms);
    }),
  );
});
