import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import type { Context, KinesisStreamEvent } from 'aws-lambda';
import { execa } from 'execa';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import type { Deduplicator, EventRecord, StartPosition, WrongOrder } from '../../lib/consumer/index.ts';
import { parseCheckpoint, recordsOf } from '../../lib/consumer/index.ts';
import { judgingPython } from '../aggregate/python/python-judge.ts';
import { type DynamoServer, startDynamo } from '../consumer/dynamo/dynamo-server.ts';
import {
  aggregate,
  arrivedAtMs,
  damaged,
  enveloped,
  eventOf,
  probe,
} from '../consumer/fixtures/lambda-event.ts';
import { programs } from './program.ts';

const root = join(import.meta.dirname, '../..');
const document = await readFile(join(root, 'docs/consuming.md'), 'utf8');
/** The examples, by the name in their first line. */
const examples = new Map(
  [...document.matchAll(/```ts\n\/\/ ([\w-]+\.ts)\n(.*?)```/gs)].map(([, name = '', code = '']) => [
    name,
    code,
  ]),
);
const application = `
export const handled: string[] = [];
export const aside: string[] = [];
export const failing = new Set<string>();
export async function handle(key: string, data: Uint8Array): Promise<void> {
  const text = Buffer.from(data).toString();
  if (failing.has(text)) throw new Error('cannot handle ' + text);
  handled.push(key + ' ' + text);
}
export async function setAside(bytes: Uint8Array | undefined, why: string): Promise<void> {
  aside.push(String(bytes?.byteLength) + ' ' + why);
}
`;

interface Application {
  readonly handled: string[];
  readonly aside: string[];
  readonly failing: Set<string>;
}

let directory: string;
let orders: Application;
let dynamo: DynamoServer;
beforeAll(async () => {
  await mkdir(join(root, '.spillway'), { recursive: true });
  directory = await mkdtemp(join(root, '.spillway/examples-'));
  const consumer = pathToFileURL(join(root, 'lib/consumer/index.ts')).href;
  await writeFile(join(directory, 'orders.ts'), application);
  for (const [name, code] of examples)
    await writeFile(join(directory, name), code.replaceAll("'spillway/consumer'", `'${consumer}'`));
  [orders, dynamo] = [await load('orders.ts'), await startDynamo()];
}, 60_000);
afterAll(async () => {
  await dynamo.close();
  await rm(directory, { recursive: true });
});

const load = <Module>(name: string): Promise<Module> =>
  import(/* @vite-ignore */ pathToFileURL(join(directory, name)).href) as Promise<Module>;

type Handler = (event: KinesisStreamEvent, context: Context) => Promise<unknown>;

const bad = damaged(enveloped(9));
const event = eventOf(
  aggregate(...[1, 2].map((n) => ({ partitionKey: 'k', data: enveloped(n) }))),
  probe,
  bad,
  Buffer.from('bare'),
);

async function answerOf(name: string): Promise<unknown> {
  for (const list of [orders.handled, orders.aside]) list.length = 0;
  const { handler } = await load<{ handler: Handler }>(name);
  return handler(event, { getRemainingTimeInMillis: () => 60_000 } as Context);
}

describe('the examples of docs/consuming.md', () => {
  it('compile', { timeout: 60_000 }, async () => {
    expect([...examples.keys()]).toEqual([
      ...[
        'handler.ts',
        'loop.ts',
        'powertools.ts',
        'handled-ids.ts',
        'table.ts',
        'order.ts',
        'checkpoint.ts',
      ],
    ]);
    const typed = join(directory, 'typed');
    await mkdir(typed);
    await writeFile(join(typed, 'orders.ts'), application);
    for (const [name, code] of examples)
      await writeFile(
        join(typed, name),
        code.replaceAll("'spillway/consumer'", "'../../../lib/consumer/index.ts'"),
      );
    const tsconfig = { extends: '../../../tsconfig.json', include: ['.'], exclude: [] };
    await writeFile(join(typed, 'tsconfig.json'), JSON.stringify(tsconfig));
    const { stdout } = await execa('npx', ['--no-install', 'tsc', '-p', typed], { cwd: root, reject: false });
    expect(stdout).toBe('');
  });

  it.each(['handler.ts', 'powertools.ts'])(
    '%s handles what can be read and sets the rest aside',
    async (name) => {
      expect(await answerOf(name)).toEqual({ batchItemFailures: [] });
      expect(orders.handled).toEqual(['k 1', 'k 2', 'whole bare']);
      expect(orders.aside).toEqual([expect.stringMatching(new RegExp(`^${bad.byteLength} the checksum`))]);
    },
  );

  it('loop.ts stops at a bad record', async () => {
    expect(await answerOf('loop.ts')).toEqual({ batchItemFailures: [{ itemIdentifier: '102' }] });
    expect(orders.handled).toEqual(['k 1', 'k 2']);
  });

  it('handled-ids.ts keeps ids in a table', async () => {
    vi.stubEnv('AWS_ENDPOINT_URL_DYNAMODB', dynamo.url);
    vi.stubEnv('AWS_REGION', 'us-east-1');
    vi.stubEnv('AWS_ACCESS_KEY_ID', 'test');
    vi.stubEnv('AWS_SECRET_ACCESS_KEY', 'test');
    const { deduplicator } = await load<{ deduplicator: Deduplicator }>('handled-ids.ts');
    const once = async () => (await deduplicator.once('an id', () => 1)).duplicate;
    expect([await once(), await once()]).toEqual([false, true]);
  });

  it('order.ts finds a lost record', async () => {
    const { look, lostOrReordered } = await load<{
      look: (records: readonly EventRecord[]) => void;
      lostOrReordered: (readToMs: number) => readonly WrongOrder[];
    }>('order.ts');
    look(recordsOf(eventOf(enveloped(1), enveloped(2), enveloped(4), Buffer.from('bare'))).records);
    expect(lostOrReordered(arrivedAtMs + 60_000)).toMatchObject([{ kind: 'missing', from: 3, to: 3 }]);
  });

  it('checkpoint.ts begins in the standby before the last record', async () => {
    const { save, resume } = await load<{
      save: (records: readonly EventRecord[]) => string | undefined;
      resume: (text: string) => StartPosition;
    }>('checkpoint.ts');
    const text = save(recordsOf(event).records) ?? '';
    expect(resume(text)).toEqual({ type: 'AT_TIMESTAMP', timestamp: new Date(arrivedAtMs - 600_000) });
    const [, shown = ''] = /```json\n(.*?)\n```/s.exec(document) ?? [];
    expect(Object.keys(parseCheckpoint(shown))).toEqual(Object.keys(parseCheckpoint(text)));
  });

  it('the one in Python handles what can be read and sets the rest aside', { timeout: 60_000 }, async () => {
    const [, code = ''] = /```python\n(.*?)```/s.exec(document) ?? [];
    const orders = `
handled, aside = [], []
def handle(key, data): handled.append(f"{key} {data.decode()}")
def set_aside(raw, why): aside.append(f"{len(raw)} {why}")
`;
    const main = `${code}
import json, sys
import orders
print(json.dumps([handler(json.load(sys.stdin), None), orders.handled, orders.aside]))
`;
    await writeFile(join(directory, 'orders.py'), orders);
    await writeFile(join(directory, 'main.py'), main);
    const { stdout } = await execa(await judgingPython(), [join(directory, 'main.py')], {
      input: JSON.stringify(event),
      env: { PYTHONPATH: programs, PYTHONDONTWRITEBYTECODE: '1' },
      timeout: 30_000,
    });
    expect(JSON.parse(stdout)).toEqual([
      { batchItemFailures: [] },
      ['k 1', 'k 2', 'whole bare'],
      [`${bad.byteLength} damaged-header`],
    ]);
  });
});
