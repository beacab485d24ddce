import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { HealthCheckError } from '../../lib/route53/errors.ts';
import { calculatedHealthy, endpointHealthy, indexHealthChecks } from '../../lib/route53/health-check.ts';
import { calculatedCheck, endpointCheck } from './design-tree.ts';

const plain = endpointCheck('plain', { inverted: false });
const inverted = endpointCheck('inverted', { inverted: true });

/** "How Amazon Route 53 determines whether a health check is healthy" (Developer Guide). */
describe('an endpoint check', () => {
  // "If more than 18% of health checkers report that an endpoint is healthy, Route 53 considers it healthy."
  // "If 18% of health checkers or fewer report that an endpoint is healthy, Route 53 considers it unhealthy."
  it('is healthy when more than 18 % of the checkers say so, and not at 18 %', () => {
    expect(endpointHealthy(plain, { healthy: 18, total: 100 })).toBe(false);
    expect(endpointHealthy(plain, { healthy: 19, total: 100 })).toBe(true);
    expect(endpointHealthy(plain, { healthy: 9, total: 50 })).toBe(false);
    expect(endpointHealthy(plain, { healthy: 2, total: 16 })).toBe(false);
    expect(endpointHealthy(plain, { healthy: 3, total: 16 })).toBe(true);
  });

  it('has exactly one boundary for every number of checkers, at 18 % of them', () => {
    for (let total = 1; total <= 64; total += 1) {
      const firstHealthy = Array.from({ length: total + 1 }, (_, healthy) => healthy).find((healthy) =>
        endpointHealthy(plain, { healthy, total }),
      );
      expect(firstHealthy, `${total} checkers`).toBe(Math.floor(total * 0.18) + 1);
      for (let healthy = 0; healthy <= total; healthy += 1) {
        expect(endpointHealthy(plain, { healthy, total })).toBe(healthy >= (firstHealthy ?? 0));
      }
    }
  });

  // "Inverting health checks": "Route 53 considers the health check to be unhealthy when the status is healthy and
  // vice versa." The status is the aggregated one, hence the asymmetry.
  it('turns unhealthy, if inverted, once more than 18 % of the checkers see the marker', () => {
    expect(endpointHealthy(inverted, { healthy: 3, total: 16 })).toBe(false);
    expect(endpointHealthy(inverted, { healthy: 2, total: 16 })).toBe(true);
    expect(endpointHealthy(inverted, { healthy: 82, total: 100 })).toBe(false);
    expect(endpointHealthy(inverted, { healthy: 100 - 82, total: 100 })).toBe(true);
    expect(endpointHealthy(inverted, { healthy: 100 - 81, total: 100 })).toBe(false);
  });

  it('is the exact opposite when inverted, for any checkers', () => {
    fc.assert(
      fc.property(fc.nat(64), fc.nat(64), fc.boolean(), (a, b, disabled) => {
        const count = { healthy: Math.min(a, b), total: Math.max(a, b) };
        const straight = endpointHealthy({ ...plain, disabled }, count);
        expect(endpointHealthy({ ...inverted, disabled }, count)).toBe(!straight);
      }),
    );
  });

  // "Route 53 considers a new health check to be healthy until there's enough data to determine the actual status
  // [...]. If you chose the option to invert the health check status, Route 53 considers a new health check to be
  // unhealthy until there's enough data."
  it('is healthy without any checker, and unhealthy if inverted', () => {
    expect(endpointHealthy(plain, { healthy: 0, total: 0 })).toBe(true);
    expect(endpointHealthy(inverted, { healthy: 0, total: 0 })).toBe(false);
  });

  // HealthCheckConfig (API Reference), Disabled: "Route 53 considers the status of the health check to always be
  // healthy. [...] If you want to stop routing traffic to a resource, change the value of Inverted."
  it('is healthy when disabled, and unhealthy when disabled and inverted', () => {
    expect(endpointHealthy({ ...plain, disabled: true }, { healthy: 0, total: 16 })).toBe(true);
    expect(endpointHealthy({ ...inverted, disabled: true }, { healthy: 0, total: 16 })).toBe(false);
  });
});

/** "HealthCheckConfig" (API Reference), HealthThreshold. */
describe('a calculated check', () => {
  const threeOf = (healthThreshold?: number) =>
    calculatedCheck('sum', {
      children: ['a', 'b', 'c'],
      ...(healthThreshold !== undefined && { healthThreshold }),
    });

  // "The number of child health checks [...] that Amazon Route 53 must consider healthy for the CALCULATED health
  // check to be considered healthy."
  it('is healthy from its threshold of healthy children on', () => {
    expect([0, 1, 2, 3].map((healthy) => calculatedHealthy(threeOf(2), healthy))).toEqual([
      false,
      false,
      true,
      true,
    ]);
  });

  it('needs all children when it has no threshold', () => {
    expect([2, 3].map((healthy) => calculatedHealthy(threeOf(), healthy))).toEqual([false, true]);
  });

  // "If you specify 0, Route 53 always considers this health check to be healthy."
  it('is always healthy with threshold 0', () => {
    expect(calculatedHealthy(threeOf(0), 0)).toBe(true);
  });

  // "If you specify a number greater than the number of child health checks, Route 53 always considers this health
  // check to be unhealthy."
  it('is always unhealthy with a threshold above the number of its children', () => {
    expect(calculatedHealthy(threeOf(4), 3)).toBe(false);
  });

  it('fails on K unhealthy of N children with threshold N-K+1', () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 20 }), fc.nat(19), fc.nat(20), (n, kSeed, unhealthySeed) => {
        const k = 1 + (kSeed % n);
        const unhealthy = unhealthySeed % (n + 1);
        const check = calculatedCheck('sum', {
          children: new Array(n).fill('x'),
          healthThreshold: n - k + 1,
        });
        expect(calculatedHealthy(check, n - unhealthy)).toBe(unhealthy < k);
      }),
    );
  });

  it('is the opposite when inverted, and healthy when disabled', () => {
    expect(calculatedHealthy({ ...threeOf(2), inverted: true }, 2)).toBe(false);
    expect(calculatedHealthy({ ...threeOf(2), inverted: true }, 1)).toBe(true);
    expect(calculatedHealthy({ ...threeOf(2), disabled: true }, 0)).toBe(true);
  });
});

describe('a set of checks', () => {
  // "Values that you specify when you create or update health checks": a calculated check cannot monitor the status
  // of other calculated checks.
  it('is refused when a calculated check has a calculated check as a child', () => {
    const checks = [calculatedCheck('outer', { children: ['inner'] }), calculatedCheck('inner')];
    expect(() => indexHealthChecks(checks)).toThrow(HealthCheckError);
    expect(() => indexHealthChecks(checks)).toThrow(/outer.*inner.*does not nest/);
  });

  it('is refused when a child does not exist, or there are too many of them', () => {
    expect(() => indexHealthChecks([calculatedCheck('sum', { children: ['gone'] })])).toThrow(/gone/);
    const crowd = Array.from({ length: 256 }, (_, index) => endpointCheck(`e${index}`));
    const sum = calculatedCheck('sum', { children: crowd.map((check) => check.id) });
    expect(() => indexHealthChecks([...crowd, sum])).toThrow(/255/);
  });

  it('is refused when two checks share an id', () => {
    expect(() => indexHealthChecks([plain, plain])).toThrow(HealthCheckError);
  });
});
