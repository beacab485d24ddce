import { randomUUID } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { beforeAll, describe, expect, it, onTestFinished, vi } from 'vitest';
import { type KinesisServer, makeStream, readAll, sharedKinesis } from '../drain/fixtures/kinesis.ts';
import { clientFor } from '../drain/fixtures/plain-client.ts';
import { internalFailure, startTap } from '../drain/fixtures/tap.ts';
import { startSignalServer } from '../producer/signal-server.ts';
import { javaProgram, Program, programs, pythonProgram, type Start } from './program.ts';

const EAST = 'us-east-1';
const WEST = 'us-west-2';
const DEADLINE_MS = 40_000;
let kinesis: KinesisServer;
const starts = {} as Record<'python' | 'java', Start>;

beforeAll(async () => {
  // The first run in a clone installs what the programs need.
  [kinesis, starts.python, starts.java] = await Promise.all([
    sharedKinesis(),
    pythonProgram(),
    javaProgram(),
  ]);
}, 600_000);

const until = (met: () => boolean): Promise<unknown> =>
  vi.waitUntil(met, { timeout: DEADLINE_MS, interval: 20 });

describe.concurrent.each(['python', 'java'] as const)('the program in %s', (language) => {
  it('follows the signal, keeps the last good answer, and loses nothing', {
    timeout: 3 * DEADLINE_MS,
  }, async () => {
    const stream = `orders-${randomUUID()}`;
    const clients = [EAST, WEST].map((region) => clientFor(kinesis.url, region));
    await Promise.all(clients.map((client) => makeStream(client, stream)));
    const tap = await startTap(kinesis.url);
    const dns = await startSignalServer(`v=1; region=${EAST}; stream=${stream}`);
    const program = new Program(starts[language], {
      args: ['signal.orders.test', `${EAST},${WEST}`],
      env: {
        SIGNAL_DNS: dns.address,
        SIGNAL_POLL_SECONDS: '0.2',
        AWS_ENDPOINT_URL_KINESIS: tap.url,
        AWS_ACCESS_KEY_ID: 'test',
        AWS_SECRET_ACCESS_KEY: 'test',
        AWS_EC2_METADATA_DISABLED: 'true',
      },
    });
    onTestFinished(async () => {
      program.kill();
      await tap.close();
      await dns.close();
    });
    const givenTo: string[] = [];
    const give = (region: string, ...data: readonly string[]): Promise<unknown> => {
      program.give(data.map((one) => ['k', one]));
      givenTo.push(...data.map(() => region));
      return until(() => program.lines.length === givenTo.length).catch(() => {
        throw new Error(
          `${givenTo.length} records, of which it wrote ${program.lines.length}:\n${program.said}`,
        );
      });
    };
    const askedAgain = (): Promise<unknown> => {
      const before = dns.asked;
      return until(() => dns.asked > before + 1);
    };

    await give(EAST, '1', '2');
    for (const nothingGood of [
      undefined,
      `v=1; region=eu-west-1; stream=${stream}`,
      `v=1; region=${WEST}; region=${WEST}; stream=${stream}`,
      `v=2; region=${WEST}; stream=${stream}`,
      `v=1; region=${WEST}; stream=${stream}; account=111122223333`,
    ]) {
      dns.answer = nothingGood;
      await askedAgain();
      await give(EAST, `at ${nothingGood}`);
    }
    // The region fails: its records wait until the signal moves. Keys that a later version may add are no reason to stay.
    tap.before = ({ region, operation }) =>
      operation === 'PutRecord' && region === EAST ? internalFailure : 'pass';
    dns.answer = `v=1; region=${WEST}; stream=${stream}; later=1`;
    await give(WEST, '3', '4', '5');

    expect(program.lines.map((line) => line.split(' ')[0])).toEqual(givenTo);
    expect(program.said).toMatch(/the last good one stays/);
    const [east = [], west = []] = await Promise.all(clients.map((client) => readAll(client, stream)));
    expect(east.map(({ data }) => `${Buffer.from(data)}`).slice(0, 2)).toEqual(['1', '2']);
    expect(east).toHaveLength(7);
    expect(west.map(({ key, data }) => `${key} ${Buffer.from(data)}`)).toEqual(['k 3', 'k 4', 'k 5']);
  });
});

it.each(['follow_signal.py', 'FollowSignal.java', 'pom.xml'])(
  '%s is in the document as it is',
  async (file) => {
    const document = await readFile(join(programs, '../follow-the-signal.md'), 'utf8');
    const program = await readFile(join(programs, file), 'utf8');
    const kind = file.split('.').at(-1);
    const language = { py: 'python', java: 'java', xml: 'xml' }[kind ?? ''];
    expect(document).toContain(`\`\`\`${language}\n${program}\`\`\`\n`);
  },
);
