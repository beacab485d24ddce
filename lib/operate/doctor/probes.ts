import type { Config } from '../../config/config.ts';
import { probedCells } from '../../config/probed-cells.ts';
import { named } from '../named.ts';
import { type Check, type Finding, hint, well } from './check.ts';

const CHECK = 'probes';

/** Says what nobody outside can see, because no marked records may be put into some streams. */
export const probes: Check = {
  check: CHECK,
  purpose: 'an outage of the stream of one cell alone would be seen',
  region: ({ regions }) => regions.standby,
  run: ({ config }) => Promise.resolve(probeFindings(config)),
};

/** Who sees such an outage, by what the beacons of producers may do. */
const seenBy: Readonly<Record<Config['policy']['beacons'], string>> = {
  probe: 'only by the beacons of its producers, which page somebody, or not at all',
  move: 'only by the beacons of its producers, which move the cell, or not at all',
  ignore: 'by nobody: beacons of producers are ignored',
};

/** Pure. A hint and no fault: what consumers see is the owner's decision. One for all cells, of which there may be a thousand. */
export function probeFindings({ cells, policy }: Pick<Config, 'cells' | 'policy'>): readonly Finding[] {
  const unseen = cells.filter(({ probe }) => probe === 'never').map(({ name }) => name);
  const { withheld } = probedCells(cells);
  const unnamed = withheld.length === 0 ? [] : [withheldHint(withheld)];
  if (unseen.length === 0)
    return [
      ...unnamed,
      well(
        CHECK,
        `observers may put marked records into the streams of ${cells.length - withheld.length} cells`,
      ),
    ];
  return [
    ...unnamed,
    hint(
      CHECK,
      `${named(unseen)}: no marked records (probe: never), so an outage of such a stream alone is seen ${seenBy[policy.beacons]}`,
      "When its consumers skip marked records (docs/envelope.md), write probe: 'onSuspicion' for the cell, and deploy.",
    ),
  ];
}

const withheldHint = (cells: readonly string[]): Finding =>
  hint(
    CHECK,
    `${named(cells)}: not probed, although the config says so: the role of an observer names only some two dozen cells whose streams share no beginning`,
    "Let the names of the streams begin alike, or write probe: 'never' for cells that need no probes.",
  );
