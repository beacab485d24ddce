import { afterEach, describe, expect, it, vi } from 'vitest';
import { manyKeys } from '../../scripts/bench/keys.ts';

/** `npm run bench -- keys` does it with ten million. */
const KEYS = 500_000;

describe('a producer that sees a key once and never again', () => {
  afterEach(() => void vi.unstubAllEnvs());

  it.each([
    ['plain', false],
    ['with envelopes', true],
  ])('keeps nothing of it (%s)', async (_how, envelope) => {
    vi.stubEnv('SPILLWAY_REGION', 'us-east-1');
    const { keys, heapMiB } = await manyKeys({ keys: KEYS, envelope });
    expect(keys).toBe(KEYS);
    const [early, late] = heapMiB;
    // A map of the keys between the two would have 30 MiB.
    expect(late - early).toBeLessThan(6);
  });
});
