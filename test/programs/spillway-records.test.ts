import { join } from 'node:path';
import { execa } from 'execa';
import fc from 'fast-check';
import { beforeAll, describe, expect, it } from 'vitest';
import {
  Deduplicator,
  type LambdaKinesisEvent,
  processRecords,
  recordsOf,
} from '../../lib/consumer/index.ts';
import { wrap } from '../../lib/envelope/wrap.ts';
import { anyRecord, frame } from '../aggregate/fixtures/frame.ts';
import { judgingPython } from '../aggregate/python/python-judge.ts';
import { aggregate, damaged, enveloped, eventOf, id, probe } from '../consumer/fixtures/lambda-event.ts';

const TIMEOUT_MS = 60_000;
let python: string;
beforeAll(async () => {
  python = await judgingPython();
}, 600_000);

interface Question {
  readonly event: LambdaKinesisEvent;
  /** Texts of records that the handler fails for. */
  readonly failing: readonly string[];
}

/** What the module makes of each event, in one process. */
async function inPython(questions: readonly Question[]): Promise<readonly unknown[]> {
  const { stdout } = await execa(python, [join(import.meta.dirname, 'records.py')], {
    input: questions.map((question) => `${JSON.stringify(question)}\n`).join(''),
    env: { PYTHONDONTWRITEBYTECODE: '1' },
    timeout: TIMEOUT_MS,
  });
  return stdout.split('\n').map((line) => JSON.parse(line));
}

const base64 = (bytes: Uint8Array): string => Buffer.from(bytes).toString('base64');
const snake = (name: string): string => name.replaceAll(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`);
const notThere: Readonly<Record<string, string>> = { bytes: 'raw' };

/** A record of ours as Python has it. */
function plain(record: object, leftOut: readonly string[]): object {
  const fields = Object.entries(record).filter(
    ([name, value]) =>
      value !== undefined && ![...leftOut, 'source', 'tags', 'enveloped', 'eventID'].includes(name),
  );
  return Object.fromEntries(
    fields.map(([name, value]) => [
      notThere[name] ?? snake(name),
      value instanceof Uint8Array ? base64(value) : value,
    ]),
  );
}

async function inTypeScript({ event, failing }: Question): Promise<unknown> {
  const { records, bad, probes } = recordsOf(event, { stopAtBad: false });
  const untilBad = recordsOf(event);
  const handled: string[] = [];
  let setAside = 0;
  const answer = await processRecords(
    event,
    ({ data }) => {
      if (failing.includes(Buffer.from(data).toString('latin1'))) throw new Error('this one');
      handled.push(base64(data));
    },
    {
      deduplicator: new Deduplicator(),
      onBad: () => void setAside++,
      onFailure: () => {},
    },
  );
  return {
    records: records.map((one) => plain(one, [])),
    bad: bad.map((one) => plain(one, ['bad', 'detail', 'arrivedAtMs', 'region', 'stream'])),
    probes,
    untilBad: untilBad.records.length,
    failures: untilBad.batchItemFailures,
    ...{ handled, setAside, answer },
  };
}

const hexOf = (n: bigint): string => Buffer.from(`${n}`).toString('hex');
const compare = async (questions: readonly Question[]): Promise<void> => {
  const [theirs, ours] = await Promise.all([inPython(questions), Promise.all(questions.map(inTypeScript))]);
  expect(theirs).toEqual(ours);
};

const group = (...data: readonly Uint8Array[]): Buffer =>
  aggregate(...data.map((one) => ({ partitionKey: 'k', data: one })));

describe('docs/programs/spillway_records.py', () => {
  it('reads what recordsOf reads, and refuses what it refuses', { timeout: TIMEOUT_MS }, async () => {
    const inEvent = fc.oneof(
      fc.constant(probe.data),
      fc.integer({ min: 1, max: 9 }).map((n) => enveloped(n)),
      fc.integer({ min: 0, max: 55 }).map((at) => damaged(enveloped(1), at)),
      fc.integer({ min: 0, max: 60 }).map((length) => enveloped(1, 'a longer one').subarray(0, length)),
      fc.uint8Array({ maxLength: 60 }),
    );
    const whole = fc.oneof(
      inEvent,
      fc.array(inEvent, { minLength: 1, maxLength: 4 }).map((all) => group(...all)),
      fc.array(anyRecord, { minLength: 1, maxLength: 6 }).map((all) => aggregate(...all)),
      fc.tuple(fc.array(anyRecord, { minLength: 1, maxLength: 3 }), fc.nat()).map(([all, at]) => {
        const bytes = aggregate(...all);
        return damaged(bytes, at % bytes.length);
      }),
    );
    const events = fc.sample(fc.array(whole, { maxLength: 8 }), { numRuns: 150, seed: 20_261_130 });
    const questions = events.map((all) => ({ event: eventOf(...all), failing: ['3', '7'] }));
    expect(
      questions.flatMap(({ event }) => recordsOf(event, { stopAtBad: false }).bad).length,
    ).toBeGreaterThan(50);
    await compare(questions);
  });

  it('refuses the same envelopes and aggregates whose checksums hold', { timeout: TIMEOUT_MS }, async () => {
    // Fields of the message: 0a a partition key, 12 an explicit hash key, 1a a record with 08 and 10 for indexes, 1a for data, 22 for a tag.
    const messages = [
      '',
      '0a016b',
      '0a016b 1a0408001a00',
      '1a0408001a00 0a016b',
      '0a016b 1a0408011a00',
      '0a01ff 1a0408001a00',
      '0a016b 120178 1a06080010001a00',
      '0a016b 120137 1a06080010001a00',
      '0a016b 120137 1a06080010011a00',
      '0a016b 12023037 1a06080010001a00',
      `0a016b 1227${hexOf(2n ** 128n - 1n)} 1a06080010001a00`,
      `0a016b 1227${hexOf(2n ** 128n)} 1a06080010001a00`,
      '0a016b 1a021a00',
      '0a016b 1a020800',
      '0a016b 1a0508001a00',
      '0a016b 1a0408001a00 2a0178',
      '0a016b 1a0908001a0022030a016b',
      '0a016b 1a0908001a0022030a01ff',
      '0a016b 1a0908001a002203120178',
    ].map((hex) => frame(Buffer.from(hex.replaceAll(' ', ''), 'hex')));
    const later = wrap({
      producerId: id(0),
      epoch: 1,
      sequence: 2 ** 53 - 1,
      recordId: id(1),
      data: Buffer.of(1),
    });
    const event = eventOf(...messages, later, group(later));
    await compare([{ event, failing: [] }]);
    const reasons = recordsOf(event, { stopAtBad: false }).bad.map(({ reason }) => reason);
    expect(reasons.filter((reason) => reason === 'aggregate-content').length).toBeGreaterThan(5);
  });

  it('reports records outside the shape alike', { timeout: TIMEOUT_MS }, async () => {
    const records = [
      { data: 'no base64!', sequenceNumber: '7' },
      { data: 'eA==', sequenceNumber: '7', partitionKey: 1 },
      { data: 'eA==', sequenceNumber: 7 },
      { sequenceNumber: '7' },
      undefined,
    ];
    const questions = records.map((kinesis) => ({ event: { Records: [{ kinesis }] } as never, failing: [] }));
    await compare([...questions, { event: { Records: [null] } as never, failing: [] }]);
  });
});
