import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { type EndpointFinding, isTrouble } from '../../lambda/core/endpoint-findings.ts';
import { endpointName, endpointPath } from '../../lambda/core/endpoint-items.ts';
import { type FakeAws, startFakeAws, tableOf } from '../operate/fixtures/fake-aws.ts';
import { type SignalServer, startSignalServer } from '../producer/signal-server.ts';
import { type Shell, startShell } from './fixtures/cli.ts';

let aws: FakeAws;
let dns: SignalServer;
let shell: Shell;

beforeEach(async () => {
  [aws, dns] = await Promise.all([startFakeAws(), startSignalServer('v=1; region=us-west-2; stream=orders')]);
  shell = await startShell();
  const zone = { id: 'ZLOCAL', name: 'shop.example.com' };
  const facts = { localStackUrl: aws.url, dnsServer: dns.address, zone, result: {} };
  await writeFile(join(shell.directory, 'world.json'), JSON.stringify(facts));
  for (const region of ['us-west-2', 'us-east-2', 'eu-west-1']) vote(region);
});
afterEach(async () => {
  await Promise.all([aws.close(), dns.close(), shell.close()]);
});

function vote(region: string): void {
  const nowMs = Date.now();
  tableOf(aws, `${region}/shop-vote`).set('observer#undefined', {
    pk: { S: 'observer' },
    vote: { S: 'EVACUATE' },
    diagnosis: { S: 'RegionUnreachable' },
    phase: { S: 'evacuating' },
    comment: { S: 'no guard refuses: voting to evacuate' },
    decidedAtMs: { N: String(nowMs - 1_000) },
    expiresAtMs: { N: String(nowMs + 29_000) },
    voteSinceMs: { N: String(nowMs - 20_000) },
    epoch: { N: '1' },
    refusals: { L: [] },
  });
}

const endpoints = [
  ...['us-west-2', 'us-east-2', 'eu-west-1'].map((of) => ({ kind: 'vote', of }) as const),
  ...['orders', 'clicks'].map((of) => ({ kind: 'switch', of }) as const),
];
const hostOf = ({ kind, of }: (typeof endpoints)[number]): string =>
  `${kind}1.lambda-url.${kind === 'vote' ? of : 'us-west-2'}.on.aws`;

/** As a deployment records what the checks ask, and as the endpoints answer. */
function recordEndpoints(): void {
  for (const id of endpoints) {
    const [host, path] = [hostOf(id), endpointPath(id)];
    tableOf(aws, 'us-west-2/shop-state').set(`endpoints#${id.kind}#${id.of}`, {
      pk: { S: 'endpoints' },
      sk: { S: `${id.kind}#${id.of}` },
      host: { S: host },
      path: { S: path },
      checkId: { S: 'check' },
      atMs: { N: '1' },
    });
    aws.answers.set(`${host}${path}`, { text: id.kind === 'vote' ? 'vote=EVACUATE' : 'switch=PRIMARY' });
  }
}

interface Shown {
  readonly ok: boolean;
  readonly cells: readonly { readonly region: string | null }[];
  readonly observers: readonly {
    readonly region: string;
    readonly answered: boolean;
    readonly vote?: string;
  }[];
  readonly control: string;
  readonly findings: readonly { readonly level: string; readonly text: string; readonly run?: string }[];
  readonly endpoints: { readonly of: number; readonly findings: readonly EndpointFinding[] } | null;
}

const timed = async () => {
  const startedMs = performance.now();
  const { exit, json } = await shell.run('status --json --world world.json');
  return { exit, shown: json as Shown, tookMs: performance.now() - startedMs };
};

describe('status --world', () => {
  test('asks DNS, the observers and the standby, never the primary, and ends with 4 after an evacuation', async () => {
    const { exit, shown } = await timed();
    expect(exit).toBe(4);
    expect(shown.cells.map(({ region }) => region)).toEqual(['us-west-2', 'us-west-2']);
    expect(shown.observers.map(({ vote: each }) => each)).toEqual(['EVACUATE', 'EVACUATE', 'EVACUATE']);
    expect(shown.control).toBe('read');
    expect(aws.calls.map(({ region }) => region)).not.toContain('us-east-1');
    expect([...new Set(aws.calls.map(({ service }) => service))]).toEqual(['dynamodb']);
  });

  test('asks every endpoint at the host that its check asks, and shows that each says what is stored', async () => {
    recordEndpoints();
    const { shown } = await timed();
    expect(shown.endpoints?.of).toBe(5);
    expect(shown.endpoints?.findings.map((one) => `${endpointName(one)} ${one.finding}`).toSorted()).toEqual(
      endpoints.map((id) => `${endpointName(id)} agrees`).toSorted(),
    );
    const { out } = await shell.run('status --world world.json');
    expect(out).toContain('endpoints that Route 53 asks, asked from here: 5 agrees');
  });

  test('tells an endpoint that cannot read, one that was replaced, and one that says another position', async () => {
    recordEndpoints();
    const vote1 = endpoints[0] as (typeof endpoints)[number];
    aws.answers.set(`${hostOf(vote1)}/vote`, { text: 'vote=HOLD read=failed' });
    aws.answers.delete('vote1.lambda-url.eu-west-1.on.aws/vote');
    aws.answers.set('switch1.lambda-url.us-west-2.on.aws/cells/orders', { text: 'switch=STANDBY' });
    const { shown, exit } = await timed();
    expect(exit).toBe(4);
    const told = shown.findings
      .filter(({ run }) => run === 'spillway doctor')
      .map(({ level, text }) => `${level} ${text}`);
    expect(told).toEqual([
      expect.stringMatching(/^bad vote us-west-2: the table cannot be read.* \(it says HOLD unread\)$/),
      expect.stringMatching(/^bad vote eu-west-1: answered by something .* \(status 403\)$/),
      expect.stringMatching(/^bad switch orders: .* \(it says STANDBY, and PRIMARY is stored\)$/),
    ]);
  });

  test('says that nobody watches endpoints whose checks no deployment has recorded, and blames nobody', async () => {
    const { shown } = await timed();
    const note = shown.findings.find(({ text }) => text.includes('no deployment has recorded'));
    expect(note).toMatchObject({ level: 'note', run: 'npx cdk deploy --all' });
    expect(shown.endpoints?.findings.some(isTrouble)).toBe(false);
  });

  test.each(['us-west-2', 'us-east-2'])(
    'with %s black-holed answers within 5 s, and shows what does not',
    async (region) => {
      recordEndpoints();
      aws.blackHoles.add(region);
      const { exit, shown, tookMs } = await timed();
      expect(tookMs).toBeLessThan(5_000);
      expect(exit).toBe(4);
      const silent = shown.observers.filter(({ answered }) => !answered).map((observer) => observer.region);
      expect(silent).toEqual([region]);
      expect(shown.control).toBe(region === 'us-west-2' ? 'unanswered' : 'read');
    },
  );

  test('without DNS shows the cells as unknown', async () => {
    dns.answer = undefined;
    const { exit, shown } = await timed();
    expect(exit).toBe(4);
    expect(shown.cells.map(({ region }) => region)).toEqual([null, null]);
  });

  test('an answer that names a third region is no answer', async () => {
    dns.answer = 'v=1; region=eu-west-1; stream=orders';
    expect((await timed()).shown.cells[0]?.region).toBeNull();
  });

  test('why tells the chain of each observer', async () => {
    const { exit, out } = await shell.run('why --world world.json');
    expect(exit).toBe(0);
    expect(out).toMatch(
      /diagnosis RegionUnreachable \(primary reachability and writes down, and a large gain\); calls for/,
    );
    expect(out).toMatch(/3 of 3 votes are EVACUATE, 2 are needed/);
  });

  test('why does not pass for well when a part of the chain is missing, or all of it', async () => {
    tableOf(aws, 'us-east-2/shop-vote').clear();
    const part = await shell.run('why --json --world world.json');
    expect(part.exit).toBe(4);
    expect(part.json).toMatchObject({
      ok: false,
      observers: [{ vote: 'EVACUATE' }, { region: 'us-east-2' }, {}],
    });
    aws.down.add('dynamodb');
    dns.answer = undefined;
    const none = await shell.run('why --json --world world.json');
    expect(none.exit).toBe(1);
    expect(none.json).toMatchObject({ ok: false, error: { message: expect.stringMatching(/^Neither DNS/) } });
  });

  test('why --at tells the last round before that time from the logs of each observer', async () => {
    const line = (timestamp: number, vote: string, refusals: readonly string[]) => ({
      timestamp,
      message: JSON.stringify({
        message: 'an evacuation is called for, and refused',
        diagnosis: 'KinesisWriteImpaired',
        phase: 'held',
        vote,
        refusals,
        primary: { kinesisWrite: 'server 12 ms, InternalFailure' },
        cells: [{ cell: 'orders', kind: 'impaired', reason: '5 of 6 records were not taken', refusals: [] }],
      }),
    });
    const atMs = Date.parse('2026-11-25T03:10:00Z');
    aws.logs.set('us-east-2', [
      line(atMs - 6_000, 'HOLD', ['mode']),
      line(atMs - 1_000, 'HOLD', ['pause']),
      { timestamp: atMs - 500, message: 'REPORT RequestId' },
      line(atMs + 4_000, 'EVACUATE', []),
    ]);
    const { exit, json } = await shell.run('why --at 2026-11-25T03:10Z --json --world world.json');
    expect(exit).toBe(0);
    expect(json).toMatchObject({
      observers: [
        { region: 'us-west-2', problem: expect.stringContaining('logged no round') },
        { region: 'us-east-2', atMs: atMs - 1_000, refusals: ['pause'], vote: 'HOLD' },
        { region: 'eu-west-1' },
      ],
    });
    const { out } = await shell.run('why --at 2026-11-25T03:10Z --world world.json');
    expect(out).toMatch(/refused +pause/);
    expect(out).toMatch(/cell +orders impaired: 5 of 6 records were not taken/);
    expect(out).toMatch(/primary +kinesisWrite: server 12 ms, InternalFailure/);
    expect(aws.calls.map(({ region }) => region)).not.toContain('us-east-1');
  });

  test('a file that describes no world is wrong usage', async () => {
    expect((await shell.run('status --world spillway.config.json')).exit).toBe(2);
  });
});
