import fc from 'fast-check';
import type { SignalLevel } from '../../lambda/core/evidence.ts';
import { type ObserverCondition, type RegionLevels, signalNames } from '../../lambda/core/observation.ts';
import type { Policy } from '../../lambda/core/policy.ts';
import { defaultPolicy } from '../../lib/config/defaults.ts';

export const policy: Policy = { ...defaultPolicy, votesToEvacuate: 2 };

export const allUp = Object.fromEntries(signalNames.map((name) => [name, 'up'])) as RegionLevels;

export const levels: readonly SignalLevel[] = ['up', 'suspect', 'down', 'unknown'];
export const conditions: readonly ObserverCondition[] = ['sound', 'clock-suspect', 'self-inflicted-errors'];

const level = fc.constantFrom(...levels);
export const regionLevels = fc.record(
  Object.fromEntries(signalNames.map((name) => [name, level])),
) as unknown as fc.Arbitrary<RegionLevels>;
