import { describe, expect, it } from 'vitest';
import { ConfigError } from '../../lib/config/errors.ts';
import { parseConfig } from '../../lib/config/parse.ts';
import type { ConfigInput } from '../../lib/config/schema.ts';
import { loneKeyWarning, streamKeys } from '../../lib/config/stream-keys.ts';
import { canNameEach } from '../../lib/config/stream-names.ts';

const keyOf = (region: string, id = '1234abcd-12ab-34cd-56ef-1234567890ab'): string =>
  `arn:aws:kms:${region}:123456789012:key/${id}`;
const east = keyOf('us-east-1');
const west = keyOf('us-west-2');

const withCells = (...cells: ConfigInput['cells']): ConfigInput => ({
  name: 'shop',
  zone: { id: 'Z0123456789ABCDEFGHIJ', name: 'example.com' },
  cells,
});
const parsed = (...cells: ConfigInput['cells']) => parseConfig(withCells(...cells), 'test').cells;
function problems(...cells: unknown[]): string {
  try {
    parseConfig(withCells(...(cells as ConfigInput['cells'])), 'test');
  } catch (error) {
    if (error instanceof ConfigError) return error.message;
    throw error;
  }
  throw new Error('it was taken');
}

describe('kmsKeyArn', () => {
  it('is given for each region, with one name for both or with two', () => {
    const [one, two] = parsed(
      {
        name: 'orders',
        stream: { name: 'orders', existing: true, kmsKeyArn: { primary: east, standby: west } },
      },
      {
        name: 'clicks',
        streams: {
          primary: { name: 'clicks', kmsKeyArn: east },
          standby: { name: 'clicks-west', kmsKeyArn: west },
        },
      },
    );
    expect(one?.streams).toEqual({
      primary: { name: 'orders', create: false, kmsKeyArn: east },
      standby: { name: 'orders', create: false, kmsKeyArn: west },
    });
    expect(two?.streams.standby).toEqual({ name: 'clicks-west', create: true, kmsKeyArn: west });
  });

  it('may be given for one region alone, and is absent where it is not given', () => {
    const [cell] = parsed({ name: 'orders', stream: { name: 'orders', kmsKeyArn: { standby: west } } });
    expect(cell?.streams.primary).toEqual({ name: 'orders', create: true });
    expect(cell?.streams.standby.kmsKeyArn).toBe(west);
  });

  it('takes a multi-region key by its ARN in each region', () => {
    const id = 'mrk-1234abcd12ab34cd56ef1234567890ab';
    const kmsKeyArn = { primary: keyOf('us-east-1', id), standby: keyOf('us-west-2', id) };
    expect(parsed({ name: 'orders', stream: { name: 'orders', kmsKeyArn } })).toHaveLength(1);
  });

  it('of the other region is refused in one sentence', () => {
    const said = problems({
      name: 'orders',
      stream: { name: 'orders', kmsKeyArn: { primary: east, standby: east } },
    });
    expect(said).toContain(
      'cells[0].stream.kmsKeyArn.standby: is a key of us-east-1, and the stream is in us-west-2',
    );
    const streams = { primary: { name: 'a', kmsKeyArn: west }, standby: 'b' };
    expect(problems({ name: 'orders', streams })).toContain(
      'cells[0].streams.primary.kmsKeyArn: is a key of us-west-2',
    );
  });

  it.each([
    [
      'one ARN for two regions',
      { name: 'orders', stream: { name: 'orders', kmsKeyArn: east } },
      'primary, standby',
    ],
    [
      'an alias',
      {
        name: 'orders',
        stream: { name: 'orders', kmsKeyArn: { primary: 'arn:aws:kms:us-east-1:123456789012:alias/a' } },
      },
      'not of an alias',
    ],
    [
      'a bare id',
      { name: 'orders', streams: { primary: { name: 'a', kmsKeyArn: '1234abcd' }, standby: 'b' } },
      'is not the ARN of a KMS key',
    ],
  ])('is refused where it is %s', (_what, cell, said) => {
    expect(problems(cell)).toContain(said);
  });

  it('is refused where there are more keys than a role can name', () => {
    const cells = Array.from({ length: 21 }, (_, n) => ({
      name: `c${n}`,
      stream: { name: `s${n}`, kmsKeyArn: { primary: keyOf('us-east-1', `k${n}`) } },
    }));
    expect(problems(...cells)).toContain('21 keys in us-east-1');
    expect(parsed(...cells.slice(1))).toHaveLength(20);
  });
});

describe('the keys of cells', () => {
  it('are each named once', () => {
    const kmsKeyArn = { primary: east, standby: west };
    const cells = parsed(
      { name: 'orders', stream: { name: 'orders', kmsKeyArn } },
      { name: 'clicks', stream: { name: 'clicks', kmsKeyArn } },
    );
    expect(streamKeys(cells)).toEqual([
      { region: 'us-east-1', arn: east },
      { region: 'us-west-2', arn: west },
    ]);
    expect(streamKeys(cells, ['standby'])).toEqual([{ region: 'us-west-2', arn: west }]);
  });

  it('take the room of streams in a policy', () => {
    const streams = Array.from({ length: 25 }, (_, n) => ({
      primary: `orders-and-more-${n}`,
      standby: `orders-and-more-${n}`,
    }));
    const keyed = streams.map((pair, n) => ({
      ...pair,
      keys: [keyOf('us-east-1', `k${n}`), keyOf('us-west-2', `k${n}`)],
    }));
    expect([canNameEach(streams), canNameEach(keyed)]).toEqual([true, false]);
  });
});

describe('a key for one region alone', () => {
  const orders = (kmsKeyArn: { readonly primary?: string; readonly standby?: string }) => ({
    name: 'orders',
    stream: { name: 'orders', existing: true, kmsKeyArn },
  });

  it.each([
    [{ primary: east }, /orders has none for the standby.*refuses puts.*only after an evacuation\.$/],
    [{ standby: west }, /orders has none for the primary/],
  ])('is taken, with a warning of one sentence: %o', (kmsKeyArn, said) => {
    const warning = loneKeyWarning(parsed(orders(kmsKeyArn as never), { name: 'clicks', stream: 'clicks' }));
    expect(warning).toMatch(said);
    expect(warning?.match(/\. /g)).toBeNull();
  });

  it('is not warned of where both regions have one, or none', () => {
    const both = orders({ primary: east, standby: west });
    expect(loneKeyWarning(parsed(both, { name: 'clicks', stream: 'clicks' }))).toBeUndefined();
  });
});
