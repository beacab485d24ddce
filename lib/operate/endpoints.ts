import type { EndpointFinding } from '../../lambda/core/endpoint-findings.ts';
import type { CheckedEndpoint, EndpointId } from '../../lambda/core/endpoint-items.ts';
import { endpointsOf } from '../../lambda/core/endpoint-rounds.ts';
import type { StoredPositions } from '../../lambda/core/endpoint-stored.ts';
import { type Config, observerRegions } from '../config/config.ts';
import { type ExamineLimits, examineEndpoints } from '../endpoint/examine.ts';
import { groupsOf, spread } from '../settings/cells-file.ts';
import type { AwsClients } from './clients.ts';
import { type ObserverReadings, readObservers } from './observers.ts';
import { type Reading, reading } from './reading.ts';
import { stateTable } from './state.ts';

export interface EndpointsLook {
  /** Of those that were asked, and of those that nobody can ask. */
  readonly findings: readonly EndpointFinding[];
  /** How many votes and switches there are. */
  readonly of: number;
}

export interface LookOptions {
  readonly clients: AwsClients;
  /** Longest wait for one call of AWS. */
  readonly timeoutMs: number;
  readonly limits: ExamineLimits;
  /** Of many switches so many are asked, spread over all of them. */
  readonly mostSwitches: number;
  readonly nowMs: () => number;
  /** Where function URLs are answered in a local world. */
  readonly origin?: URL | undefined;
  /** What is read anyway, for the first comparison. Absent: it is read. */
  readonly stored?: () => Promise<StoredPositions>;
}

/**
 * Asks the endpoints from here, as Route 53's checkers do, at the hosts that the deployment has recorded, and compares
 * with what is stored. Never throws.
 */
export async function lookAtEndpoints(config: Config, options: LookOptions): Promise<Reading<EndpointsLook>> {
  const { clients, timeoutMs, mostSwitches, limits, nowMs, origin } = options;
  const records = await reading(timeoutMs, () => stateTable(config, clients, timeoutMs).readEndpoints());
  if (!records.ok) return records;
  const deployed = deployedEndpoints(config);
  const { known, unasked } = endpointsOf(deployed, records.value);
  const readAgain = () => readPositions(config, options);
  let first: LookOptions['stored'] = options.stored;
  const findings = await examineEndpoints({
    endpoints: some(known, mostSwitches),
    stored: () => {
      const read = first ?? readAgain;
      first = undefined;
      return read();
    },
    limits,
    nowMs,
    origin,
  });
  return { ok: true, value: { findings: [...unasked, ...findings], of: deployed.length } };
}

export const deployedEndpoints = ({ regions, cells }: Config): readonly EndpointId[] => [
  ...observerRegions(regions).map((of) => ({ kind: 'vote', of }) as const),
  ...groupsOf(cells).map((of) => ({ kind: 'switch', of }) as const),
];

function some(known: readonly CheckedEndpoint[], mostSwitches: number): readonly CheckedEndpoint[] {
  const switches = known.filter(({ kind }) => kind === 'switch');
  return [...known.filter(({ kind }) => kind === 'vote'), ...spread(switches, mostSwitches)];
}

async function readPositions(
  config: Config,
  { clients, timeoutMs, nowMs }: LookOptions,
): Promise<StoredPositions> {
  const [observers, switches] = await Promise.all([
    readObservers(config, { clients, timeoutMs, nowMs }),
    reading(timeoutMs, () => stateTable(config, clients, timeoutMs).readSwitches()),
  ]);
  return positionsOf({ observers, switches });
}

/** The same from what is read anyway. */
export function positionsOf({
  observers,
  switches,
}: {
  readonly observers: ObserverReadings;
  readonly switches: Reading<readonly { readonly group: string; readonly position: 'PRIMARY' | 'STANDBY' }[]>;
}): StoredPositions {
  return {
    votes: new Map(
      [...observers].flatMap(([region, report]) => (report.ok ? [[region, report.value] as const] : [])),
    ),
    switches: switches.ok ? new Map(switches.value.map((one) => [one.group, one])) : undefined,
  };
}
