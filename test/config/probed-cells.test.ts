import { Aws } from 'aws-cdk-lib';
import { describe, expect, test } from 'vitest';
import type { Cell } from '../../lib/config/config.ts';
import { inForce, probedCells } from '../../lib/config/probed-cells.ts';
import { isPattern, streamArns } from '../../lib/constructs/stream-arns.ts';

const cell = (name: string, probe: Cell['probe'] = 'onSuspicion'): Cell => ({
  ...{ name, group: name, probe, services: [] },
  streams: { primary: { name, create: true }, standby: { name, create: true } },
});
/** Names that share no beginning. */
const mixed = (count: number, probe?: Cell['probe']) =>
  Array.from({ length: count }, (_, n) => cell(`${String.fromCharCode(97 + (n % 26))}-${n}`, probe));

describe('the cells whose streams an observer may write to', () => {
  test('are all that may be probed, as long as a policy names them', () => {
    const cells = [...mixed(25), cell('quiet', 'never')];
    expect(probedCells(cells)).toEqual({ probed: cells.slice(0, 25), withheld: [] });
  });

  test('are all of a thousand whose names share their beginning', () => {
    const cells = Array.from({ length: 1_000 }, (_, n) => cell(`shop-${n}`));
    expect(probedCells(cells)).toMatchObject({
      withheld: [],
      beginnings: { primary: 'shop-', standby: 'shop-' },
    });
  });

  test('are a part of very many with other names: never by a pattern for every stream', () => {
    const { probed, withheld } = probedCells([...mixed(100), cell('first', 'always')]);
    expect(probed.map(({ name }) => name)).toContain('first');
    expect(probed.length).toBeGreaterThan(20);
    expect(probed.length).toBeLessThanOrEqual(25);
    expect(withheld).toHaveLength(101 - probed.length);
  });

  test('are not named by a beginning of three letters, or by one that a stream with never has', () => {
    const like = (beginning: string) =>
      Array.from({ length: 60 }, (_, n) => cell(`${beginning}${String.fromCharCode(97 + (n % 26))}${n}`));
    expect(probedCells(like('abcd')).withheld).toEqual([]);
    expect(probedCells(like('abc')).withheld).not.toEqual([]);
    expect(probedCells([...like('abcd'), cell('abcd-private', 'never')]).withheld).not.toEqual([]);
  });

  test('have the probe that is in force: never where it is withheld', () => {
    const cells = mixed(60, 'always');
    const { withheld } = probedCells(cells);
    const silent = inForce(cells).filter(({ probe }) => probe === 'never');
    expect(silent.map(({ name }) => name)).toEqual(withheld);
  });

  test('are fewer where the names are long', () => {
    const long = mixed(25).map(({ name }) => cell(`${name}-${'x'.repeat(120)}`));
    expect(probedCells(long).probed.length).toBeLessThan(25);
  });
});

test('what fits by this sum is named stream by stream in the policy, however long the names are', () => {
  for (let letters = 1; letters <= 120; letters++) {
    const { probed, beginnings } = probedCells(
      mixed(25).map(({ name }) => cell(`${name}-${'x'.repeat(letters)}`)),
    );
    const streams = probed.map(({ streams: { primary, standby } }) => ({
      primary: primary.name,
      standby: standby.name,
    }));
    const regions = { primary: 'ap-southeast-2', standby: 'ap-northeast-1' };
    const arns = streamArns({ regions, account: Aws.ACCOUNT_ID, streams });
    expect(beginnings).toBeUndefined();
    expect(arns.filter(isPattern)).toEqual([]);
    expect(arns.length).toBeGreaterThan(20);
  }
});
