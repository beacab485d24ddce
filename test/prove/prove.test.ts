import { describe, expect, test } from 'vitest';
import { assumptions } from '../../lib/assumptions/assumptions.ts';
import { experimentNames, experiments } from '../../lib/assumptions/experiments.ts';
import { AwsClients } from '../../lib/operate/clients.ts';
import type { World } from '../../lib/operate/world.ts';
import type { RunnableCheck } from '../../lib/prove/check.ts';
import { type ProveContext, pause } from '../../lib/prove/context.ts';
import { confirmed, refuted } from '../../lib/prove/judgement.ts';
import { countsOf, type ProveOptions, prove } from '../../lib/prove/prove.ts';
import { config } from '../operate/fixtures/readings.ts';

const all = new Set(assumptions.map(({ id }) => id));
const world: World = {
  file: 'world.json',
  localStackUrl: 'http://127.0.0.1:4566',
  dnsServer: '127.0.0.1:53',
  zone: { id: 'Z1', name: 'example.com' },
};
const allRefuse = Object.fromEntries(
  experimentNames.map((name) => [name, { run: () => Promise.reject(new Error('not this one')) }]),
) as unknown as Required<ProveOptions>['checks'];

interface Setup {
  readonly local?: boolean;
  readonly signal?: AbortSignal;
  readonly refusals?: readonly string[];
  readonly rehearsing?: boolean;
  readonly checks?: Partial<ProveOptions['checks']>;
}

function proving({ local, signal, refusals = [], rehearsing = false, checks }: Setup) {
  const ran: string[] = [];
  const context: ProveContext = {
    id: 'p1',
    config,
    clients: new AwsClients({ who: 'test', timeoutMs: 1_000 }),
    owner: 'ana',
    reason: 'test',
    rehearsing,
    signal: signal ?? new AbortController().signal,
    nowMs: () => Date.now(),
    say: (text) => void ran.push(text.split(':')[0] ?? ''),
    ...(local ? { world } : {}),
  };
  const rows = prove({
    context,
    only: all,
    refusals: () => Promise.resolve(refusals),
    checks: { ...allRefuse, ...checks },
  });
  return { ran, rows };
}

const cborIs = (judgement: ReturnType<typeof confirmed>): RunnableCheck => ({
  run: async () => new Map([['kinesis-cbor', judgement]]),
});

describe('a run', () => {
  test('has a row for every statement, and goes on after an experiment that fails', async () => {
    const { rows, ran } = proving({ checks: { cbor: cborIs(confirmed({ requests: 2 })) } });
    const report = await rows;
    expect(report.map(({ id }) => id)).toEqual([...all]);
    expect(ran).toEqual(experimentNames);
    expect(countsOf(report)).toEqual({ confirmed: 1, refuted: 0, notRun: all.size - 1 });
    const by = new Map(report.map((row) => [row.id, row]));
    expect(by.get('kinesis-cbor')).toMatchObject({ verdict: 'confirmed', figures: { requests: 2 } });
    expect(by.get('propagation')).toMatchObject({
      verdict: 'not-run',
      experiment: 'health-check',
      reason: 'could not be carried out: not this one',
    });
    expect(by.get('kinesis-cellular')).toMatchObject({
      verdict: 'not-run',
      reason: expect.stringMatching(/outage/),
    });
  });

  test('asks the guards before whatever touches something, and goes on with the rest', async () => {
    const { rows } = proving({ refusals: ['EVACUATE votes come from us-east-2 (votes)'] });
    for (const { experiment, verdict, ...row } of await rows) {
      if (experiment === undefined) continue;
      const reason = 'reason' in row ? row.reason : '';
      expect(verdict).toBe('not-run');
      expect(reason.startsWith('refused: EVACUATE votes'), experiment).toBe(experiments[experiment].touches);
    }
  });

  test('that is interrupted says so of what it has not done', async () => {
    const interrupted = new AbortController();
    const { rows, ran } = proving({
      signal: interrupted.signal,
      checks: {
        deployment: {
          run: async (context) => {
            interrupted.abort(new Error('Ctrl-C'));
            await pause(context, 1);
            return new Map();
          },
        },
      },
    });
    const reasons = (await rows).flatMap((row) =>
      row.experiment !== undefined && row.verdict === 'not-run' ? [row.reason] : [],
    );
    expect(new Set(reasons)).toEqual(new Set(['interrupted', 'interrupted before it began']));
    expect(ran).toEqual(['deployment']);
  });

  test('in a local world confirms nothing, says what LocalStack cannot tell, and what was seen there', async () => {
    const { rows, ran } = proving({ local: true, checks: { cbor: cborIs(refuted({}, 'odd')) } });
    const report = await rows;
    expect(ran).toEqual(experimentNames.filter((name) => experiments[name].local.runs));
    for (const row of report) {
      expect(row.verdict).toBe('not-run');
      expect('reason' in row && row.reason, row.id).toMatch(/^LocalStack/);
    }
    const local = new Map(report.map((row) => [row.id, row.local]));
    expect(local.get('kinesis-cbor')).toEqual({ verdict: 'refuted', note: 'odd' });
    expect(local.get('canary-read-after-write')).toMatchObject({ verdict: 'not-run' });
    expect(local.get('propagation')).toBeUndefined();
  });
});
