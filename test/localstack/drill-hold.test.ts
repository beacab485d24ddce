import { execFile } from 'node:child_process';
import { InvokeCommand, LambdaClient } from '@aws-sdk/client-lambda';
import { expect, it } from 'vitest';
import { DRILL_TIMEOUT_MS, startDrill } from './fixtures/drill.ts';
import { descendantsOf, survivorsOf } from './fixtures/processes.ts';

it(
  'a drill of the 2024 outage holds, though an observer is killed; and when LocalStack dies, says so and leaves nothing running',
  async () => {
    const flags = ['--scenario', '2024-kinesis', '--for', '40s', '--kill-observer', 'eu-west-1', '--keep'];
    const { child, ended, says } = startDrill(...flags);
    const [, url = ''] = /kept: LocalStack at (\S+),/.exec(await says(/kept: LocalStack at \S+,/)) ?? [];
    await surveySees(url);
    await operatorSees();
    await operatorEndsFaults();
    await says(/the faults end, by /);
    const running = await descendantsOf(child.pid ?? 0);
    const leader = running.find(({ command }) => command.includes('-m spillway_localstack'));
    process.kill(leader?.pid ?? Number.NaN, 'SIGKILL');
    const { status, last, said } = await ended;
    expect(JSON.parse(last)).toMatchObject({ verdict: 'hold', ok: true, flips: 0, records: { lost: 0 } });
    expect(status).toBe(1);
    expect(said).toMatch(/error.* LocalStack died during the drill: LocalStack ended by SIGKILL/);
    expect(await survivorsOf(running, 5_000)).toEqual([]);
  },
  DRILL_TIMEOUT_MS,
);

/** The survey, which the Events rule starts once an hour, finds the drill's own consumers in the standby. */
async function surveySees(endpoint: string): Promise<void> {
  const credentials = { accessKeyId: 'test', secretAccessKey: 'test' };
  const lambda = new LambdaClient({ region: 'us-west-2', endpoint, credentials });
  const { FunctionError, Payload } = await lambda.send(
    new InvokeCommand({ FunctionName: 'spillway-survey' }),
  );
  expect(FunctionError, Payload?.transformToString()).toBeUndefined();
}

/** The operator's screen of the world that is left standing: traffic has not moved, and one observer of three is dead. */
async function operatorSees(): Promise<void> {
  const { code, document } = await spillway(['status']);
  expect(code).toBe(4);
  const consumers = [{ kind: 'lambda', name: 'spillway-drill-consumer', works: 'yes' }];
  const cell = (name: string) => ({
    ...{ cell: name, region: 'us-east-1', stream: name, switch: 'PRIMARY' },
    readers: { works: 'yes', consumers, because: [] },
  });
  const observer = (region: string, fresh: boolean) => ({
    region,
    fresh,
    vote: 'HOLD',
    diagnosis: 'Healthy',
  });
  expect(document).toMatchObject({
    ok: false,
    mode: 'auto',
    lastDrill: { why: '2024-kinesis passed: traffic stayed, as it should, 0 lost' },
    control: 'read',
    quorum: { region: 'us-east-1' },
    cells: [cell('orders'), cell('clicks')],
    observers: [observer('us-west-2', true), observer('us-east-2', true), observer('eu-west-1', false)],
    findings: expect.arrayContaining([
      { level: 'bad', text: expect.stringMatching(/observer eu-west-1 is silent/) },
    ]),
  });
}

/** From another terminal. The faults of a kept world go on until then. */
async function operatorEndsFaults(): Promise<void> {
  const end = () => spillway(['drill', 'end-faults']);
  const { code, document } = await end();
  expect(code).toBe(0);
  expect(document).toMatchObject({
    ok: true,
    ended: ['logs', 'firehose', 'ecs'].map((service) => ({ text: expect.stringContaining(service) })),
    cancelled: { length: 3 },
    failback: { held: false },
  });
  expect((await end()).document).toMatchObject({ ok: true, ended: [], cancelled: [] });
}

interface Ended {
  readonly code: number;
  readonly document: unknown;
}

function spillway(words: readonly string[]): Promise<Ended> {
  return new Promise((resolve) => {
    execFile(process.execPath, ['bin/spillway.ts', ...words, '--json', '--local'], (error, stdout) =>
      resolve({ code: Number(error?.code ?? 0), document: JSON.parse(stdout) }),
    );
  });
}
