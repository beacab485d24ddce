import { onTestFinished } from 'vitest';
import { startDnsServer } from '../../lib/route53/dns-server.ts';

export interface TestZone {
  readonly address: string;
  /** Texts by name; change them at any time. A name with `undefined` fails (SERVFAIL), one that is not there does not exist. */
  readonly texts: Map<string, string | undefined>;
  /** Names of the questions so far. */
  readonly asked: string[];
}

/** A name server on a real socket, closed when the test is over. */
export async function startZone(texts: Readonly<Record<string, string | undefined>>): Promise<TestZone> {
  const zone = { texts: new Map(Object.entries(texts)), asked: [] as string[] };
  const server = await startDnsServer({
    answerer: ({ name, type }) => {
      zone.asked.push(name);
      if (type !== 'TXT' || !zone.texts.has(name)) return { rcode: 'NXDOMAIN', records: [] };
      const value = zone.texts.get(name);
      if (value === undefined) throw new Error('no answer');
      return { rcode: 'NOERROR', records: [{ name, type: 'TXT', ttlSeconds: 5, values: [`"${value}"`] }] };
    },
  });
  onTestFinished(() => server.close());
  return { address: server.address, ...zone };
}
