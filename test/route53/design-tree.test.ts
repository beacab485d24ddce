import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { answer } from '../../lib/route53/answer.ts';
import { calculatedHealthy } from '../../lib/route53/health-check.ts';
import { createZone } from '../../lib/route53/records.ts';
import {
  designRecords,
  primarySignal,
  quorum,
  regionName,
  serviceName,
  signalName,
  standbySignal,
  switchCheck,
  voteIds,
  zoneName,
} from './design-tree.ts';

const zone = createZone(zoneName, designRecords);
/** Health of the endpoint checks, as a bit each: three votes and the switch. */
const states = Array.from({ length: 2 ** 4 }, (_, bits) => bits);
const endpointIds = [...voteIds, switchCheck.id];

function healthOf(bits: number): (id: string) => boolean {
  const endpoint = (id: string) => (bits & (1 << endpointIds.indexOf(id))) !== 0;
  const quorumHealthy = calculatedHealthy(quorum, voteIds.filter(endpoint).length);
  return (id) => (id === quorum.id ? quorumHealthy : endpoint(id));
}
const ask = (name: string, type: string, isHealthy: (id: string) => boolean, random = () => 0) =>
  answer(zone, { name, type }, { isHealthy, random }).records.flatMap((record) => record.values);

describe("Spillway's tree", () => {
  it('names exactly one region in every state of health, and the primary only if quorum and switch agree', () => {
    for (const bits of states) {
      const isHealthy = healthOf(bits);
      const stays = isHealthy('quorum') && isHealthy(switchCheck.id);
      expect(ask(signalName, 'TXT', isHealthy), `state ${bits}`).toEqual([
        stays ? primarySignal : standbySignal,
      ]);
      expect(ask(serviceName, 'A', isHealthy)).toEqual([`lb.us-${stays ? 'east-1' : 'west-2'}.example.net`]);
      expect(ask(regionName, 'TXT', isHealthy)).toEqual([
        `"v=1; region=us-${isHealthy('quorum') ? 'east-1' : 'west-2'}"`,
      ]);
    }
  });

  it('is not moved by one vote out of three', () => {
    for (const sick of voteIds) {
      expect(ask(signalName, 'TXT', healthOf(0b1111 & ~(1 << voteIds.indexOf(sick))))).toEqual([
        primarySignal,
      ]);
    }
  });

  it('never leaves the primary because a check became healthier', () => {
    for (const bits of states) {
      for (const bit of [0, 1, 2, 3]) {
        const before = ask(signalName, 'TXT', healthOf(bits));
        const after = ask(signalName, 'TXT', healthOf(bits | (1 << bit)));
        if (before[0] === primarySignal) expect(after).toEqual([primarySignal]);
      }
    }
  });

  it('answers the same whatever random number is drawn', () => {
    fc.assert(
      fc.property(fc.nat(15), fc.double({ min: 0, max: 1, maxExcluded: true, noNaN: true }), (bits, draw) => {
        const isHealthy = healthOf(bits);
        expect(ask(signalName, 'TXT', isHealthy, () => draw)).toEqual(ask(signalName, 'TXT', isHealthy));
      }),
    );
  });

  it('keeps a TTL of 5 s on both sides', () => {
    for (const bits of [0b1111, 0]) {
      const { records } = answer(
        zone,
        { name: signalName, type: 'TXT' },
        { isHealthy: healthOf(bits), random: () => 0 },
      );
      expect(records.map((record) => record.ttlSeconds)).toEqual([5]);
    }
  });
});
