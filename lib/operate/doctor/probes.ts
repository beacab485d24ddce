import type { Cell, Config } from '../../config/config.ts';
import { probedCells, WITHHELD_BECAUSE, WITHHELD_FIX } from '../../config/probed-cells.ts';
import { named } from '../named.ts';
import { type Check, type Finding, hint, ill, well } from './check.ts';

const CHECK = 'probes';

/** Says what nobody outside can see, because no marked records may be put into some streams. */
export const probes: Check = {
  check: CHECK,
  purpose: 'an outage of the stream of one cell alone would be seen',
  region: ({ regions }) => regions.standby,
  run: ({ config }) => Promise.resolve(probeFindings(config)),
};

type Probed = Pick<Config, 'cells' | 'policy' | 'regions' | 'beacons'>;

/**
 * Pure. One finding for all cells, of which there may be a thousand. What consumers see is the owner's decision, so that a
 * stream that nobody looks at is a hint and no fault; a probe that the config asks for and that is withheld is a fault.
 */
export function probeFindings(config: Probed): readonly Finding[] {
  const findings = [
    ...withheldFindings(config.cells),
    ...unseenFindings(config),
    ...unpromptedFindings(config),
    ...patternFindings(config),
  ];
  if (findings.length > 0) return findings;
  return [well(CHECK, `observers may put marked records into the streams of ${config.cells.length} cells`)];
}

/** Names of the cells whose owners wrote this `probe`. */
const writtenAs = ({ cells }: Probed, written: Cell['probe']): readonly string[] =>
  cells.filter(({ probe }) => probe === written).map(({ name }) => name);

/** What producers can tell of their stream: nothing where they have no table to report to. */
function beaconsOf({ policy, beacons }: Probed): Config['policy']['beacons'] | 'off' {
  return beacons === undefined ? 'off' : policy.beacons;
}

/** Who sees an outage of one stream into which nothing is put, by what the beacons of producers may do. */
const seenBy: Readonly<Record<ReturnType<typeof beaconsOf>, string>> = {
  probe: 'only by the beacons of its producers, which page somebody, or not at all',
  move: 'only by the beacons of its producers, which move the cell, or not at all',
  ignore: 'by nobody: beacons of producers are ignored (policy.beacons)',
  off: 'by nobody: beacons is off, and no marked records are allowed',
};
const deaf = {
  ignore: 'beacons of producers are ignored (policy.beacons)',
  off: 'beacons is off',
} as const;

const reporting = 'let producers report (beacons: true, docs/beacons.md)';

function unseenFindings(config: Probed): readonly Finding[] {
  const unseen = writtenAs(config, 'never');
  if (unseen.length === 0) return [];
  const beacons = beaconsOf(config);
  const finding = `${named(unseen)}: no marked records (probe: never), so an outage of such a stream alone is seen ${seenBy[beacons]}`;
  const allow =
    "When its consumers skip marked records (docs/envelope.md), write probe: 'onSuspicion' for the cell, and deploy.";
  // Without beacons nobody would ever suspect this stream.
  const alone = `When its consumers skip marked records (docs/envelope.md), write probe: 'always' for the cell; or ${reporting}; and deploy.`;
  return [hint(CHECK, finding, beacons === 'off' || beacons === 'ignore' ? alone : allow)];
}

/** A suspicion needs somebody who has it: without beacons, the canary or other streams alone give rise to one. */
function unpromptedFindings(config: Probed): readonly Finding[] {
  const beacons = beaconsOf(config);
  if (beacons !== 'off' && beacons !== 'ignore') return [];
  const { withheld } = probedCells(config.cells);
  const cells = writtenAs(config, 'onSuspicion').filter((name) => !withheld.includes(name));
  if (cells.length === 0) return [];
  const finding = `${named(cells)}: probed on suspicion alone (probe: onSuspicion), and no producer can raise one: ${deaf[beacons]}; an outage of such a stream alone is seen by nobody until the canary or other streams fail too`;
  return [hint(CHECK, finding, `Write probe: 'always' for the cell, or ${reporting}, and deploy.`)];
}

function withheldFindings(cells: readonly Cell[]): readonly Finding[] {
  const { withheld } = probedCells(cells);
  const some = new Set(withheld);
  return (['always', 'onSuspicion'] as const).flatMap((written) => {
    const names = cells
      .filter(({ name, probe }) => probe === written && some.has(name))
      .map(({ name }) => name);
    if (names.length === 0) return [];
    const finding = `${named(names)}: not probed, although the config says probe: ${written}, because ${WITHHELD_BECAUSE}`;
    return [written === 'always' ? ill(CHECK, finding, WITHHELD_FIX) : hint(CHECK, finding, WITHHELD_FIX)];
  });
}

/** The right to write reaches every stream of the account that begins so: its owner should know the pattern. */
function patternFindings({ cells, regions }: Probed): readonly Finding[] {
  const { beginnings } = probedCells(cells);
  if (beginnings === undefined) return [];
  const patterns = (['primary', 'standby'] as const).map(
    (role) => `stream/${beginnings[role]}* in ${regions[role]}`,
  );
  const finding = `the roles of observers do not name so many streams one by one, and may write to ${patterns.join(' and ')}`;
  return [hint(CHECK, finding, 'Give no other stream of the account a name that begins so.')];
}
