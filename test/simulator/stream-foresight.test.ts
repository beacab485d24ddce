import { describe, expect, test } from 'vitest';
import type { ProbeOutcome } from '../../lambda/core/probe.ts';
import { addStreams, type StreamsEvidence } from '../../lambda/core/streams.ts';
import type { WatchedCell } from '../../lambda/core/watched-cells.ts';
import { BaselineFailures } from '../../lib/simulator/baseline.ts';
import { foreseeStreams } from '../../lib/simulator/stream-foresight.ts';
import { STREAM_SLOTS, type StreamProbeReport } from '../../lib/simulator/stream-probing.ts';
import { deployed } from './deployed.ts';

const { policy } = deployed;
const cells: readonly WatchedCell[] = [{ cell: 'orders', group: 'orders', probe: 'always' }];
const START_MS = 1_800_000_000_000;
const WARM_UP_ROUNDS = 40;
const timeOf = (round: number): number => START_MS + round * policy.tickMs;
const ok: ProbeOutcome = { ok: true, latencyMs: 60 };
const failed: ProbeOutcome = { ok: false, latencyMs: 60, errorClass: 'server', detail: 'InternalFailure' };

/** Two puts, and four more if one of them fails: as the plan has it for a turn. */
function reportOf(slots: readonly number[]): StreamProbeReport {
  const put = (slot: number): ProbeOutcome => (slots.includes(slot) ? failed : ok);
  const first = [0, 1].map(put);
  const primary = first.every((outcome) => outcome.ok) ? first : [...first, ...[2, 3, 4, 5].map(put)];
  const isQuiet = primary.every((outcome) => outcome.ok);
  return { probed: [{ cell: 'orders', primary, standby: [] }], tookMs: 60, isQuiet };
}

function walk(before: StreamsEvidence | undefined, round: number, slots: readonly number[]) {
  const readings = {
    cells,
    probed: reportOf(slots).probed,
    lastTurn: 'orders',
    beacons: [],
    switches: [],
  };
  return addStreams(before, { readings, atMs: timeOf(round) }, policy);
}

let well: StreamsEvidence | undefined;
for (let round = 0; round < WARM_UP_ROUNDS; round++) well = walk(well, round, []);

function foresee(options: { rate: number; seed: number; limit: number; endsInTime?: boolean }) {
  const { rate, seed, limit, endsInTime = true } = options;
  const baseline = new BaselineFailures({ seed, rate, slots: STREAM_SLOTS });
  return foreseeStreams(
    {
      streams: well,
      cells,
      policy,
      baseline,
      nextRound: WARM_UP_ROUNDS,
      firstAtMs: timeOf(WARM_UP_ROUNDS),
      probe: (after) => reportOf(baseline.foreseen(WARM_UP_ROUNDS + after)),
      endsInTime: () => endsInTime,
    },
    limit,
  );
}

/** What fails in each round, drawn once more from the same seed. */
function drawn({ rate, seed, rounds }: { rate: number; seed: number; rounds: number }) {
  const baseline = new BaselineFailures({ seed, rate, slots: STREAM_SLOTS });
  return Array.from({ length: WARM_UP_ROUNDS + rounds }, (_, round) => baseline.take(round));
}

describe('rounds of rest in which a record fails', () => {
  test('leave what the core would know, round by round', () => {
    const question = { rate: 1e-3, seed: 5, limit: 8_000 };
    const { failures, rounds } = foresee(question);
    const slots = drawn({ ...question, rounds });

    const known = new Map<number, StreamsEvidence | undefined>();
    let walked = well;
    for (let after = 0; after < rounds; after++) {
      const round = WARM_UP_ROUNDS + after;
      walked = walk(walked, round, slots[round] ?? []);
      if ((slots[round] ?? []).some((slot) => slot < 2)) known.set(after, walked);
    }

    expect(failures.length).toBeGreaterThan(3);
    expect(failures.map(({ after }) => after)).toEqual([...known.keys()]);
    for (const { after, streams } of failures) expect(streams).toEqual(known.get(after));
  });

  test('end with a round that leaves a stream uneasy', () => {
    const question = { rate: 0.1, seed: 5, limit: 8_000 };
    const { failures, rounds } = foresee(question);
    const slots = drawn({ ...question, rounds: rounds + 1 });
    let walked = failures.at(-1)?.streams ?? well;
    const from = (failures.at(-1)?.after ?? -1) + 1;
    for (let after = from; after <= rounds; after++) {
      const round = WARM_UP_ROUNDS + after;
      walked = walk(walked, round, slots[round] ?? []);
    }

    expect(rounds).toBeLessThan(question.limit);
    const { test: score, wellAtMs } = walked?.cells.orders ?? {};
    expect(score?.score !== 0 || wellAtMs !== walked?.atMs).toBe(true);
  });

  test('end before a round that may last into the next', () => {
    const question = { rate: 1e-3, seed: 5, limit: 8_000 };

    expect(foresee({ ...question, endsInTime: false })).toEqual({
      rounds: foresee(question).failures[0]?.after,
      failures: [],
    });
  });

  test('are a limited number', () => {
    expect(foresee({ rate: 1e-3, seed: 5, limit: Number.POSITIVE_INFINITY }).failures.length).toBeLessThan(
      51,
    );
    expect(foresee({ rate: 0, seed: 5, limit: Number.POSITIVE_INFINITY })).toEqual({
      rounds: Number.POSITIVE_INFINITY,
      failures: [],
    });
  });
});
