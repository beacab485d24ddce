import { describe, expect, it } from 'vitest';
import { byArrival } from '../../../lib/local/drill/by-arrival.ts';
import type { Acknowledgement, DrillEvent } from '../../../lib/local/drill/events.ts';
import {
  commonDiagnosis,
  countRecords,
  detectMs,
  type Found,
  finalRegions,
  flipMs,
  flips,
  latchedMs,
  rtoMs,
} from '../../../lib/local/drill/measure.ts';

const FAULT = 1_000_000;
const observer = (
  afterMs: number,
  region: string,
  vote: 'HOLD' | 'EVACUATE',
  diagnosis = 'KinesisWriteImpaired',
) => ({ kind: 'observer', atMs: FAULT + afterMs, region, vote, diagnosis, comment: '' }) as DrillEvent;
const dns = (afterMs: number, cell: string, region: string): DrillEvent => ({
  kind: 'dns',
  atMs: FAULT + afterMs,
  cell,
  region,
});

describe('detection time', () => {
  const options = { faultAtMs: FAULT, votesToEvacuate: 2 };

  it('is when the second observer votes, not the first', () => {
    const events = [observer(9_000, 'a', 'EVACUATE'), observer(12_000, 'b', 'EVACUATE')];
    expect(detectMs(events, options)).toBe(12_000);
    expect(detectMs(events.slice(0, 1), options)).toBeNull();
  });

  it('is when the second observer accuses one and the same cell, with no guard in the way', () => {
    const cell = (
      afterMs: number,
      region: string,
      name: string,
      refusedBy: readonly string[] = [],
    ): DrillEvent => ({
      ...{ kind: 'cell', atMs: FAULT + afterMs, region, cell: name, refusedBy },
      finding: { kind: 'impaired', reason: '' },
    });
    const first = cell(9_000, 'a', 'orders');
    expect(detectMs([first, cell(12_000, 'b', 'orders')], options)).toBe(12_000);
    expect(detectMs([first, cell(12_000, 'b', 'clicks')], options)).toBeNull();
    expect(detectMs([first, cell(12_000, 'b', 'orders', ['mode'])], options)).toBeNull();
    expect(detectMs([first, observer(12_000, 'b', 'EVACUATE')], options)).toBeNull();
  });

  it('has the diagnosis with which a cell was accused, however short that stood', () => {
    const events: readonly DrillEvent[] = [
      observer(0, 'a', 'HOLD', 'StreamImpaired'),
      {
        ...{ kind: 'cell', atMs: FAULT + 1, region: 'a', cell: 'orders', refusedBy: [] },
        finding: { kind: 'reported', reason: '' },
      },
      observer(5_000, 'a', 'HOLD', 'Healthy'),
    ];
    expect(commonDiagnosis(events, { faultAtMs: FAULT, endMs: FAULT + 600_000 })).toBe('StreamImpaired');
    const without = events.filter(({ kind }) => kind !== 'cell');
    expect(commonDiagnosis(without, { faultAtMs: FAULT, endMs: FAULT + 600_000 })).toBe('Healthy');
  });

  it('wants the votes at the same time', () => {
    const events = [observer(1, 'a', 'EVACUATE'), observer(2, 'a', 'HOLD'), observer(3, 'b', 'EVACUATE')];
    expect(detectMs(events, options)).toBeNull();
  });
});

describe('DNS', () => {
  const calm = [dns(-5_000, 'orders', 'east'), dns(-5_000, 'clicks', 'east')];

  it('has not moved when only the first answers were seen', () => {
    expect(flips(calm)).toBe(0);
    expect(flipMs(calm, { faultAtMs: FAULT, standby: 'west' })).toBeNull();
  });

  it('counts the moves of the cell that moved most', () => {
    const events = [
      ...calm,
      dns(15_000, 'orders', 'west'),
      dns(15_200, 'clicks', 'west'),
      dns(40_000, 'clicks', 'east'),
    ];
    expect(flips(events)).toBe(2);
    expect(flipMs(events, { faultAtMs: FAULT, standby: 'west' })).toBe(15_000);
    expect(Object.fromEntries(finalRegions(events))).toEqual({ orders: 'west', clicks: 'east' });
  });
});

describe('recovery time', () => {
  const acks = (producer: string, region: string, fromMs: number, toMs: number): Acknowledgement[] =>
    Array.from({ length: Math.floor((toMs - fromMs) / 100) }, (_, n) => ({
      id: `${producer}-${fromMs}-${n}`,
      producer,
      region,
      putAtMs: FAULT + fromMs + 100 * n,
      atMs: FAULT + fromMs + 100 * n,
    }));
  const options = { faultAtMs: FAULT, standby: 'west', producers: ['p1', 'p2'] };

  it('is when the last producer has settled', () => {
    const list = [
      ...acks('p1', 'east', -5_000, 1_000),
      ...acks('p1', 'west', 20_000, 40_000),
      ...acks('p2', 'east', -5_000, 500),
      ...acks('p2', 'west', 23_000, 40_000),
    ];
    expect(rtoMs(list, options)).toBe(23_000);
  });

  it('does not exist while one producer gets no answers, however well the other does', () => {
    const list = [...acks('p1', 'west', 20_000, 40_000), ...acks('p2', 'east', -5_000, 500)];
    expect(rtoMs(list, options)).toBeNull();
  });

  it('starts after a relapse into the primary', () => {
    const list = [
      ...acks('p1', 'west', 10_000, 12_000),
      ...acks('p1', 'east', 12_000, 15_000),
      ...acks('p1', 'west', 15_000, 30_000),
    ];
    const settled = rtoMs(list, { ...options, producers: ['p1'] });
    expect(settled).toBeGreaterThanOrEqual(14_000);
    expect(settled).toBeLessThanOrEqual(15_000);
  });

  it('is not claimed before the standby has held for five seconds', () => {
    expect(rtoMs(acks('p1', 'west', 10_000, 13_000), { ...options, producers: ['p1'] })).toBeNull();
  });
});

describe('records', () => {
  const receipt = (id: string): Acknowledgement => ({
    ...{ id, producer: 'p1', region: 'east' },
    ...{ putAtMs: FAULT, atMs: FAULT },
  });

  const nothing = { acknowledged: 0, delivered: 0, lost: 0, duplicates: 0, spooled: 0, reordered: 0 };
  const count = (ids: readonly string[], found: Partial<Found>) =>
    countRecords(ids.map(receipt), { inStreams: [], onDisk: [], run: 'run', keys: 2, ...found });

  it('calls an acknowledged record that is in no stream lost, and copies beyond the first duplicates', () => {
    const inStreams = ['run-p-0', 'run-p-2', 'run-p-2', 'run-p-4'];
    const expected = { ...nothing, acknowledged: 3, delivered: 2, lost: 1, duplicates: 1 };
    expect(count(['run-p-0', 'run-p-2', 'run-p-6'], { inStreams })).toEqual(expected);
  });

  it('counts nothing that an earlier drill left in the streams', () => {
    const inStreams = ['run-p-0', 'earlier-p-0', 'earlier-p-0', 'runner-p-0', 'hello'];
    expect(count(['run-p-0'], { inStreams })).toEqual({ ...nothing, acknowledged: 1, delivered: 1 });
  });

  it('does not call lost what is on disk, and does not count what is in both places as on disk', () => {
    const found = { inStreams: ['run-p-0'], onDisk: ['run-p-0', 'run-p-1'] };
    const expected = { ...nothing, acknowledged: 2, delivered: 1, spooled: 1 };
    expect(count(['run-p-0', 'run-p-1'], found)).toEqual(expected);
  });

  it('counts first copies that come after a later record of their key; other keys and later copies do not matter', () => {
    const ids = [0, 1, 2, 3, 4, 5].map((n) => `run-p-${n}`);
    const inOrder = ['run-p-1', 'run-p-0', 'run-p-2', 'run-p-0', 'run-p-4', 'run-p-3', 'run-p-5'];
    expect(count(ids, { inStreams: inOrder }).reordered).toBe(0);
    const outOfOrder = ['run-p-0', 'run-p-4', 'run-p-2', 'run-p-1', 'run-p-5', 'run-p-3'];
    expect(count(ids, { inStreams: outOfOrder }).reordered).toBe(2);
  });
});

describe('the common diagnosis', () => {
  const span = { faultAtMs: FAULT, endMs: FAULT + 60_000 };

  it('is what most observers said when they voted', () => {
    const events = [
      observer(0, 'a', 'HOLD', 'Healthy'),
      observer(1, 'a', 'EVACUATE'),
      observer(2, 'b', 'EVACUATE', 'RegionUnreachable'),
      observer(3, 'c', 'EVACUATE'),
      observer(4, 'a', 'EVACUATE', 'CloudWatchBlind'),
    ];
    expect(commonDiagnosis(events, span)).toBe('KinesisWriteImpaired');
  });

  it('is Healthy when nobody saw anything else', () => {
    expect(commonDiagnosis([observer(0, 'a', 'HOLD', 'Healthy')], span)).toBe('Healthy');
  });
});

describe('the latch', () => {
  const held = (afterMs: number, group: string, position: 'PRIMARY' | 'STANDBY'): DrillEvent => ({
    kind: 'switch',
    atMs: FAULT + afterMs,
    group,
    position,
    epoch: 1,
  });
  const options = { faultAtMs: FAULT, groups: ['a', 'b'] };

  it('is closed when the last of the groups is held', () => {
    expect(latchedMs([held(5, 'a', 'STANDBY'), held(9, 'b', 'STANDBY')], options)).toBe(9);
  });

  it('is not closed by a group that is let go meanwhile, or was held before the fault', () => {
    const loose = [held(5, 'a', 'STANDBY'), held(6, 'a', 'PRIMARY'), held(9, 'b', 'STANDBY')];
    expect(latchedMs(loose, options)).toBeNull();
    expect(latchedMs([held(-5, 'a', 'STANDBY'), held(9, 'b', 'STANDBY')], options)).toBeNull();
  });
});

describe('records of several streams', () => {
  it('are in the order of their arrival, and those of one stream stay in its order', () => {
    const primary = [1, 2, 2, 7].map((arrivedAtMs, n) => ({ text: `primary ${n}`, arrivedAtMs }));
    const standby = [3, 5].map((arrivedAtMs, n) => ({ text: `standby ${n}`, arrivedAtMs }));
    const order = ['primary 0', 'primary 1', 'primary 2', 'standby 0', 'standby 1', 'primary 3'];
    expect(byArrival([primary, standby])).toEqual(order);
  });
});
