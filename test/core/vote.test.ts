import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { emptyMemory, parseMemory, serializeMemory } from '../../lambda/core/memory.ts';
import { addTick, noEvidence } from '../../lambda/core/observation.ts';
import { classifyError, type ProbeOutcome } from '../../lambda/core/probe.ts';
import { formatSignal, parseSignal } from '../../lambda/core/signal.ts';
import { latchOf, POSITION_REMEMBERED_MS, positionUnread, switchPosition } from '../../lambda/core/switch.ts';
import { liveVote } from '../../lambda/core/vote.ts';

import { policy } from './levels.ts';

const NOW = 1_800_000_000_000;
const failed: ProbeOutcome = { ok: false, latencyMs: 30, errorClass: 'server', detail: '' };
const evacuate = { vote: 'EVACUATE', decidedAtMs: NOW - 5_000, expiresAtMs: NOW + 25_000 };

describe('a stored vote', () => {
  it('is served until it expires', () => {
    expect(liveVote(evacuate, NOW)).toBe('EVACUATE');
    expect(liveVote(evacuate, evacuate.expiresAtMs - 1)).toBe('EVACUATE');
    expect(liveVote(evacuate, evacuate.expiresAtMs)).toBe('HOLD');
  });

  it('reads HOLD when missing, malformed, from the future or without end', () => {
    for (const item of [
      undefined,
      null,
      'EVACUATE',
      {},
      { ...evacuate, vote: 'evacuate' },
      { ...evacuate, vote: undefined },
      { ...evacuate, expiresAtMs: '1800000025000' },
      { ...evacuate, expiresAtMs: Number.POSITIVE_INFINITY },
      { ...evacuate, expiresAtMs: NOW + 365 * 86_400_000 },
      { ...evacuate, decidedAtMs: NOW + 60_000, expiresAtMs: NOW + 90_000 },
      { vote: 'EVACUATE', expiresAtMs: NOW + 1_000 },
    ]) {
      expect(liveVote(item, NOW)).toBe('HOLD');
    }
  });

  it('never throws, and says EVACUATE only for an item that says so', () => {
    fc.assert(fc.property(fc.anything(), (item) => liveVote(item, NOW) === 'HOLD'));
  });
});

describe('a switch', () => {
  it('is in PRIMARY unless an item says otherwise', () => {
    expect(switchPosition(undefined)).toBe('PRIMARY');
    expect(switchPosition({ position: 'standby' })).toBe('PRIMARY');
    expect(switchPosition({ position: 'STANDBY' })).toBe('STANDBY');
  });

  it('is remembered for some minutes while it cannot be read, and then is in PRIMARY', () => {
    const last = { position: 'STANDBY', readAtMs: NOW } as const;
    expect(positionUnread(undefined, NOW)).toBe('PRIMARY');
    expect(positionUnread(last, NOW + POSITION_REMEMBERED_MS)).toBe('STANDBY');
    expect(positionUnread(last, NOW + POSITION_REMEMBERED_MS + 1)).toBe('PRIMARY');
    expect(positionUnread(last, NOW - 1)).toBe('PRIMARY');
  });

  it('latches only when every group is in STANDBY', () => {
    const set = { position: 'STANDBY' };
    expect(latchOf([set, set], 2)).toBe('latched');
    expect(latchOf([set, { position: 'PRIMARY' }], 2)).toBe('partial');
    expect(latchOf([set], 2)).toBe('partial');
    expect(latchOf([{ position: 'PRIMARY' }], 2)).toBe('open');
    expect(latchOf([], 2)).toBe('open');
    expect(latchOf('unreadable', 2)).toBe('unknown');
  });
});

describe('the signal', () => {
  const regions = ['us-east-1', 'us-west-2'];

  it('survives a round trip', () => {
    const stream = fc.stringMatching(/^[A-Za-z0-9_.-]{1,128}$/);
    const region = fc.constantFrom(...regions);
    const signals = fc.oneof(
      fc.record({ region }),
      fc.record({ region, stream }),
      fc.record({ region, stream, account: fc.stringMatching(/^\d{12}$/) }),
    );
    fc.assert(
      fc.property(signals, (signal) => {
        expect(parseSignal(formatSignal(signal), regions)).toEqual({ ok: true, signal });
      }),
    );
  });

  it('fits into one string of DNS, whatever it names', () => {
    const region = 'ap-southeast-10';
    const longest = formatSignal({ region, stream: 'x'.repeat(128), account: '111122223333' });
    expect(longest.length).toBeLessThanOrEqual(255);
    expect(parseSignal(longest, [region])).toMatchObject({ ok: true });
  });

  it('ignores keys it does not know and rejects what it must not believe', () => {
    expect(parseSignal('v=1; region=us-west-2; weight=5', regions)).toMatchObject({ ok: true });
    const rejection = (text: string) => {
      const parsed = parseSignal(text, regions);
      return parsed.ok ? 'accepted' : parsed.rejection;
    };
    expect(rejection('v=2; region=us-west-2')).toBe('unknown-version');
    expect(rejection('v=1; region=eu-west-1; stream=orders')).toBe('unknown-region');
    expect(rejection('v=1; region=us-west-2; region=us-east-1')).toBe('malformed');
    expect(rejection('v=1; region=')).toBe('malformed');
    expect(rejection('v=1')).toBe('malformed');
    expect(rejection('v=1; region=us-west-2; stream=orders; account=me')).toBe('malformed');
    expect(rejection('v=1; region=us-west-2; account=111122223333')).toBe('malformed');
    expect(rejection('v=spf1 include:example.com')).toBe('unknown-version');
    expect(rejection('region=us-west-2')).toBe('not-a-signal');
    expect(rejection('')).toBe('not-a-signal');
  });

  it('never throws', () => {
    fc.assert(fc.property(fc.string({ maxLength: 300 }), (text) => void parseSignal(text, regions)));
  });
});

describe('an observer’s memory', () => {
  it('survives a round trip, and is empty when it cannot be read', () => {
    const answers = (ok: boolean) => ({
      kinesisWrite: [ok ? ({ ok, latencyMs: 12 } as const) : failed, { ok: true, latencyMs: 14 } as const],
    });
    const seen = { primary: answers(false), standby: answers(true) };
    const evidence = addTick(noEvidence, { ...seen, atMs: NOW, ticks: 0, clockStepMs: 0 }, policy);
    const memory = { ...emptyMemory, evidence, ticks: 7, lastRoundAtMs: NOW };
    expect(parseMemory(serializeMemory(memory))).toEqual(memory);
    for (const text of [undefined, 7, '', '{', '{}']) {
      expect(parseMemory(text)).toEqual(emptyMemory);
    }
  });
});

describe('the class of an error', () => {
  const cases = [
    ['server', { name: 'InternalFailure', status: 500 }],
    ['server', { name: 'ServiceUnavailable', status: 503 }],
    ['server', { name: 'SyntaxError', status: 200 }],
    ['throttled', { name: 'ProvisionedThroughputExceededException', status: 400 }],
    ['throttled', { name: 'SlowDown', status: 503 }],
    ['access', { name: 'AccessDeniedException', status: 400 }],
    ['access', { name: 'ExpiredTokenException', status: 400 }],
    ['access', { name: 'CredentialsProviderError' }],
    ['clock', { name: 'SignatureDoesNotMatch', status: 403 }],
    ['missing', { name: 'ResourceNotFoundException', status: 400 }],
    ['validation', { name: 'ValidationException', status: 400 }],
    ['timeout', { name: 'TimeoutError' }],
    ['timeout', { name: 'AbortError' }],
    ['reset', { name: 'Error', code: 'ECONNRESET' }],
    ['reset', { name: 'Error', code: 'ECONNREFUSED' }],
    ['dns', { name: 'Error', code: 'ENOTFOUND' }],
    ['unclassified', { name: 'TypeError' }],
  ] as const;
  for (const [errorClass, facts] of cases) {
    it(`${facts.name} ${'status' in facts ? facts.status : ''} is ${errorClass}`, () => {
      expect(classifyError(facts)).toBe(errorClass);
    });
  }
});
