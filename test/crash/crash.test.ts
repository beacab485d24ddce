import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { crash } from '../../scripts/crash/run.ts';

const SEED = 20_201_125;
const TIMEOUT_MS = 90_000;

let directory: string;

beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'spillway-crash-'));
});
afterEach(async () => {
  await rm(directory, { recursive: true, force: true });
});

describe('an application that is killed again and again', () => {
  it('finds every record that the producer acknowledged, in the order of its key', {
    timeout: TIMEOUT_MS,
  }, async () => {
    const result = await crash({ kills: 10, seed: SEED, target: 'producer', directory });
    expect(result).toMatchObject({ kills: 10, lost: 0, reordered: 0, quarantinedRanges: 0 });
    expect(result.acknowledged).toBeGreaterThan(100);
    expect(result.found).toBe(result.acknowledged);
  });

  it('finds them in aggregates too, while the stream is split and merged', {
    timeout: TIMEOUT_MS,
  }, async () => {
    const result = await crash({ kills: 8, seed: SEED, target: 'aggregates', directory });
    expect(result).toMatchObject({ kills: 8, lost: 0, reordered: 0, quarantinedRanges: 0 });
    expect(result.aggregates).toBeGreaterThan(10);
    expect(result.reshards).toBeGreaterThan(0);
    expect(result.found).toBe(result.acknowledged);
  });

  it('finds them when the sidecar is killed, and not the program that writes through it', {
    timeout: TIMEOUT_MS,
  }, async () => {
    const result = await crash({ kills: 6, seed: SEED, target: 'sidecar', directory });
    expect(result).toMatchObject({ kills: 6, lost: 0, reordered: 0, quarantinedRanges: 0 });
    expect(result.acknowledged).toBeGreaterThan(100);
    expect(result.found).toBe(result.acknowledged);
  });

  it('finds what a drain copies when the drain is killed, and not an application', {
    timeout: TIMEOUT_MS,
  }, async () => {
    const result = await crash({ kills: 5, seed: SEED, target: 'drain', directory });
    expect(result).toMatchObject({ kills: 5, lost: 0, reordered: 0 });
    expect(result.acknowledged).toBeGreaterThan(500);
    expect(result.aggregates).toBeGreaterThan(10);
    expect(result.reshards).toBeGreaterThan(0);
    expect(result.found).toBe(result.acknowledged);
  });

  it('would be found out if it acknowledged what is in memory alone', { timeout: TIMEOUT_MS }, async () => {
    const result = await crash({ kills: 2, seed: SEED, target: 'memory', directory });
    expect(result.acknowledged).toBeGreaterThan(0);
    expect(result.lost).toBe(result.acknowledged);
  });
});
