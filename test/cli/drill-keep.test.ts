import { mkdtemp, readdir, rm, stat } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { stateTableName } from '../../lambda/core/names.ts';
import { keepStanding } from '../../lib/cli/drill-keep.ts';
import { CallRecord } from '../../lib/local/drill/call-record.ts';
import { LocalClients } from '../../lib/local/drill/clients.ts';
import type { DrillEvent } from '../../lib/local/drill/events.ts';
import type { World } from '../../lib/local/drill/world.ts';
import { loadScenario } from '../../lib/scenario/load.ts';
import { StateTable } from '../../lib/state/state-table.ts';
import { type FakeAws, startFakeAws } from '../operate/fixtures/fake-aws.ts';
import { config } from '../operate/fixtures/readings.ts';
import { type SignalServer, startSignalServer } from '../producer/signal-server.ts';
import { startShell } from './fixtures/cli.ts';

/** Three producer processes are started, on a machine that may be busy. */
const TIMEOUT_MS = 90_000;

let directory: string;
let aws: FakeAws;
let dns: SignalServer;
beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'spillway-keep-'));
  [aws, dns] = await Promise.all([startFakeAws(), startSignalServer('v=1; region=us-west-2; stream=orders')]);
});
afterEach(() => Promise.all([rm(directory, { recursive: true, force: true }), aws.close(), dns.close()]));

/** Of the parts that a kept world is made of, those that it touches: real clients, DNS and producers, no LocalStack. */
function worldOf(played: string[]): World {
  return {
    config,
    clients: new LocalClients(aws.url),
    localStack: { url: aws.url },
    proxy: {
      endpointFor: () => 'http://127.0.0.1:1',
      play: ({ name }: { readonly name: string }) => played.push(name),
      clear: () => played.push('clear'),
    },
    dataPlane: { dnsServer: dns.address },
    calls: new CallRecord(join(directory, 'calls.jsonl')),
  } as unknown as World;
}

it(
  'a kept world goes on with its faults and producers until another terminal ends the faults, and ends with Ctrl-C',
  async () => {
    const { standby } = config.regions;
    const table = new StateTable({
      client: new LocalClients(aws.url).documents(standby),
      table: stateTableName(config.name),
      timeoutMs: 30_000,
    });
    await table.setSwitch({
      group: 'orders',
      position: 'STANDBY',
      epoch: 3,
      owner: 'ana',
      reason: 'x',
      atMs: 1,
    });
    const [played, said, events]: [string[], string[], DrillEvent[]] = [[], [], []];
    const interrupted = new AbortController();
    const worldFile = join(directory, 'world.json');
    const standing = keepStanding({
      world: worldOf(played),
      result: {} as never,
      scenario: await loadScenario('2020-kinesis'),
      playingSinceMs: Date.now() - 60_000,
      directory,
      worldFile,
      write: (line) => said.push(line),
      onEvent: (event) => events.push(event),
      signal: interrupted.signal,
    });
    const ended = standing.catch((error: unknown) => error);

    await expect.poll(() => said.join('\n'), { timeout: TIMEOUT_MS }).toMatch(/^kept: LocalStack at /m);
    expect(said.join('\n')).toMatch(/In force.*\n {2}primary kinesis PutRecord/);
    expect((await stat(worldFile)).mode & 0o777).toBe(0o600);
    // No stream answers here, so the producers keep their records on disk.
    const seen = (kind: DrillEvent['kind']) => events.filter((event) => event.kind === kind);
    await expect.poll(() => seen('switch'), { timeout: TIMEOUT_MS }).toMatchObject([{ position: 'STANDBY' }]);
    await expect.poll(() => seen('dns').length, { timeout: TIMEOUT_MS }).toBe(config.cells.length);
    await expect
      .poll(() => seen('puts').at(-1), { timeout: TIMEOUT_MS })
      .toMatchObject({ perRegion: { spool: expect.any(Number) } });
    expect((await readdir(join(directory, 'kept'))).toSorted()).toEqual(['spool-p1', 'spool-p2', 'spool-p3']);

    const kinesis = expect.objectContaining({ text: expect.stringMatching(/^primary kinesis PutRecord/) });
    const shell = await startShell();
    const { exit, json } = await shell.run(['drill', 'end-faults', '--json', '--world', worldFile]);
    await shell.close();
    expect(exit).toBe(0);
    expect(json).toMatchObject({
      ok: true,
      ended: expect.arrayContaining([kinesis]),
      failback: { held: true, recoveryMs: config.policy.recoveryMs },
      nextCommand: expect.stringMatching(/^spillway failback --all /),
    });
    expect(played).toEqual(['clear']);
    expect(seen('note')).toMatchObject([{ text: expect.stringMatching(/^the faults end, by .*in force/) }]);

    const reason = new Error('interrupted');
    interrupted.abort(reason);
    expect(await ended).toMatchObject({ name: 'AbortError', cause: reason });
    expect(seen('note')).toHaveLength(1);
  },
  TIMEOUT_MS,
);
