import { beforeEach, describe, expect, it } from 'vitest';
import type { DrillEvent } from '../../../lib/local/drill/events.ts';
import { FaultControl } from '../../../lib/local/drill/fault-control.ts';
import { parseScenario } from '../../../lib/scenario/parse.ts';
import type { Scenario } from '../../../lib/scenario/schema.ts';

const scenario: Scenario = parseScenario(
  `
name: two-dips
title: Two dips
duration: 10m
faults:
  - { at: 0s, for: 1m, where: { region: primary, service: kinesis }, effect: { kind: error } }
  - { at: 3m, for: 60s, where: { region: primary, service: sts }, effect: { kind: throttle } }
expect: { verdict: failover }
`,
  'two-dips.yaml',
);

let nowMs: number;
let events: DrillEvent[];
let calls: string[];
beforeEach(() => {
  nowMs = 1_000_000;
  events = [];
  calls = [];
});

const control = (playingSinceMs: number | undefined): FaultControl =>
  new FaultControl({
    proxy: { play: ({ name }) => calls.push(`play ${name}`), clear: () => calls.push('clear') },
    scenario,
    playingSinceMs,
    now: () => nowMs,
    onEvent: (event) => events.push(event),
  });

const kinesis = 'primary kinesis every operation: error, 100 %';
const sts = 'primary sts every operation: throttle, 100 %';
const texts = (): string[] => events.map((event) => ('text' in event ? event.text : event.kind));

describe('the faults of a kept world', () => {
  it('are those of the scenario, as it has gone on since the drill', () => {
    const faults = control(nowMs - 30_000);
    const inForce = { text: kinesis, sinceMs: nowMs - 30_000, untilMs: nowMs + 30_000 };
    const toCome = { text: sts, sinceMs: nowMs + 150_000, untilMs: nowMs + 210_000 };
    expect(faults.now()).toEqual({ inForce: [inForce], toCome: [toCome] });
  });

  it('end at once when a person says so: those in force, and those to come', () => {
    const faults = control(nowMs - 30_000);
    const end = faults.end('ana');
    expect(end).toMatchObject({ atMs: nowMs, ended: [{ text: kinesis }], cancelled: [{ text: sts }] });
    expect(calls).toEqual(['clear']);
    expect(texts()).toEqual(['the faults end, by ana (1 in force, 1 to come)']);
    expect(faults.now()).toEqual({ inForce: [], toCome: [] });
    nowMs += 600_000;
    faults.tell();
    expect(texts()).toHaveLength(1);
  });

  it('have ended already after a failback: then there is nothing to end', () => {
    expect(control(undefined).end('ana')).toEqual({ atMs: nowMs, ended: [], cancelled: [] });
  });

  it('are told when they begin and end by themselves, each once', () => {
    const faults = control(nowMs - 30_000);
    faults.tell();
    expect(texts()).toEqual([]);
    nowMs += 60_000;
    faults.tell();
    faults.tell();
    expect(texts()).toEqual([`ends by itself: ${kinesis}`]);
    nowMs += 90_000;
    faults.tell();
    expect(events.at(-1)).toEqual({ kind: 'fault', atMs: nowMs, text: sts });
  });

  it('come again from the first one when a person begins them anew, also after their end', () => {
    const faults = control(nowMs - 30_000);
    faults.end('ana');
    nowMs += 600_000;
    const begun = faults.begin('ana');
    expect(calls).toEqual(['clear', 'play two-dips']);
    expect(begun.inForce.map(({ sinceMs }) => sinceMs)).toEqual([nowMs]);
    expect(begun.toCome.map(({ sinceMs }) => sinceMs)).toEqual([nowMs + 180_000]);
    expect(events.at(-1)).toEqual({ kind: 'fault', atMs: nowMs, text: kinesis });
    nowMs += 60_000;
    faults.tell();
    expect(texts().at(-1)).toBe(`ends by itself: ${kinesis}`);
  });
});
