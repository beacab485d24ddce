import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { type CheckerState, newChecker, observe } from '../../lib/route53/checker.ts';
import { HealthBoard } from '../../lib/route53/health-board.ts';
import { calculatedHealthy, type EndpointCheck } from '../../lib/route53/health-check.ts';
import { PublishedHealth } from '../../lib/route53/published-health.ts';
import { calculatedCheck, designChecks, endpointCheck, quorum, voteIds } from './design-tree.ts';

const run = (results: readonly boolean[], threshold: number, from: CheckerState = newChecker) =>
  results.reduce((state, passed) => observe(state, passed, threshold), from);

describe('a checker', () => {
  // HealthCheckConfig (API Reference), FailureThreshold: "The number of consecutive health checks that an endpoint
  // must pass or fail for Amazon Route 53 to change the current status of the endpoint from unhealthy to healthy or
  // vice versa."
  it('changes its opinion after the threshold of consecutive results, the same count both ways', () => {
    expect(run([false, false], 3).healthy).toBe(true);
    const unhealthy = run([false, false, false], 3);
    expect(unhealthy.healthy).toBe(false);
    expect(run([true, true], 3, unhealthy).healthy).toBe(false);
    expect(run([true, true, true], 3, unhealthy).healthy).toBe(true);
  });

  it('starts counting again after a result that confirms its opinion', () => {
    expect(run([false, false, true, false, false], 3).healthy).toBe(true);
  });

  it('follows every result with threshold 1', () => {
    expect(run([false], 1).healthy).toBe(false);
    expect(run([false, true], 1).healthy).toBe(true);
  });

  it('agrees with the last run of equal results that is long enough, for any results', () => {
    fc.assert(
      fc.property(
        fc.array(fc.boolean(), { maxLength: 40 }),
        fc.integer({ min: 1, max: 10 }),
        (results, threshold) => {
          let expected = true;
          results.forEach((_, index) => {
            const last = results.slice(Math.max(0, index + 1 - threshold), index + 1);
            if (last.length === threshold && last.every((each) => each === last[0]))
              expected = last[0] ?? expected;
          });
          expect(run(results, threshold).healthy).toBe(expected);
        },
      ),
    );
  });
});

const reportAll = (board: HealthBoard, check: EndpointCheck, passed: boolean) =>
  board.checkersOf(check).flatMap((checker) => board.report(check.id, checker, passed));

describe('the board', () => {
  it('runs the given number of checkers in each of the 8 default regions', () => {
    const board = new HealthBoard(designChecks, 2);
    expect(board.checkersOf(endpointCheck(voteIds[0]))).toHaveLength(16);
  });

  // "Route 53 considers a new health check to be healthy until there's enough data"; inverted: "unhealthy until
  // there's enough data". Enough: 18 % or fewer are left that have not collected their failures [inferred].
  it('starts an inverted check unhealthy and turns it when all but 18 % of its checkers have reported', () => {
    const check = endpointCheck('vote');
    const board = new HealthBoard([check], 2);
    expect(board.isHealthy('vote')).toBe(false);
    const turnedAt = board
      .checkersOf(check)
      .findIndex((checker) => board.report('vote', checker, false).length > 0);
    expect(turnedAt + 1).toBe(14);
    expect(board.isHealthy('vote')).toBe(true);
  });

  it('starts other checks healthy', () => {
    const board = new HealthBoard([endpointCheck('plain', { inverted: false })], 2);
    expect(board.isHealthy('plain')).toBe(true);
  });

  it('turns an inverted check unhealthy with the third of 16 checkers that sees the marker', () => {
    const check = endpointCheck('vote');
    const board = new HealthBoard([check], 2);
    reportAll(board, check, false);
    const turnedAt = board.checkersOf(check).findIndex((id) => board.report('vote', id, true).length > 0);
    expect(turnedAt + 1).toBe(3);
  });

  it('reports a calculated check after the endpoint check that turned it, and only when it turns', () => {
    const board = new HealthBoard(designChecks, 1);
    const [first, second, third] = voteIds.map((id) => endpointCheck(id));
    if (!first || !second || !third) throw new Error('three votes');
    expect(board.isHealthy('quorum')).toBe(false);
    expect(reportAll(board, first, false).map((change) => change.healthCheckId)).toEqual([first.id]);
    expect(reportAll(board, second, false)).toEqual([
      { healthCheckId: second.id, kind: 'endpoint', healthy: true },
      { healthCheckId: 'quorum', kind: 'calculated', healthy: true },
    ]);
    expect(reportAll(board, third, false).map((change) => change.healthCheckId)).toEqual([third.id]);
    expect(reportAll(board, third, true).map((change) => change.healthCheckId)).toEqual([third.id]);
    expect(board.isHealthy('quorum')).toBe(true);
  });

  it('agrees with a calculation from scratch after any sequence of reports', () => {
    const report = fc.record({ vote: fc.nat(2), checker: fc.nat(7), passed: fc.boolean() });
    fc.assert(
      fc.property(fc.array(report, { maxLength: 120 }), (reports) => {
        const board = new HealthBoard(designChecks, 1);
        for (const { vote, checker, passed } of reports) {
          const id = voteIds[vote] ?? voteIds[0];
          board.report(id, board.checkersOf(endpointCheck(id))[checker] ?? '', passed);
        }
        const healthyVotes = voteIds.filter((id) => board.isHealthy(id)).length;
        expect(board.isHealthy('quorum')).toBe(calculatedHealthy(quorum, healthyVotes));
      }),
    );
  });

  it('keeps the opinions of checkers that stay when the checks are read again', () => {
    const check = endpointCheck('vote');
    const board = new HealthBoard([check], 1);
    reportAll(board, check, false);
    expect(board.replace([check, endpointCheck('new')])).toEqual([]);
    expect(board.isHealthy('vote')).toBe(true);
    expect(board.isHealthy('new')).toBe(false);
  });

  it('says what changed when an operator inverts a check', () => {
    const board = new HealthBoard([endpointCheck('plain', { inverted: false })], 1);
    expect(board.replace([endpointCheck('plain', { inverted: true })])).toEqual([
      { healthCheckId: 'plain', kind: 'endpoint', healthy: false },
    ]);
  });

  it('leaves everything in place when the new checks are refused', () => {
    const board = new HealthBoard(designChecks, 1);
    expect(() => board.replace([calculatedCheck('sum', { children: ['gone'] })])).toThrow(/gone/);
    expect(board.isHealthy('quorum')).toBe(false);
    expect(() => board.isHealthy('sum')).toThrow(/sum/);
  });
});

describe('published health', () => {
  it('follows each change after the delay, in order', () => {
    const published = new PublishedHealth(2_000);
    published.reset([endpointCheck('vote')], () => true);
    published.follow({ healthCheckId: 'vote', kind: 'endpoint', healthy: false }, 10_000);
    published.follow({ healthCheckId: 'vote', kind: 'endpoint', healthy: true }, 10_500);
    expect([11_999, 12_000, 12_499, 12_500].map((nowMs) => published.isHealthy('vote', nowMs))).toEqual([
      true,
      false,
      false,
      true,
    ]);
  });
});
