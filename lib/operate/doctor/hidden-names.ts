import { Resolver } from 'node:dns/promises';
import pMap from 'p-map';
import { regionRecordName, signalRecordName } from '../../../lambda/core/names.ts';
import type { Config } from '../../config/config.ts';
import { isNoSuchRecord } from '../../observers/former-record.ts';
import { type Check, type Finding, ill, well } from './check.ts';

const CHECK = 'hidden names';
const DNS_TIMEOUT_MS = 2_000;
const PARALLEL = 20;
/** Of the cells, the first that are looked at: a thousand would take long, and say the same. */
const CELLS_ASKED = 200;
const MOST_SHOWN = 5;

/**
 * Checks that no label which Spillway puts between its own and the zone's is a zone of its own: resolvers would go there
 * instead, and find nothing.
 */
export const hiddenNames: Check = {
  check: CHECK,
  purpose: 'the names of the deployment and of its cells are not delegated to another zone',
  region: () => 'DNS',
  run: async ({ config, local, dnsServers }) => {
    if (local) return [well(CHECK, 'not checked: a local world has one zone')];
    const resolver = new Resolver({ timeout: DNS_TIMEOUT_MS, tries: 1, maxTimeout: DNS_TIMEOUT_MS });
    if (dnsServers !== undefined) resolver.setServers(dnsServers);
    const names = madeNames(config);
    const delegated = await pMap(
      names,
      ({ below }) =>
        resolver.resolveNs(below).then(
          (servers) => servers.length > 0,
          (error: { readonly code?: unknown }) => {
            if (!isNoSuchRecord(error.code)) throw error;
            return false;
          },
        ),
      { concurrency: PARALLEL },
    );
    return hiddenFindings(
      names.filter((_, n) => delegated[n]),
      names.length,
    );
  },
};

interface MadeName {
  /** A record of Spillway. */
  readonly record: string;
  /** The name above it that might be another zone. */
  readonly below: string;
}

function madeNames({ name, zone, cells }: Config): readonly MadeName[] {
  return [
    { record: regionRecordName(name, zone.name), below: `${name}.${zone.name}` },
    ...cells.slice(0, CELLS_ASKED).map((cell) => ({
      record: signalRecordName(cell.name, zone.name),
      below: `${cell.name}.${zone.name}`,
    })),
  ];
}

/** Pure: one finding for everything that is hidden. */
export function hiddenFindings(hidden: readonly MadeName[], asked: number): readonly Finding[] {
  if (hidden.length === 0) return [well(CHECK, `none of ${asked} names is below another zone`)];
  const shown = hidden.slice(0, MOST_SHOWN).map(({ record, below }) => `${record} (${below})`);
  const more = hidden.length > MOST_SHOWN ? `, and ${hidden.length - MOST_SHOWN} more` : '';
  return [
    ill(
      CHECK,
      `names are delegated to another zone, which hides the records below them: ${shown.join(', ')}${more}`,
      'Choose other names, or a zone that only Spillway uses. A deployment from before version 0.2 keeps reading its former record with zone.keepRegionRecord.',
    ),
  ];
}
