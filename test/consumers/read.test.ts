import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { parseConfig } from '../../lib/config/parse.ts';
import type { ConfigInput } from '../../lib/config/schema.ts';
import type { ConsumersRead } from '../../lib/consumers/read.ts';
import { type ConsumersReport, reportOf } from '../../lib/consumers/report.ts';
import { AwsClients } from '../../lib/operate/clients.ts';
import { readConsumersOf } from '../../lib/operate/consumers.ts';
import type { RequestFacts } from '../../lib/scenario/request-facts.ts';
import { type FakeAws, startFakeAws } from '../operate/fixtures/fake-aws.ts';

const [PRIMARY, STANDBY] = ['us-east-1', 'us-west-2'];
const ACCOUNT = '123456789012';
const takes = ['aggregates', 'probes'] as const;
const lambda = (name: string) => ({ kind: 'lambda' as const, function: name, takes: [...takes] });

let aws: FakeAws;
let clients: AwsClients;
beforeEach(async () => {
  aws = await startFakeAws();
  const credentials = { accessKeyId: 'test', secretAccessKey: 'test' };
  clients = new AwsClients({ who: 'cli consumers', timeoutMs: 1_000, endpoint: aws.url, credentials });
});
afterEach(async () => {
  clients.destroy();
  await aws.close();
});

const configOf = (cells: ConfigInput['cells']) =>
  parseConfig(
    {
      ...{ name: 'shop', zone: { id: 'Z0123456789', name: 'shop.example.com' }, cells },
      healthCheckQuota: 5_000,
    },
    'test',
  );

interface LookOptions {
  readonly deep?: boolean;
  readonly timeoutMs?: number;
  readonly budgetMs?: number;
  /** Names of cells, as of `--cells`. */
  readonly only?: readonly string[];
}

async function look(
  cells: ConfigInput['cells'],
  { only, ...options }: LookOptions = {},
): Promise<{ read: ConsumersRead; report: ConsumersReport; ms: number }> {
  const config = configOf(cells);
  const begunMs = performance.now();
  const read = await readConsumersOf({
    ...{ config, clients, nowMs: Date.now, deep: false, timeoutMs: 500 },
    cells: config.cells.filter(({ name }) => only?.includes(name) ?? true),
    ...options,
  });
  return { read, report: reportOf(read), ms: performance.now() - begunMs };
}

const short = ({ findings }: ConsumersReport) => findings.map(({ code, region }) => `${code} ${region}`);

/** A mapping as Lambda lists it. */
const mapping = (region: string, stream: string, name: string, more: object = {}) => ({
  UUID: `${region}-${stream}-${name}`,
  EventSourceArn: `arn:aws:kinesis:${region}:${ACCOUNT}:stream/${stream}`,
  FunctionArn: `arn:aws:lambda:${region}:${ACCOUNT}:function:${name}`,
  State: 'Enabled',
  LastProcessingResult: 'OK',
  StartingPosition: 'TRIM_HORIZON',
  ...more,
});

const PAGE = 100;
/** Lists the mappings that a request asks for, a hundred at a time. */
function listed(all: (region: string) => readonly object[]) {
  return ({ operation, region }: RequestFacts, { url }: { readonly url: string }) => {
    if (operation === 'GetFunctionConfiguration') return { State: 'Active' };
    if (operation === 'GetFunctionConcurrency') return {};
    if (operation === 'GetMetricData') return { MetricDataResults: [] };
    if (operation !== 'ListEventSourceMappings') return undefined;
    const { searchParams } = new URL(url, 'http://localhost');
    const source = searchParams.get('EventSourceArn');
    const name = searchParams.get('FunctionName');
    const some = (all(region) as ReturnType<typeof mapping>[]).filter(
      ({ EventSourceArn, FunctionArn }) =>
        (source === null || EventSourceArn === source) && (name === null || FunctionArn.includes(name)),
    );
    const from = Number(searchParams.get('Marker') ?? 0);
    const next = from + PAGE < some.length ? { NextMarker: String(from + PAGE) } : {};
    return { EventSourceMappings: some.slice(from, from + PAGE), ...next };
  };
}

describe('many', () => {
  it('takes a thousand mappings of a thousand cells page by page, and misses none', async () => {
    const names = Array.from({ length: 1_000 }, (_, n) => `s${n}`);
    aws.json = listed((region) => names.map((name) => mapping(region, name, 'indexer')));
    const cells = names.map((name) => ({
      ...{ name, stream: { name, existing: true } },
      consumers: [lambda('indexer')],
    }));
    const { report, ms } = await look(cells);
    expect(report.findings).toEqual([]);
    expect(report.cells.every(({ consumers }) => consumers[0]?.standby.works === 'yes')).toBe(true);
    const lists = aws.calls.filter(({ operation }) => operation === 'ListEventSourceMappings');
    expect(lists).toHaveLength(20);
    // Ten pages at ten calls a second, in both regions at the same time.
    expect(ms).toBeLessThan(5_000);
  }, 30_000);

  it('says of half a list that the rest is not known, and not that it is missing', async () => {
    const names = Array.from({ length: 200 }, (_, n) => `s${n}`);
    const all = listed((region) => names.map((name) => mapping(region, name, 'indexer')));
    aws.json = all;
    aws.refuse = ({ operation, region }) => {
      const lists = aws.calls.filter((call) => call.operation === operation && call.region === region);
      const isSecond = operation === 'ListEventSourceMappings' && region === STANDBY && lists.length > 1;
      return isSecond ? { code: 'ServiceException', status: 500 } : undefined;
    };
    const cells = names.map((name) => ({
      ...{ name, stream: { name, existing: true } },
      consumers: [lambda('indexer')],
    }));
    const { report } = await look(cells);
    expect(short(report)).toEqual([`unreadable ${STANDBY}`]);
    const works = report.cells.map(({ consumers }) => consumers[0]?.standby.works);
    expect(works.filter((one) => one === 'yes')).toHaveLength(PAGE);
    expect(works.filter((one) => one === 'unknown')).toHaveLength(PAGE);
  });
});

describe('a mapping is of the function that the config means', () => {
  it.each([
    ['indexer', 'indexer:live', 'yes'],
    ['indexer:live', 'indexer:live', 'yes'],
    ['indexer:live', 'indexer:test', 'no'],
    ['indexer:live', 'indexer', 'no'],
    ['indexer', 'indexer-2', 'no'],
  ])('%s, and the mapping of %s: %s', async (declared, named, works) => {
    aws.json = listed((region) => [mapping(region, 'orders', named)]);
    const { report } = await look([
      { name: 'orders', stream: { name: 'orders', existing: true }, consumers: [lambda(declared)] },
    ]);
    expect(report.cells[0]?.consumers[0]?.standby.works).toBe(works);
  });

  it('reads a registered consumer of the stream', async () => {
    aws.json = listed((region) => [
      mapping(region, 'orders/consumer/fan:1', 'indexer'),
      mapping(region, 'orders-2', 'indexer'),
    ]);
    const { report } = await look([
      { name: 'orders', stream: { name: 'orders', existing: true }, consumers: [lambda('indexer')] },
    ]);
    expect(report.findings).toEqual([]);
  });

  it('may read the streams of several cells; what one of them lacks is missing there', async () => {
    aws.json = listed((region) => [
      mapping(region, 'orders', 'indexer'),
      ...(region === PRIMARY ? [mapping(region, 'clicks', 'indexer')] : []),
    ]);
    const cells = ['orders', 'clicks'].map((name) => ({
      ...{ name, stream: { name, existing: true } },
      consumers: [lambda('indexer')],
    }));
    const missing = [{ code: 'missing-in-standby', cell: 'clicks' }];
    expect((await look(cells)).report.findings).toMatchObject(missing);
    expect((await look(cells, { only: ['clicks'] })).report.findings).toMatchObject(missing);
  });
});

describe('a control plane in trouble', () => {
  const cells = [
    { name: 'orders', stream: { name: 'orders', existing: true }, consumers: [lambda('indexer')] },
  ];

  it('is asked again when it throttles', async () => {
    aws.json = listed((region) => [mapping(region, 'orders', 'indexer')]);
    let refused = 0;
    aws.refuse = ({ operation }) =>
      operation === 'ListEventSourceMappings' && ++refused <= 2
        ? { code: 'TooManyRequestsException', status: 429 }
        : undefined;
    const { report } = await look(cells);
    expect(report.findings).toEqual([]);
  });

  it('that throttles for ever is one finding of its region', async () => {
    aws.json = listed((region) => [mapping(region, 'orders', 'indexer')]);
    aws.refuse = ({ service, region }) =>
      service === 'lambda' && region === STANDBY
        ? { code: 'TooManyRequestsException', status: 429 }
        : undefined;
    const { report } = await look(cells, { budgetMs: 3_000 });
    expect(short(report)).toEqual([`unreadable ${STANDBY}`]);
    expect(report.ok).toBe(true);
  });

  it('that hangs holds up neither the other region nor the answer', async () => {
    aws.json = listed((region) => [mapping(region, 'orders', 'indexer')]);
    aws.resources.add(`${STANDBY}/orders`);
    aws.blackHoles.add(String(PRIMARY));
    const { report, ms } = await look(cells, { deep: true });
    expect(new Set(short(report))).toEqual(new Set([`unreadable ${PRIMARY}`]));
    expect(report.cells[0]?.consumers[0]).toMatchObject({
      primary: { works: 'unknown' },
      standby: { works: 'yes' },
    });
    expect(ms).toBeLessThan(5_000);
  });

  it('that forbids one action is asked for it three times at most', async () => {
    aws.json = listed((region) => Array.from({ length: 20 }, (_, n) => mapping(region, `s${n}`, `f${n}`)));
    aws.refuse = ({ operation }) =>
      operation === 'GetFunctionConcurrency' ? { code: 'AccessDeniedException', status: 403 } : undefined;
    const many = Array.from({ length: 20 }, (_, n) => ({
      ...{ name: `s${n}`, stream: { name: `s${n}`, existing: true } },
      consumers: [lambda(`f${n}`)],
    }));
    const { report } = await look(many);
    expect(short(report)).toEqual([`denied ${PRIMARY}`, `denied ${STANDBY}`]);
    expect(report.findings[0]?.text).toMatch(/lambda:GetFunctionConcurrency/);
    const asked = aws.calls.filter(({ operation }) => operation === 'GetFunctionConcurrency');
    expect(asked.length).toBeLessThanOrEqual(2 * (3 + 8));
  }, 30_000);

  it('ends when the time is over, and what was read is shown', async () => {
    aws.json = listed((region) => Array.from({ length: 40 }, (_, n) => mapping(region, `s${n}`, `f${n}`)));
    const many = Array.from({ length: 40 }, (_, n) => ({
      ...{ name: `s${n}`, stream: { name: `s${n}`, existing: true } },
      consumers: [lambda(`f${n}`)],
    }));
    const { report, ms } = await look(many, { budgetMs: 1_500 });
    expect(ms).toBeLessThan(4_000);
    expect(short(report)).toEqual([`unreadable ${PRIMARY}`, `unreadable ${STANDBY}`]);
    expect(report.cells.every(({ consumers }) => consumers[0]?.standby.works === 'yes')).toBe(true);
  });
});

describe('a function that was found, and that the config does not name', () => {
  it('is looked at if that is allowed, and no finding if it is not', async () => {
    aws.json = listed((region) => [mapping(region, 'orders', 'indexer')]);
    const cells = [{ name: 'orders', stream: { name: 'orders', existing: true } }];
    aws.refuse = ({ operation }) =>
      operation.startsWith('GetFunction') ? { code: 'AccessDeniedException', status: 403 } : undefined;
    expect((await look(cells)).report.findings).toEqual([]);
    const active = aws.json;
    aws.refuse = () => undefined;
    aws.json = (facts, request) =>
      facts.operation === 'GetFunctionConcurrency' && facts.region === STANDBY
        ? { ReservedConcurrentExecutions: 0 }
        : active(facts, request);
    expect(short((await look(cells)).report)).toEqual([`function-throttled ${STANDBY}`]);
  });
});

describe('a Firehose stream and an alarm', () => {
  it('are read by their names', async () => {
    const source = (region: string) => `arn:aws:kinesis:${region}:${ACCOUNT}:stream/orders`;
    aws.json = ({ operation, region }, { input }) => {
      if (operation === 'DescribeDeliveryStream') {
        const KinesisStreamARN = source(String(PRIMARY));
        return {
          DeliveryStreamDescription: {
            ...{ DeliveryStreamName: input.DeliveryStreamName, DeliveryStreamStatus: 'ACTIVE' },
            Source: { KinesisStreamSourceDescription: { KinesisStreamARN, RoleARN: `role in ${region}` } },
          },
        };
      }
      return undefined;
    };
    const { report } = await look([
      {
        ...{ name: 'orders', stream: { name: 'orders', existing: true } },
        consumers: [{ kind: 'firehose', name: 'to-s3', takes: [...takes] }],
      },
    ]);
    expect(short(report)).toEqual([`wrong-stream ${STANDBY}`]);
  });
});
