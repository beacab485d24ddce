import dns from 'node:dns';
import { expect, it, onTestFinished } from 'vitest';
import { quorumReader } from '../../lib/observers/quorum.ts';
import { startFakeResolver } from '../resolver/fake-resolver.ts';

const pair = { zoneName: 'example.com', primary: 'us-east-1', standby: 'us-west-2' };

it.each([
  ['v=1; region=us-east-1', 'primary'],
  ['v=1; region=us-west-2', 'standby'],
  ['v=1; region=eu-west-3', 'unknown'],
  ['hello', 'unknown'],
])('the answer %j is %s', async (text, expected) => {
  const { address } = await startFakeResolver({ text });
  expect(await quorumReader({ ...pair, servers: [address] })()).toBe(expected);
});

it('an observer that lives on asks the resolver that the machine has now', async () => {
  const [before, after] = [
    await startFakeResolver({ text: 'v=1; region=us-east-1' }),
    await startFakeResolver({ text: 'v=1; region=us-west-2' }),
  ];
  const own = dns.getServers();
  onTestFinished(() => dns.setServers(own));
  const read = quorumReader(pair);
  dns.setServers([before.address]);
  expect(await read()).toBe('primary');
  before.silent = true;
  expect(await read()).toBe('unknown');
  dns.setServers([after.address]);
  expect(await read()).toBe('standby');
});
