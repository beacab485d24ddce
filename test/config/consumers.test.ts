import { expect, test } from 'vitest';
import { parseConfig } from '../../lib/config/parse.ts';
import type { CellInput } from '../../lib/config/schema.ts';
import { problemsOf, withCells } from './inputs.ts';

const withConsumers = (...consumers: NonNullable<CellInput['consumers']>) =>
  withCells({ name: 'orders', stream: 'orders', consumers });

test('a consumer has its name in each region, and takes what its kind takes by itself', () => {
  const { cells } = parseConfig(
    withConsumers(
      { kind: 'lambda', function: 'indexer' },
      { kind: 'kcl', leaseTable: { primary: 'east', standby: 'west' } },
      { kind: 'firehose', name: 'lake', takes: [] },
      { kind: 'other', alarm: 'flink-lags', takes: ['probes'] },
    ),
    'spillway.config.json',
  );
  const both = (name: string) => ({ primary: name, standby: name });
  expect(cells[0]?.consumers).toEqual([
    { kind: 'lambda', name: both('indexer'), takes: [] },
    { kind: 'kcl', name: { primary: 'east', standby: 'west' }, takes: ['aggregates'] },
    { kind: 'firehose', name: both('lake'), takes: [] },
    { kind: 'other', name: both('other'), alarm: both('flink-lags'), takes: ['probes'] },
  ]);
});

test('without a word about consumers nothing is known of them, which is not "none"', () => {
  const known = (...cells: CellInput[]) => parseConfig(withCells(...cells), 'spillway.config.json').cells[0];
  expect(known({ name: 'orders', stream: 'orders' })).not.toHaveProperty('consumers');
  expect(known({ name: 'orders', stream: 'orders', consumers: [] })?.consumers).toEqual([]);
});

test.each<[string, unknown, string, RegExp, RegExp]>([
  ['a kind that is none', { kind: 'flink' }, 'cells[0].consumers[0].kind', /.+/, /lambda.+kcl.+other/],
  ['no object', 'indexer', 'cells[0].consumers[0]', /is not an object/, /kind: "lambda"/],
  [
    'a name that is missing',
    { kind: 'kcl' },
    'cells[0].consumers[0].leaseTable',
    /is missing/,
    /lease table/,
  ],
  [
    'a key of another kind',
    { kind: 'kcl', leaseTable: 'app', function: 'indexer' },
    'cells[0].consumers[0]',
    /has no key "function"/,
    /Known keys: kind, leaseTable, takes/,
  ],
  [
    'what is no function',
    { kind: 'lambda', function: 'my function' },
    'cells[0].consumers[0].function',
    /is not the name of a Lambda function/,
    /name:alias/,
  ],
  [
    'records that nobody knows',
    { kind: 'lambda', function: 'indexer', takes: ['json'] },
    'cells[0].consumers[0].takes[0]',
    /"json" is not one of/,
    /aggregates/,
  ],
])('%s is refused', (_what, consumer, path, problem, fix) => {
  const [found, ...others] = problemsOf(withConsumers(consumer as never));
  expect(others).toEqual([]);
  expect(found).toEqual({
    path,
    problem: expect.stringMatching(problem),
    fix: expect.stringMatching(fix),
  });
});

test('a consumer is named once, also if only one region says so', () => {
  const input = withConsumers(
    { kind: 'lambda', function: 'indexer' },
    { kind: 'kcl', leaseTable: 'indexer' },
    { kind: 'lambda', function: { primary: 'other', standby: 'indexer' } },
  );
  expect(problemsOf(input)).toEqual([
    {
      path: 'cells[0].consumers[2]',
      problem: 'is the Lambda function other again',
      fix: 'Name each consumer of a cell once.',
    },
  ]);
});
