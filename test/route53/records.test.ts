import { describe, expect, it } from 'vitest';
import { ZoneError } from '../../lib/route53/errors.ts';
import { createZone, type RecordSet } from '../../lib/route53/records.ts';

const simple = (name: string): RecordSet => ({
  name,
  type: 'A',
  routing: { policy: 'simple' },
  data: { kind: 'values', ttlSeconds: 5, values: ['192.0.2.1'] },
});
const alias = (name: string, target: string): RecordSet => ({
  ...simple(name),
  data: { kind: 'alias', target, evaluateTargetHealth: true },
});
const primary = (name: string): RecordSet => ({
  ...simple(name),
  routing: { policy: 'failover', role: 'PRIMARY' },
});
const zoneOf = (...records: readonly RecordSet[]) => createZone('example.com.', records);

describe('a zone', () => {
  it('refuses aliases that lead back to themselves', () => {
    const cycle = [alias('a.example.com', 'b.example.com'), alias('b.example.com', 'a.example.com')];
    expect(() => zoneOf(...cycle)).toThrow(ZoneError);
    expect(() => zoneOf(...cycle)).toThrow(/cycle/);
    expect(() => zoneOf(alias('a.example.com', 'a.example.com'))).toThrow(/cycle/);
  });

  it('refuses a chain of aliases that is longer than its limit and takes one that is as long', () => {
    const chain = (links: number) => [
      simple('n0.example.com'),
      ...Array.from({ length: links }, (_, index) =>
        alias(`n${index + 1}.example.com`, `n${index}.example.com`),
      ),
    ];
    expect(() => zoneOf(...chain(8))).not.toThrow();
    expect(() => zoneOf(...chain(9))).toThrow(ZoneError);
  });

  it('refuses an alias of nothing, of another type, and of a record that is not modelled', () => {
    expect(() => zoneOf(alias('a.example.com', 'gone.example.com'))).toThrow(/gone.example.com A/);
    const txt: RecordSet = { ...alias('a.example.com', 'b.example.com'), type: 'TXT' };
    expect(() => zoneOf(txt, simple('b.example.com'))).toThrow(/b.example.com TXT/);
    const latency: RecordSet = {
      ...simple('b.example.com'),
      routing: { policy: 'unsupported', reason: 'which is routed by Region' },
    };
    expect(() => zoneOf(alias('a.example.com', 'b.example.com'), latency)).toThrow(/routed by Region/);
  });

  it('refuses mixed policies, two simple records and two PRIMARY records under one name', () => {
    expect(() => zoneOf(simple('a.example.com'), primary('a.example.com'))).toThrow(/mix/);
    expect(() => zoneOf(simple('a.example.com'), simple('A.example.com.'))).toThrow(/2 simple/);
    expect(() => zoneOf(primary('a.example.com'), primary('a.example.com'))).toThrow(/2 PRIMARY/);
  });

  it('refuses a record of another zone', () => {
    expect(() => zoneOf(simple('a.example.org'))).toThrow(/example.org/);
  });
});
