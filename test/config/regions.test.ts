import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { otherPartitions, regionTable } from '../../lib/config/region-table.ts';
import type { ConfigInput } from '../../lib/config/schema.ts';
import { leastInput, problemsOf } from './inputs.ts';

type RegionsInput = NonNullable<ConfigInput['regions']>;

const usual: RegionsInput = {
  primary: 'us-east-1',
  standby: 'us-west-2',
  witnesses: ['us-east-2', 'eu-west-1'],
};
const problemsWith = (regions: Partial<RegionsInput>) =>
  problemsOf({ ...leastInput, regions: { ...usual, ...regions } });

/** Where it is wrong, how the problem reads, how the fix reads. */
const refused: readonly [what: string, Partial<RegionsInput>, path: string, problem: RegExp, fix: RegExp][] =
  [
    [
      'GovCloud',
      { primary: 'us-gov-west-1' },
      'regions.primary',
      /^us-gov-west-1 is in the partition aws-us-gov, and Spillway works in the partition aws alone$/,
      /partition aws, for example us-west-2/,
    ],
    ['China', { standby: 'cn-north-1' }, 'regions.standby', /partition aws-cn,/, /partition aws,/],
    [
      'the European Sovereign Cloud',
      { witnesses: ['us-east-2', 'eusc-de-east-1'] },
      'regions.witnesses[1]',
      /partition aws-eusc,/,
      /partition aws,/,
    ],
    [
      'an isolated region',
      { primary: 'us-iso-east-1' },
      'regions.primary',
      /partition aws-iso,/,
      /partition/,
    ],
    [
      'a new region of GovCloud, whatever the owner confirms',
      { primary: 'us-gov-north-1', confirmed: ['us-gov-north-1'] },
      'regions.primary',
      /partition aws-us-gov,/,
      /partition aws,/,
    ],
    [
      'a partition that nobody knows yet, whatever the owner confirms',
      { primary: 'us-isoz-east-1', confirmed: ['us-isoz-east-1'] },
      'regions.primary',
      /not named like a region of the partition aws/,
      /partition aws,/,
    ],
    [
      'a mistyped region',
      { primary: 'us-esat-1' },
      'regions.primary',
      /^us-esat-1 is not a region of AWS that this version knows$/,
      /^Did you mean us-east-1\? .*regions\.confirmed\.$/,
    ],
    [
      'a region that is like no other',
      { standby: 'xx-someplace-7' },
      'regions.standby',
      /not a region/,
      /^Name a region like us-west-2; if AWS has opened it since .*regions\.confirmed\.$/,
    ],
    [
      'a standby without function URLs',
      { standby: 'eu-central-2' },
      'regions.standby',
      /^eu-central-2 is not known to have Lambda function URLs, which it would need to tell Route 53 its vote and the switches$/,
      /^Name another region, for example eu-central-1; .*add eu-central-2 to regions\.confirmed\.$/,
    ],
    [
      'a witness without function URLs',
      { witnesses: ['us-east-2', 'me-central-1'] },
      'regions.witnesses[1]',
      /^me-central-1 is not known to have Lambda function URLs/,
      /for example me-south-1;/,
    ],
  ];

describe('the regions of a config', () => {
  test.each(refused)(
    '%s is refused, in one sentence that says what to do',
    (_what, regions, path, problem, fix) => {
      expect(problemsWith(regions)).toEqual([
        { path, problem: expect.stringMatching(problem), fix: expect.stringMatching(fix) },
      ]);
    },
  );

  test('a primary needs no function URLs', () => {
    expect(problemsWith({ primary: 'eu-central-2' })).toEqual([]);
  });

  test('the owner may confirm what has come since the list was made', () => {
    const confirmed = ['xx-someplace-7', 'eu-central-2'];
    expect(
      problemsWith({ standby: 'xx-someplace-7', witnesses: ['us-east-2', 'eu-central-2'], confirmed }),
    ).toEqual([]);
    // Another region than the confirmed one is none the better for it.
    expect(problemsWith({ standby: 'xx-someplace-8', confirmed })).toMatchObject([
      { path: 'regions.standby' },
    ]);
  });

  test('every region of the partition may be a primary, and those with function URLs a standby too', () => {
    const place = fc.constantFrom(...regionTable.filter(({ name }) => !usual.witnesses.includes(name)));
    fc.assert(
      fc.property(place, place, (first, second) => {
        fc.pre(first !== second);
        const accepted = problemsWith({ primary: first.name, standby: second.name }).length === 0;
        expect(accepted).toBe(first.partition === 'aws' && second.partition === 'aws' && second.functionUrls);
      }),
    );
  });

  test('no name lifts another partition, and none leaves a problem without a place and a fix', () => {
    const part = fc.stringMatching(/^[a-z]{1,9}$/);
    const prefix = fc.constantFrom(...otherPartitions.map(([text]) => text));
    const name = fc
      .tuple(prefix, part, fc.nat(9))
      .map(([start, where, number]) => `${start}${where}-${number}`);
    fc.assert(
      fc.property(name, (primary) => {
        const [problem] = problemsWith({ primary, confirmed: [primary] });
        expect(problem).toMatchObject({ path: 'regions.primary', fix: expect.stringMatching(/\.$/) });
      }),
    );
  });
});

interface Partition {
  readonly id: string;
  readonly regionRegex: string;
  readonly regions: Readonly<Record<string, { readonly description: string }>>;
}

describe('the table of regions', () => {
  test('is that of the SDK: else run scripts/regions.ts', async () => {
    const file =
      '../../node_modules/@aws-sdk/core/dist-es/submodules/client/util-endpoints/lib/aws/partitions.js';
    const { partitionsInfo } = (await import(new URL(file, import.meta.url).href)) as {
      readonly partitionsInfo: { readonly partitions: readonly Partition[] };
    };
    const theirs = partitionsInfo.partitions.flatMap(({ id, regions }) =>
      Object.entries(regions).map(([name, { description }]) => ({ name, place: description, partition: id })),
    );
    const byName = (a: { readonly name: string }, b: { readonly name: string }) => (a.name < b.name ? -1 : 1);
    expect(regionTable.map(({ functionUrls: _, ...region }) => region)).toEqual(
      theirs.filter(({ name }) => !name.endsWith('-global')).toSorted(byName),
    );
    for (const { id, regionRegex } of partitionsInfo.partitions.slice(1)) {
      const prefix = otherPartitions.find(([, partition]) => partition === id)?.[0];
      expect(new RegExp(regionRegex).test(`${prefix}${id === 'aws-eusc' ? 'de-east' : 'east'}-1`), id).toBe(
        true,
      );
    }
  });
});
