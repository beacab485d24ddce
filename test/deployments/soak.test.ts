import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  beginSoak,
  lookAtSoak,
  SOAK_GRACE_MS,
  SOAK_TOLERANCE_MS,
  type SoakVerdict,
  type Voice,
} from '../../lib/deployments/soak.ts';

const STEP_MS = 10_000;
const SINCE_MS = 1_000_000;
const soakMs = 600_000;

const voice = (region: string, change: Partial<NonNullable<Voice['said']>> = {}): Voice => ({
  region,
  said: { fresh: true, vote: 'HOLD', diagnosis: 'Healthy', decidedAtMs: SINCE_MS + 1, ...change },
});
const accusing = { vote: 'EVACUATE', diagnosis: 'KinesisWriteImpaired' } as const;

/** Looks every ten seconds until the soak has ended, and says after how long. */
function soak(
  at: (elapsedMs: number) => readonly Voice[],
  ms = soakMs,
): { readonly verdict: SoakVerdict; readonly afterMs: number } {
  let memory = beginSoak(SINCE_MS);
  for (let elapsedMs = 0; elapsedMs < 10_000_000; elapsedMs += STEP_MS) {
    const look = lookAtSoak(memory, {
      voices: at(elapsedMs),
      observers: ['new'],
      ms,
      nowMs: SINCE_MS + elapsedMs,
    });
    memory = look.memory;
    if (look.verdict.state !== 'waiting') return { verdict: look.verdict, afterMs: elapsedMs };
  }
  throw new Error('The soak has no end.');
}

const others = [voice('a'), voice('b')];

describe('a soak', () => {
  it('ends well when the observer has been sound for the whole time', () => {
    expect(soak(() => [voice('new'), ...others])).toEqual({ verdict: { state: 'sound' }, afterMs: soakMs });
  });

  it('of 0 wants one report of the new version', () => {
    const found = soak(
      (elapsedMs) => [
        voice('new', { decidedAtMs: elapsedMs < 90_000 ? SINCE_MS - 1 : SINCE_MS + 1 }),
        ...others,
      ],
      0,
    );
    expect(found).toEqual({ verdict: { state: 'sound' }, afterMs: 90_000 });
  });

  it.each([
    ['unread', { region: 'new', said: undefined }],
    ['silent', voice('new', { decidedAtMs: SINCE_MS - 1 })],
    ['stale', voice('new', { fresh: false })],
    ['alone', voice('new', accusing)],
  ] as const)('ends badly when the observer stays %s', (fault, bad) => {
    const { verdict, afterMs } = soak(() => [bad, ...others]);
    expect(verdict).toEqual({ state: 'bad', faults: [{ region: 'new', fault }] });
    expect(afterMs).toBe(SOAK_GRACE_MS);
  });

  it('ends badly when all others accuse the primary, and the new version does not', () => {
    const { verdict } = soak(() => [voice('new'), voice('a', accusing), voice('b', accusing)]);
    expect(verdict).toMatchObject({ state: 'bad', faults: [{ fault: 'blind' }] });
  });

  it('takes an accusation that a sibling shares for an outage', () => {
    const both = () => [voice('new', accusing), voice('a', accusing), voice('b')];
    expect(soak(both).verdict.state).toBe('sound');
  });

  it('begins anew after a fault that passes, and does not stop for it', () => {
    const blipMs = 300_000;
    const found = soak((elapsedMs) => [
      voice('new', elapsedMs >= blipMs && elapsedMs < blipMs + SOAK_TOLERANCE_MS - STEP_MS ? accusing : {}),
      ...others,
    ]);
    expect(found.verdict).toEqual({ state: 'sound' });
    expect(found.afterMs).toBe(blipMs + SOAK_TOLERANCE_MS - STEP_MS + soakMs);
  });

  it('has an end, whatever the observers say', () => {
    const anyVoice = fc.record({
      fresh: fc.boolean(),
      vote: fc.constantFrom('HOLD' as const, 'EVACUATE' as const),
      diagnosis: fc.constantFrom('Healthy', 'KinesisWriteImpaired', 'ObserverSick'),
      decidedAtMs: fc.constantFrom(SINCE_MS - 1, SINCE_MS + 1),
    });
    fc.assert(
      fc.property(
        fc.array(anyVoice, { minLength: 1, maxLength: 30 }),
        fc.constantFrom(0, 60_000, soakMs),
        (said, ms) => {
          const { afterMs, verdict } = soak(
            (elapsedMs) => [{ region: 'new', said: said[(elapsedMs / STEP_MS) % said.length] }, ...others],
            ms,
          );
          expect(afterMs).toBeLessThanOrEqual(SOAK_GRACE_MS + 3 * ms + SOAK_TOLERANCE_MS);
          // Sound means: fresh, of the new version and without an accusation of its own, to the end.
          if (verdict.state === 'sound' && ms >= said.length * STEP_MS) {
            expect(said.every(({ fresh, decidedAtMs }) => fresh && decidedAtMs > SINCE_MS)).toBe(true);
          }
        },
      ),
    );
  });
});
