import { describe, expect, it } from 'vitest';
import { parseConfig } from '../../../lib/config/parse.ts';
import type { ConsumerCount } from '../../../lib/local/drill/consumer-measure.ts';
import { cpuShare } from '../../../lib/local/drill/cpu-share.ts';
import { DrillError } from '../../../lib/local/drill/errors.ts';
import { type PaceSummary, paceSummary } from '../../../lib/local/drill/pace.ts';
import { type Evidence, judge } from '../../../lib/local/drill/result.ts';
import { asSlowDeploy, asTooSlow, calm, slowness } from '../../../lib/local/drill/too-slow.ts';
import { parseScenario } from '../../../lib/scenario/parse.ts';
import { leastInput } from '../../config/inputs.ts';

const minute = (n: number, p50Ms: number) => ({
  ...{ minute: n, calls: 2_000, late: 40, lagMs: 12, processes: [] },
  puts: { p50Ms, p95Ms: 3 * p50Ms },
  reads: { p50Ms: null, p95Ms: null },
});
const minutes = [minute(1, 140), minute(2, 390)];
const paceOf = (share: number) => ({ minutes, worstLateShare: () => share });
const reason = 'the machine is too slow to judge';

describe('a machine', () => {
  it('is fast enough while few calls are late', () => {
    expect(slowness(paceOf(0.01), 0)).toBeUndefined();
  });

  it('is too slow with more of them, and the figures are told', () => {
    const text = slowness(paceOf(0.072), 0);
    expect(text).toContain(`${reason}: within half a minute 7.2 % of the calls`);
    expect(text).toContain('p50: 140, 390 ms; p95: 420, 1170 ms');
  });

  it('leaves its figures in the result, minute by minute', () => {
    expect(paceSummary(minutes)).toEqual({
      putP50Ms: [140, 390],
      putP95Ms: [420, 1_170],
      readP50Ms: [0, 0],
      readP95Ms: [0, 0],
      late: [40, 40],
      calls: [2_000, 2_000],
    } satisfies PaceSummary);
  });
});

describe('a wait in vain', () => {
  const inVain = new DrillError('Waited 180 s for rest.', 'not-at-rest');

  it('is put down to the machine where that is too slow, with its cause', () => {
    expect(asTooSlow(inVain, reason)).toMatchObject({
      kind: 'too-slow',
      message: `Waited 180 s for rest. But ${reason}.`,
      cause: inVain,
    });
    const refused = new DrillError('failback was refused', 'failback-refused');
    expect(asTooSlow(refused, reason)).toMatchObject({ kind: 'too-slow' });
  });

  it('stays what it is on a fast machine, and so does what no slowness explains', () => {
    expect(asTooSlow(inVain, undefined)).toBe(inVain);
    for (const error of [new DrillError('gone', 'localstack-died'), new TypeError('a bug')]) {
      expect(asTooSlow(error, reason)).toBe(error);
    }
  });
});

describe('a deployment that ran out of time', () => {
  const late = new Error('The deployment was not complete within 300 s.');

  it('is put down to the machine where a process gets less than half a core', () => {
    expect(asSlowDeploy(late, 0.2)).toMatchObject({
      kind: 'too-slow',
      message: `${late.message} But ${reason}: a busy process gets only 20 % of a core.`,
      cause: late,
    });
    expect(asSlowDeploy(late, 0.6)).toBe(late);
  });

  it('measures that share itself', () => {
    expect(cpuShare()).toBeGreaterThan(0);
    expect(cpuShare()).toBeLessThanOrEqual(1);
  });
});

describe('before the faults', () => {
  const told: string[] = [];
  const options = { onProgress: (text: string) => void told.push(text), signal: AbortSignal.timeout(60_000) };

  it('a calm machine is not waited for, and a slow one until it is calm', async () => {
    await calm(paceOf(0), options);
    expect(told).toEqual([]);
    let asked = 0;
    await calm({ minutes, worstLateShare: () => (asked++ === 0 ? 0.5 : 0) }, options);
    expect(told).toEqual(['waiting for this machine to answer in time']);
  });

  it('an interruption ends the wait', async () => {
    const stop = new Error('Ctrl-C');
    await expect(calm(paceOf(0.5), { ...options, signal: AbortSignal.abort(stop) })).rejects.toMatchObject({
      cause: stop,
    });
  });
});

describe('the judgement of a drill', () => {
  const scenario = parseScenario(
    'name: t\nduration: 1h\nfaults: [{ at: 0s, where: { region: primary }, effect: { kind: error } }]\nexpect: { verdict: failover }',
    't.yaml',
  );
  const acknowledgement = { id: 'r-p1-0', producer: 'p1', region: 'us-east-1', putAtMs: 1_000, atMs: 1_000 };
  const allProcessed: ConsumerCount = {
    ...{ processed: 1, lost: 0, duplicates: 0, reordered: 0, late: 0, stranded: 0 },
    ...{ normalDelayMs: 2_000, rtoMs: 0 },
  };
  const evidence: Evidence = {
    config: parseConfig(leastInput, 'spillway.config.json'),
    scenario,
    faultAtMs: 0,
    events: [{ kind: 'dns', atMs: 0, cell: 'orders', region: 'us-east-1' }],
    acknowledgements: [acknowledgement],
    endMs: 120_000,
    failback: undefined,
    operatorFailures: [],
    calls: [],
    found: { inStreams: [acknowledgement.id], onDisk: [], run: 'r', keys: 20 },
    consumed: allProcessed,
    rejected: 0,
    cut: false,
    pace: paceSummary(minutes),
    slowness: undefined,
    seed: 1,
  };

  it('is a failure on a machine that was fast enough', () => {
    const result = judge(evidence);
    expect(result).toMatchObject({ ok: false, judged: true, failedBy: ['verdict'] });
    expect(result.notJudged).toBeUndefined();
  });

  it('is none on one that was too slow: neither failed nor held', () => {
    const slow = { ...evidence, slowness: reason };
    expect(judge(slow)).toMatchObject({ ok: false, judged: false, notJudged: reason, failedBy: ['verdict'] });
  });

  it('excuses no lost record, no order broken, no rejected put and no forbidden call', () => {
    const slow = { ...evidence, slowness: reason };
    const lost = { ...slow, found: { ...slow.found, inStreams: [] } };
    expect(judge(lost)).toMatchObject({ ok: false, judged: true, failedBy: ['lost', 'verdict'] });
    expect(judge({ ...slow, rejected: 1 })).toMatchObject({
      judged: true,
      failedBy: ['rejected', 'verdict'],
    });
    const ids = ['r-p1-20', 'r-p1-0'];
    const order = {
      ...slow,
      acknowledgements: ids.map((id) => ({ ...acknowledgement, id })),
      found: { ...slow.found, inStreams: ids },
    };
    expect(judge(order)).toMatchObject({ judged: true, failedBy: ['order', 'verdict'] });
    const unread = judge({ ...slow, consumed: { ...allProcessed, reordered: 1 } });
    expect(unread).toMatchObject({ judged: true, failedBy: ['consumer-order', 'verdict'] });
    const call = { who: 'vote eu-west-1', service: 'kinesis', operation: 'PutRecord', region: 'us-east-1' };
    const audited = judge({ ...slow, calls: [{ ...call, endpoint: '127.0.0.1' }] });
    expect(audited).toMatchObject({ judged: true, failedBy: ['verdict', 'audit'] });
  });

  it('wants every record processed, and the consumers back to normal soon after the producers', () => {
    const moved = {
      ...evidence,
      scenario: { ...scenario, expect: { verdict: 'failover', withinMs: 60_000 } },
      events: [
        ...evidence.events,
        { kind: 'dns', atMs: 1, cell: 'orders', region: 'us-west-2' },
        { kind: 'switch', atMs: 2, group: 'orders', position: 'STANDBY', epoch: 1 },
      ],
    } as const;
    const failedBy = (consumed: Partial<ConsumerCount>) =>
      judge({ ...moved, consumed: { ...allProcessed, ...consumed } }).failedBy.filter(
        (about) => about === 'unprocessed' || about.startsWith('consumer'),
      );
    expect(failedBy({ rtoMs: 75_000 })).toEqual([]);
    expect(failedBy({ rtoMs: 75_001 })).toEqual(['consumer-arrival']);
    expect(failedBy({ rtoMs: null })).toEqual(['consumer-arrival']);
    expect(failedBy({ lost: 1, reordered: 1 })).toEqual(['unprocessed', 'consumer-order']);
    const held = { ...evidence, scenario: { ...scenario, expect: { verdict: 'hold' } } } as const;
    expect(judge({ ...held, consumed: { ...allProcessed, rtoMs: null } })).toMatchObject({ ok: true });
  });

  it('needs no excuse for a drill that held', () => {
    const hold = {
      ...evidence,
      slowness: reason,
      scenario: { ...scenario, expect: { verdict: 'hold' } },
    } as const;
    expect(judge(hold)).toMatchObject({ ok: true, judged: true, failures: [] });
  });

  it('of a flood is its own, and what it moved is no recovery from the faults before it', () => {
    const flood = {
      ok: false,
      requestsPerSecond: 1_000,
      forMs: 60_000,
      reserved: 100,
      expected: 'holds',
      sent: 60_000,
      refused: 0,
      unsent: 0,
      answersChanged: 2,
      sinceMs: 10_000,
      failures: ['it moved'],
    } as const;
    const moved = Array.from({ length: 400 }, (_, n) =>
      ['p1', 'p2', 'p3'].map((producer) => ({
        id: `r-${producer}-${n * 20}`,
        producer,
        region: 'us-west-2',
        putAtMs: 20_000 + n * 100,
        atMs: 20_000 + n * 100,
      })),
    ).flat();
    const found = { ...evidence.found, inStreams: moved.map(({ id }) => id) };
    const hold = { ...scenario, expect: { verdict: 'hold' } } as const;
    const seen = { ...evidence, scenario: hold, acknowledgements: moved, found };
    expect(judge(seen).rtoMs).not.toBeNull();
    expect(judge({ ...seen, flood })).toMatchObject({
      ok: false,
      rtoMs: null,
      failedBy: ['flood'],
      flood: { answersChanged: 2, ok: false },
    });
    expect(judge({ ...seen, flood }).flood).not.toHaveProperty('failures');
  });
});
