import type { ConsumerSpec } from '../../lambda/core/consumers.ts';
import { type Cell, hasForeignStream } from './config.ts';

/**
 * A role's policies hold 10,240 characters together, and name the streams of the cells besides. So many characters of names
 * of functions, lease tables and the like are left; an ARN has some 90 more.
 */
const MOST_CHARACTERS = 3_000;
const ARN_CHARACTERS = 90;

const charactersOf = ({ kind, name }: ConsumerSpec): number =>
  kind === 'other' ? 0 : name.standby.length + ARN_CHARACTERS;

/**
 * The cells with the consumers that the survey's role can name, in the order of the config; a cell whose consumers do not
 * fit comes without a word about them, and what is found by its stream alone is looked at. Streams of other accounts cannot
 * be asked about.
 */
export function surveyedConsumers(cells: readonly Cell[]): readonly Cell[] {
  let left = MOST_CHARACTERS;
  return cells
    .filter((cell) => !hasForeignStream(cell))
    .map((cell) => {
      const { consumers, ...rest } = cell;
      if (consumers === undefined) return cell;
      const needed = consumers.reduce((sum, one) => sum + charactersOf(one), 0);
      if (needed > left) return rest;
      left -= needed;
      return cell;
    });
}
