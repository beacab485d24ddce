import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { resolveTarget } from '../../lib/operate/target.ts';
import { findWorld, readWorld } from '../../lib/operate/world.ts';
import { type FakeAws, startFakeAws } from './fixtures/fake-aws.ts';
import { configInput } from './fixtures/readings.ts';

let root: string;
let aws: FakeAws;
beforeEach(async () => {
  [root, aws] = await Promise.all([mkdtemp(join(tmpdir(), 'spillway-world-')), startFakeAws()]);
});
afterEach(() => Promise.all([rm(root, { recursive: true }), aws.close()]));

const zone = { id: 'ZLOCAL', name: 'shop.example.com' };
async function run(name: string, localStackUrl: string): Promise<string> {
  const directory = join(root, '.spillway', 'runs', name);
  await mkdir(directory, { recursive: true });
  const file = join(directory, 'world.json');
  await writeFile(file, JSON.stringify({ localStackUrl, dnsServer: '127.0.0.1:5399', zone }));
  await writeFile(
    join(directory, 'spillway.config.json'),
    JSON.stringify({ ...configInput, name: 'deployed' }),
  );
  return file;
}
/** Nothing listens there: the port is reserved, and closed on every machine. */
const gone = 'http://127.0.0.1:1';

describe('--local', () => {
  test('takes the one world that answers, and leaves those that are gone', async () => {
    await run('2026-11-24', gone);
    const file = await run('2026-11-25', aws.url);
    await run('2026-11-26', gone);
    expect(await findWorld(root)).toMatchObject({ file, localStackUrl: aws.url });
  });

  test('refuses to guess between two, and to make one up', async () => {
    await expect(findWorld(root)).rejects.toThrow(/No local world is running/);
    await run('a', aws.url);
    await run('b', aws.url);
    await expect(findWorld(root)).rejects.toThrow(/2 local worlds are running/);
  });
});

describe('the target', () => {
  const resolve = (options: Partial<Parameters<typeof resolveTarget>[0]>) =>
    resolveTarget({ directory: root, env: {}, ...options });

  test('of a world has the config and the zone that were deployed there, and its DNS server', async () => {
    const world = await run('a', aws.url);
    const target = await resolve({ world });
    expect(target.config).toMatchObject({ name: 'deployed', zone });
    expect(target.dnsServers).toEqual(['127.0.0.1:5399']);
  });

  test('is never a local world that nobody asked for', async () => {
    await run('a', aws.url);
    await writeFile(join(root, 'spillway.config.json'), JSON.stringify(configInput));
    const target = await resolve({});
    expect(target.config.name).toBe('shop');
    expect(target.world).toBeUndefined();
    expect(target.dnsServers).toBeUndefined();
  });

  test('takes DNS servers from the flag, then the environment, then the world', async () => {
    const world = await run('a', aws.url);
    const env = { SPILLWAY_DNS_SERVERS: '192.0.2.1:53, [2001:db8::1]:53' };
    expect((await resolve({ world, env })).dnsServers).toEqual(['192.0.2.1:53', '[2001:db8::1]:53']);
    expect((await resolve({ world, env, dns: '192.0.2.9' })).dnsServers).toEqual(['192.0.2.9']);
    await expect(resolve({ world, dns: 'ns.example.com' })).rejects.toThrow(/is no DNS server/);
  });

  test('of a file that is no world says what writes one', async () => {
    await writeFile(join(root, 'x.json'), '{}');
    await expect(readWorld('x.json', root)).rejects.toThrow(/drill --keep/);
  });
});
