import { describe, expect, it } from 'vitest';
import { lookTwice, resolverFindings, type ServerLooks } from '../../lib/operate/doctor/resolvers.ts';
import { east, startFakeResolver, west } from '../resolver/fake-resolver.ts';

const NAME = 'signal.orders.example.com';
const looks = (server: string, ...of: ServerLooks['looks']): ServerLooks => ({ server, looks: of });
const answer = (text: string, ttlSeconds: number) => ({ text, ttlSeconds });
const find = (resolver: ServerLooks, zone?: readonly ServerLooks[]) =>
  resolverFindings({
    name: NAME,
    ttlSeconds: 5,
    resolvers: [resolver],
    ...(zone === undefined ? {} : { zone }),
  });
const zoneOf = (...of: ServerLooks['looks']) => [looks('205.251.192.1', ...of)];

describe('doctor finds a resolver', () => {
  it('well that answers as the zone does, in time', () => {
    const [found, ...others] = find(
      looks('10.0.0.2', answer(east, 2), answer(east, 5)),
      zoneOf(answer(east, 5), answer(east, 5)),
    );
    expect(others).toEqual([]);
    expect(found).toMatchObject({
      ok: true,
      finding: expect.stringMatching(/10\.0\.0\.2.*as the zone’s own/),
    });
  });

  it('ill that keeps answers beyond their TTL, even if an answer is in its last seconds', () => {
    const [found, ...others] = find(looks('10.0.0.2', answer(east, 3), answer(east, 30)));
    expect(others).toEqual([]);
    expect(found).toMatchObject({ ok: false, finding: expect.stringMatching(/30 s .* TTL is 5 s/) });
    expect(found?.fix).toMatch(/cache-min-ttl/);
  });

  it('ill that still gives an old answer when its TTL is over, whatever TTL it claims', () => {
    const [found] = find(
      looks('10.0.0.2', answer(east, 5), answer(east, 5)),
      zoneOf(answer(west, 5), answer(west, 5)),
    );
    expect(found).toMatchObject({ ok: false, finding: expect.stringMatching(/us-east-1.*own.*us-west-2/) });
  });

  it('well that followed a move which came between the looks', () => {
    const zone = zoneOf(answer(east, 5), answer(west, 5));
    expect(find(looks('10.0.0.2', answer(east, 5), answer(west, 5)), zone)).toMatchObject([{ ok: true }]);
    expect(find(looks('10.0.0.2', answer(east, 5), answer(east, 1)), zone)).toMatchObject([{ ok: true }]);
  });

  it('ill that does not answer, with the reason', () => {
    expect(find(looks('10.0.0.2', 'no answer within 2000 ms', 'no answer within 2000 ms'))).toMatchObject([
      { ok: false, finding: expect.stringMatching(/10\.0\.0\.2 does not answer.*2000 ms/) },
    ]);
  });

  it('well, and says so, where the zone’s own name servers cannot be asked', () => {
    const [found] = find(looks('10.0.0.2', answer(east, 5)), []);
    expect(found).toMatchObject({
      ok: true,
      finding: expect.stringMatching(/name servers do not answer here/),
    });
  });
});

it('doctor looks twice, past the TTL, at resolvers and at the zone', async () => {
  const [resolver, zone] = [
    await startFakeResolver({ text: east, ttls: [2, 30] }),
    await startFakeResolver({ text: west }),
  ];
  const seen = await lookTwice({
    name: NAME,
    ttlSeconds: 5,
    resolvers: [resolver.address, '127.0.0.1:1'],
    zone: [zone.address],
    waitMs: 50,
  });
  expect(resolver.asked).toBe(2);
  expect(zone.asked).toBe(2);
  const found = resolverFindings(seen);
  expect(found.map(({ ok }) => ok)).toEqual([false, false, false]);
  expect(found.map(({ finding }) => finding)).toEqual([
    expect.stringMatching(/30 s for/),
    expect.stringMatching(/answers "v=1; region=us-east-1/),
    expect.stringMatching(/^127\.0\.0\.1:1 does not answer/),
  ]);
});
