import { describe, expect, it } from 'vitest';
import { answer } from '../../lib/route53/answer.ts';
import { createZone, type RecordData, type RecordSet, type Routing } from '../../lib/route53/records.ts';

const values = (...texts: readonly string[]): RecordData => ({
  kind: 'values',
  ttlSeconds: 5,
  values: texts,
});
const alias = (target: string, evaluateTargetHealth = true): RecordData => ({
  kind: 'alias',
  target,
  evaluateTargetHealth,
});
const weighted = (weight: number): Routing => ({ policy: 'weighted', weight });
const failover = (role: 'PRIMARY' | 'SECONDARY'): Routing => ({ policy: 'failover', role });
const record = (routing: Routing, data: RecordData, changes: Partial<RecordSet> = {}): RecordSet => ({
  name: 'www.example.com',
  type: 'A',
  routing,
  data,
  ...changes,
});

interface Asking {
  readonly name?: string;
  readonly type?: string;
  readonly unhealthy?: readonly string[];
  readonly random?: () => number;
}
const ask = (records: readonly RecordSet[], asking: Asking = {}) => {
  const { name = 'www.example.com', type = 'A', unhealthy = [], random = () => 0 } = asking;
  const zone = createZone('example.com', records);
  return answer(zone, { name, type }, { isHealthy: (id) => !unhealthy.includes(id), random });
};
const valuesOf = (records: readonly RecordSet[], asking: Asking = {}) =>
  ask(records, asking).records.flatMap((each) => each.values);

describe('names and types', () => {
  const records = [record({ policy: 'simple' }, values('192.0.2.1'))];

  it('answers a name that does not exist with NXDOMAIN, and one in another zone with REFUSED', () => {
    expect(ask(records, { name: 'nothing.example.com' }).rcode).toBe('NXDOMAIN');
    expect(ask(records, { name: 'example.org' }).rcode).toBe('REFUSED');
    expect(ask(records, { name: 'notexample.com' }).rcode).toBe('REFUSED');
  });

  it('answers a name without that type, or between a record and the apex, with no data', () => {
    expect(ask(records, { type: 'TXT' })).toEqual({ rcode: 'NOERROR', records: [] });
    expect(ask(records, { type: 'HTTPS' })).toEqual({ rcode: 'NOERROR', records: [] });
    const deep = [record({ policy: 'simple' }, values('192.0.2.1'), { name: 'a.b.c.example.com' })];
    expect(ask(deep, { name: 'c.example.com' }).rcode).toBe('NOERROR');
    expect(ask(deep, { name: 'x.c.example.com' }).rcode).toBe('NXDOMAIN');
  });

  it('minds neither letter case nor a trailing dot', () => {
    expect(valuesOf(records, { name: 'WWW.Example.COM.' })).toEqual(['192.0.2.1']);
  });

  it('answers a wildcard only below its closest existing parent', () => {
    const wild = [
      record({ policy: 'simple' }, values('192.0.2.9'), { name: '\\052.example.com.' }),
      record({ policy: 'simple' }, values('192.0.2.1'), { name: 'a.real.example.com' }),
    ];
    expect(valuesOf(wild, { name: 'any.example.com' })).toEqual(['192.0.2.9']);
    expect(valuesOf(wild, { name: 'very.deep.example.com' })).toEqual(['192.0.2.9']);
    expect(ask(wild, { name: 'b.real.example.com' }).rcode).toBe('NXDOMAIN');
  });

  it('fails openly for a record that is not modelled', () => {
    const latency = [
      record({ policy: 'unsupported', reason: 'which is routed by Region' }, values('192.0.2.1')),
    ];
    expect(ask(latency).rcode).toBe('SERVFAIL');
  });
});

describe('CNAME records', () => {
  const cname = (name: string, target: string) =>
    record({ policy: 'simple' }, values(target), { name, type: 'CNAME' });

  it('are followed within the zone and named when they leave it', () => {
    const records = [
      cname('a.example.com', 'www.example.com.'),
      record({ policy: 'simple' }, values('192.0.2.1')),
      cname('out.example.com', 'www.example.net'),
    ];
    expect(valuesOf(records, { name: 'a.example.com' })).toEqual(['www.example.com.', '192.0.2.1']);
    expect(valuesOf(records, { name: 'a.example.com', type: 'CNAME' })).toEqual(['www.example.com.']);
    expect(valuesOf(records, { name: 'out.example.com' })).toEqual(['www.example.net']);
  });

  it('end with SERVFAIL when they form a loop', () => {
    const loop = [cname('a.example.com', 'b.example.com'), cname('b.example.com', 'a.example.com')];
    expect(ask(loop, { name: 'a.example.com' }).rcode).toBe('SERVFAIL');
  });
});

/** "How Amazon Route 53 chooses records when health checking is configured" (Developer Guide). */
describe('weighted records', () => {
  const three = [
    record(weighted(10), values('10'), { setIdentifier: 'a', healthCheckId: 'a' }),
    record(weighted(30), values('30'), { setIdentifier: 'b', healthCheckId: 'b' }),
    record(weighted(0), values('0'), { setIdentifier: 'c', healthCheckId: 'c' }),
  ];
  const shares = (records: readonly RecordSet[], unhealthy: readonly string[]) => {
    const counts: Record<string, number> = {};
    for (let draw = 0; draw < 1_000; draw += 1) {
      const value = valuesOf(records, { unhealthy, random: () => draw / 1_000 })[0] ?? 'none';
      counts[value] = (counts[value] ?? 0) + 1;
    }
    return counts;
  };

  // "weight for a specified record / sum of the weights for all records" ("Weighted routing")
  it('share the answers by weight, and weight 0 gets none while others are healthy', () => {
    expect(shares(three, [])).toEqual({ '10': 250, '30': 750 });
  });

  // "If a record is unhealthy, Route 53 chooses another record by using the same criteria"
  it('leave out unhealthy members', () => {
    expect(shares(three, ['b'])).toEqual({ '10': 1_000 });
  });

  // "If all the records that have a weight greater than 0 are unhealthy, then Route 53 considers the zero-weighted
  // records."
  it('fall back to members of weight 0', () => {
    expect(shares(three, ['a', 'b'])).toEqual({ '0': 1_000 });
  });

  // "If none of the records in a group of records are healthy, [...] Route 53 considers all the records in the group
  // to be healthy and chooses a record based on the routing policy and on the values that you specify"
  it('are all treated as healthy when none is', () => {
    expect(shares(three, ['a', 'b', 'c'])).toEqual({ '10': 250, '30': 750 });
  });

  // ResourceRecordSet (API Reference), Weight: "if you set Weight to 0 for all resource record sets [...], traffic is
  // routed to all resources with equal probability."
  it('share equally when every weight is 0', () => {
    const zeros = ['x', 'y'].map((id) => record(weighted(0), values(id), { setIdentifier: id }));
    expect(shares(zeros, [])).toEqual({ x: 500, y: 500 });
  });

  // "Records without a health check are always healthy"
  it('prefer a member without a health check to unhealthy ones', () => {
    const records = [...three.slice(0, 2), record(weighted(1), values('1'), { setIdentifier: 'd' })];
    expect(shares(records, ['a', 'b'])).toEqual({ '1': 1_000 });
  });

  it('answer with their only member without drawing a number', () => {
    const random = () => {
      throw new Error('no choice to be made');
    };
    const one = [record(weighted(1), values('1'), { healthCheckId: 'a' })];
    expect(valuesOf(one, { random })).toEqual(['1']);
    expect(valuesOf(one, { random, unhealthy: ['a'] })).toEqual(['1']);
  });
});

/** ResourceRecordSet (API Reference), Failover. */
describe('failover records', () => {
  const pair = [
    record(failover('PRIMARY'), values('primary'), { healthCheckId: 'p' }),
    record(failover('SECONDARY'), values('secondary'), { healthCheckId: 's' }),
  ];

  // "When the primary resource record set is healthy, Route 53 responds [...] with the applicable value from the
  // primary resource record set regardless of the health of the secondary resource record set."
  it('answer PRIMARY while it is healthy', () => {
    expect(valuesOf(pair)).toEqual(['primary']);
    expect(valuesOf(pair, { unhealthy: ['s'] })).toEqual(['primary']);
  });

  // "When the primary resource record set is unhealthy and the secondary resource record set is healthy, [...] from
  // the secondary resource record set."
  it('answer SECONDARY when only PRIMARY is unhealthy', () => {
    expect(valuesOf(pair, { unhealthy: ['p'] })).toEqual(['secondary']);
  });

  // "When the secondary resource record set is unhealthy, [...] from the primary resource record set regardless of
  // the health of the primary resource record set."
  it('answer PRIMARY when both are unhealthy', () => {
    expect(valuesOf(pair, { unhealthy: ['p', 's'] })).toEqual(['primary']);
  });

  // "If you omit the HealthCheckId element for the secondary resource record set, and if the primary resource record
  // set is unhealthy, Route 53 always responds [...] from the secondary resource record set."
  it('always leave an unhealthy PRIMARY when SECONDARY has no check', () => {
    const open = [pair[0], { ...pair[1], healthCheckId: undefined }] as RecordSet[];
    expect(valuesOf(open, { unhealthy: ['p'] })).toEqual(['secondary']);
  });

  it('answer with the one record there is when the other is missing', () => {
    expect(valuesOf(pair.slice(0, 1), { unhealthy: ['p'] })).toEqual(['primary']);
    expect(valuesOf(pair.slice(1), { unhealthy: ['s'] })).toEqual(['secondary']);
  });
});

/** AliasTarget (API Reference), EvaluateTargetHealth; "How health checks work in complex Amazon Route 53 configurations". */
describe('alias records', () => {
  const tree = (evaluate: boolean, own?: string): RecordSet[] => [
    record(failover('PRIMARY'), alias('target.example.com', evaluate), own ? { healthCheckId: own } : {}),
    record(failover('SECONDARY'), values('secondary')),
    record(weighted(1), values('primary'), { name: 'target.example.com', healthCheckId: 't' }),
  ];

  // "When EvaluateTargetHealth is true, an alias resource record set inherits the health of the referenced [...]
  // resource record set in the hosted zone."
  it('inherit the health of their target when they evaluate it', () => {
    expect(valuesOf(tree(true))).toEqual(['primary']);
    expect(valuesOf(tree(true), { unhealthy: ['t'] })).toEqual(['secondary']);
    expect(valuesOf(tree(false), { unhealthy: ['t'] })).toEqual(['primary']);
  });

  // An alias with its own health check and EvaluateTargetHealth answers only if both hold.
  it('need their own check and their target', () => {
    expect(valuesOf(tree(true, 'own'))).toEqual(['primary']);
    expect(valuesOf(tree(true, 'own'), { unhealthy: ['own'] })).toEqual(['secondary']);
    expect(valuesOf(tree(true, 'own'), { unhealthy: ['t'] })).toEqual(['secondary']);
    expect(valuesOf(tree(true, 'own'), { unhealthy: ['own', 't'] })).toEqual(['secondary']);
  });

  // "Route 53 backs out of that branch of the tree": a target with no healthy record is not "all treated as healthy"
  // while another branch is left, but is once no branch is.
  it('answer through an unhealthy target only when nothing else is left', () => {
    const both = tree(true).map((each) =>
      each.routing.policy === 'failover' && each.routing.role === 'SECONDARY'
        ? { ...each, healthCheckId: 's' }
        : each,
    );
    expect(valuesOf(both, { unhealthy: ['t'] })).toEqual(['secondary']);
    expect(valuesOf(both, { unhealthy: ['t', 's'] })).toEqual(['primary']);
  });

  // A simple record cannot carry a health check to any effect; a weighted record with one member can.
  it('see no effect of a health check on a simple target', () => {
    const simple = tree(true).map((each) =>
      each.routing.policy === 'weighted' ? { ...each, routing: { policy: 'simple' } as const } : each,
    );
    expect(valuesOf(simple, { unhealthy: ['t'] })).toEqual(['primary']);
  });

  it('are healthy with one healthy record among several in their target', () => {
    const wide = [
      ...tree(true),
      record(weighted(1), values('other'), { name: 'target.example.com', healthCheckId: 'u' }),
    ];
    expect(valuesOf(wide, { unhealthy: ['t'] })).toEqual(['other']);
    expect(valuesOf(wide, { unhealthy: ['t', 'u'] })).toEqual(['secondary']);
  });

  // ResourceRecordSet, TTL: "If you're creating or updating an alias resource record set, omit TTL. Amazon Route 53
  // uses the value of TTL for the alias target."
  it('answer under their own name with the TTL of their target', () => {
    const records = [
      record({ policy: 'simple' }, alias('target.example.com')),
      record(
        { policy: 'simple' },
        { kind: 'values', ttlSeconds: 42, values: ['192.0.2.1'] },
        { name: 'target.example.com' },
      ),
    ];
    expect(ask(records).records).toEqual([
      { name: 'www.example.com', type: 'A', ttlSeconds: 42, values: ['192.0.2.1'] },
    ]);
  });

  it('pass health on through an alias of an alias', () => {
    const chain = [
      ...tree(true).filter((each) => each.name !== 'target.example.com'),
      record({ policy: 'simple' }, alias('deep.example.com'), { name: 'target.example.com' }),
      record(weighted(1), values('primary'), { name: 'deep.example.com', healthCheckId: 't' }),
    ];
    expect(valuesOf(chain)).toEqual(['primary']);
    expect(valuesOf(chain, { unhealthy: ['t'] })).toEqual(['secondary']);
  });
});
