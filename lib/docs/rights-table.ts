import { places } from '../permissions/places.ts';
import type { Right } from '../permissions/right.ts';
import { markdownTable } from './markdown.ts';

/** A table of rights, each with what it is for. With `first`: a column of your own before them. */
export function rightsTable<Row extends Right>(
  rights: readonly Row[],
  first?: { readonly header: string; readonly cell: (right: Row) => string },
): string {
  const own = first === undefined ? [] : [first];
  return markdownTable(
    [...own.map(({ header }) => header), 'actions', 'on', 'for what'],
    rights.map((right) => [
      ...own.map(({ cell }) => cell(right)),
      codes(right.actions),
      placeOf(right),
      right.why,
    ]),
  );
}

/** Names as code, separated by commas. */
export const codes = (names: readonly string[]): string => names.map((name) => `\`${name}\``).join(', ');

function placeOf({ on, partitions, records }: Right): string {
  const { said } = places[on];
  if (records !== undefined) return `${said}, ${records.said}`;
  return partitions === undefined ? said : `${said}, items under ${codes(partitions)}`;
}
