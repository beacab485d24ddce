import type { ConsumerSpec } from '../../lambda/core/consumers.ts';
import { type Cell, hasForeignStream } from './config.ts';
import { pairOf } from './probed-cells.ts';
import { arnsLeft } from './stream-names.ts';

/** Of the names of consumers, beside those of the streams; an ARN has some 90 characters more. */
const MOST_CHARACTERS = 3_000;
const ARN_CHARACTERS = 90;

const isNamed = ({ kind }: ConsumerSpec): boolean => kind !== 'other';

/**
 * The cells with the consumers that the survey's role can name beside the streams, in the order of the config. A cell whose
 * consumers do not fit comes without a word about them: what is found by its stream alone is looked at. Streams of other
 * accounts cannot be asked about.
 */
export function surveyedConsumers(cells: readonly Cell[]): readonly Cell[] {
  const own = cells.filter((cell) => !hasForeignStream(cell));
  let arns = arnsLeft(own.map(pairOf));
  let characters = MOST_CHARACTERS;
  return own.map((cell) => {
    const { consumers, ...rest } = cell;
    if (consumers === undefined) return cell;
    const named = consumers.filter(isNamed);
    const needed = named.reduce((sum, { name }) => sum + name.standby.length + ARN_CHARACTERS, 0);
    if (named.length > arns || needed > characters) return rest;
    arns -= named.length;
    characters -= needed;
    return cell;
  });
}
