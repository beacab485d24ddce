import { describe, expect, test } from 'vitest';
import type { ProbeOutcome } from '../../lambda/core/probe.ts';
import { addStreams, type StreamsEvidence } from '../../lambda/core/streams.ts';
import type { WatchedCell } from '../../lambda/core/watched-cells.ts';
import { BaselineFailures } from '../../lib/simulator/baseline.ts';
import { nextStreamFailure, quietStreams, streamsAreIdle } from '../../lib/simulator/idle-streams.ts';
import { STREAM_SLOTS } from '../../lib/simulator/stream-probing.ts';
import { deployed } from './deployed.ts';

const { policy } = deployed;
const ok: ProbeOutcome = { ok: true, latencyMs: 0 };
const failed: ProbeOutcome = { ok: false, latencyMs: 0, errorClass: 'server', detail: 'InternalFailure' };
const START_MS = 1_800_000_000_000;
const timeOf = (round: number): number => START_MS + round * policy.tickMs;

const watched = (cell: string, probe: WatchedCell['probe']): WatchedCell => ({ cell, group: cell, probe });
const cells = [watched('orders', 'always'), watched('clicks', 'onSuspicion'), watched('events', 'always')];

interface Round {
  readonly before: StreamsEvidence | undefined;
  readonly round: number;
  /** Outcomes of the streams that are not simply well. */
  readonly outcomes?: Readonly<Record<string, readonly ProbeOutcome[]>>;
}

/** One round of the core, in which the two streams that are always probed take both of their records. */
function walk({ before, round, outcomes = {} }: Round): StreamsEvidence | undefined {
  const all = { orders: [ok, ok], events: [ok, ok], ...outcomes };
  const probed = Object.entries(all).map(([cell, primary]) => ({ cell, primary, standby: [] }));
  const readings = { cells, probed, lastTurn: 'events', beacons: [], switches: [] };
  return addStreams(before, { readings, atMs: timeOf(round) }, policy);
}

function streamsAfter(
  rounds: number,
  outcomesOf: (round: number) => Round['outcomes'] = () => undefined,
): StreamsEvidence | undefined {
  let streams: StreamsEvidence | undefined;
  for (let round = 0; round < rounds; round++) {
    const outcomes = outcomesOf(round);
    streams = walk({ before: streams, round, ...(outcomes && { outcomes }) });
  }
  return streams;
}

const six = Array<ProbeOutcome>(6).fill(ok);
const histories = [
  ['that have always been well', streamsAfter(40)],
  ['that were met lately', streamsAfter(2)],
  [
    'one of which failed once, and was looked at harder',
    streamsAfter(40, (round) =>
      round === 37 ? { orders: [failed, ok, ...six] } : round > 37 ? { orders: six, clicks: six } : undefined,
    ),
  ],
] as const;

describe.each(histories)('streams %s', (_, streams) => {
  test.each([1, 2, 3, 11, 12, 13, 40])('are after %d rounds as the core would have them', (rounds) => {
    if (streams === undefined) throw new Error('There is no evidence.');
    const from = (streams.atMs - START_MS) / policy.tickMs + 1;
    let walked: StreamsEvidence | undefined = streams;
    for (let n = 0; n < rounds; n++) walked = walk({ before: walked, round: from + n });
    const lastAtMs = timeOf(from + rounds - 1);

    expect(streamsAreIdle(streams, { cells, lastRoundAtMs: streams.atMs })).toBe(true);
    expect(quietStreams(streams, { rounds, lastAtMs, cells }, policy)).toEqual(walked);
  });
});

describe('streams are not idle', () => {
  const idle = (streams: StreamsEvidence | undefined, list = cells): boolean =>
    streamsAreIdle(streams, { cells: list, lastRoundAtMs: streams?.atMs ?? 0 });

  test('while one of them fails', () => {
    expect(idle(streamsAfter(40, (round) => (round === 39 ? { orders: [failed, ok] } : undefined)))).toBe(
      false,
    );
    expect(idle(streamsAfter(40, (round) => (round === 39 ? { clicks: [failed, failed] } : undefined)))).toBe(
      false,
    );
  });

  test('before those that are always probed have been', () => {
    expect(idle(undefined)).toBe(false);
    expect(idle(undefined, [watched('clicks', 'onSuspicion')])).toBe(true);
    expect(idle(streamsAfter(40), [...cells, watched('more', 'always')])).toBe(false);
  });

  test('when there are more of them than a round probes', () => {
    const many = Array.from({ length: 7 }, (_, n) => watched(`cell-${n}`, 'always'));
    expect(idle({ ...(streamsAfter(40) as StreamsEvidence), cells: {} }, many)).toBe(false);
  });
});

test('the next record of an idle stream that fails for no reason is found, and no record that is not made', () => {
  const options = { seed: 3, rate: 0.002, slots: STREAM_SLOTS };
  const made = new Set([0, 1, 8, 9]);
  const all = new BaselineFailures(options);
  const failing = Array.from({ length: 2_000 }, (_, round) => all.take(round)).flatMap((slots, round) =>
    slots.some((slot) => made.has(slot)) ? [round] : [],
  );
  const baseline = new BaselineFailures(options);

  expect(failing.length).toBeGreaterThan(5);
  expect(nextStreamFailure({ cells, baseline, from: 0 })).toBe(failing[0]);
  expect(nextStreamFailure({ cells, baseline, from: (failing[0] ?? 0) + 1 })).toBe(failing[1]);
  expect(nextStreamFailure({ cells: [watched('a', 'never')], baseline, from: 0 })).toBe(
    Number.POSITIVE_INFINITY,
  );
});
