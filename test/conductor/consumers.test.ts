import { describe, expect, it } from 'vitest';
import type { Conductor } from '../../lambda/conductor/conductor.ts';
import { reportOf } from '../../lambda/conductor/run-state.ts';
import { runStep } from '../../lambda/conductor/steps.ts';
import { CONSUMERS_WAIT_MS, stepNamed } from '../../lambda/core/conductor.ts';
import type { ConsumerDigest } from '../../lambda/core/consumer-digest.ts';
import { ConsumersNotSeenError } from '../../lib/conductor/errors.ts';
import type { ConductorStart } from '../../lib/conductor/input.ts';
import type { StandbyConsumer, Taker } from '../../lib/consumers/takers.ts';
import { bench, drive, START_MS } from './bench.ts';

const input: ConductorStart = {
  ...{ action: 'evacuate', trigger: 'asked', epoch: 1 },
  ...{ owner: 'ann', reason: 'a test' },
};
const indexer = { kind: 'lambda', name: 'indexer' } as const;

/** Cells g000 and g001, of which the first names a consumer. */
function world(
  took: (consumer: StandbyConsumer) => Pick<Taker, 'took' | 'ageMs'>,
  more: Partial<Conductor> = {},
) {
  const base = bench(2);
  const asked: StandbyConsumer[][] = [];
  const cells = base.conductor.cells.map((cell, n) => (n === 0 ? { ...cell, consumers: [indexer] } : cell));
  const conductor: Conductor = {
    ...base.conductor,
    cells,
    readTakers: async (consumers) => {
      asked.push([...consumers]);
      return consumers.map((one) => ({ ...one, ...took(one) }));
    },
    ...more,
  };
  return { ...base, conductor, asked };
}

const run = async (made: ReturnType<typeof world>) => reportOf(await drive(input, made));

describe('consumers of the standby, after an evacuation', () => {
  it('are in the journal and the message when they have taken up', async () => {
    const made = world(() => ({ took: 'yes', ageMs: 412 }));
    const report = await run(made);
    expect(report.state).toBe('latched');
    expect(report.findings).toEqual([
      'consumers of the standby that took up: Lambda function indexer of g000, 0.4 s behind',
    ]);
    expect(made.told[0]?.findings).toEqual(report.findings);
    const entry = [...made.table.journal.values()].find(({ what }) => what === 'consumers');
    expect(entry?.after).toEqual({
      tookUp: ['Lambda function indexer of g000, 0.4 s behind'],
      ...{ notSeen: [], seen: 1, unseen: 0, unknown: 0 },
    });
  });

  it('are waited for, a minute at most, and then named', async () => {
    const made = world(() => ({ took: 'no' }));
    let thrown = 0;
    const { conductor } = made;
    const state = await drive(input, made, async (step) => (step === 'arrivals' ? 'stop' : 'go on'));
    const look = () => runStep({ step: 'consumers', state }, conductor);
    for (const untilMs = made.clock.nowMs + CONSUMERS_WAIT_MS - 100; made.clock.nowMs < untilMs; thrown++) {
      await expect(look()).rejects.toThrow(ConsumersNotSeenError);
      made.clock.nowMs += 10_000;
    }
    expect(thrown).toBeGreaterThan(4);
    const after = await look();
    expect(after?.next).toBe('notify');
    expect(after?.findings).toEqual([
      'consumers of the standby of which nothing was seen within 60 s: Lambda function indexer of g000; spillway consumers',
    ]);
  });

  it('are asked for no longer than the machine tries', () => {
    const { attempts, pauseMs, maxPauseMs } = stepNamed('consumers').waitsFor ?? {
      attempts: 0,
      pauseMs: 0,
      maxPauseMs: 0,
    };
    let waitedMs = 0;
    for (let n = 0; n < attempts; n++) waitedMs += Math.min(maxPauseMs, pauseMs * 2 ** n);
    expect(waitedMs).toBeGreaterThan(CONSUMERS_WAIT_MS);
  });

  it('of idle cells are not looked at, and what the survey knew of them is said', async () => {
    const digests: readonly ConsumerDigest[] = [
      {
        cell: 'g000',
        lookedAtMs: START_MS,
        readers: [{ ...indexer, works: 'no', because: ['it is disabled'] }],
      },
      {
        cell: 'g001',
        lookedAtMs: START_MS,
        readers: [{ kind: 'kcl', name: 'app', works: 'yes', because: [] }],
      },
    ];
    const made = world(() => ({ took: 'yes' }), {
      readArrivals: async () => ({ seen: ['g001'], silent: ['g000'], unknown: [], unreadable: [] }),
      readDigests: async () => digests,
    });
    const { findings } = await run(made);
    // The config says nothing of the second cell: whom the survey has found is asked for.
    expect(made.asked.flat()).toEqual([{ cell: 'g001', stream: 'g001', kind: 'kcl', name: 'app' }]);
    expect(findings).toEqual([
      'consumers of the standby that took up: KCL application app of g001',
      'by the last survey, the standby would leave records unread of g000 (Lambda function indexer)',
    ]);
  });

  it('that cannot be asked for hold nothing up', async () => {
    const made = world(() => ({ took: 'unknown' }), {
      readDigests: async () => Promise.reject(new Error('no table')),
    });
    const { state, findings } = await run(made);
    expect(state).toBe('latched');
    expect(findings).toEqual([
      'whether these consumers of the standby took up could not be read: Lambda function indexer of g000',
    ]);
  });
});
