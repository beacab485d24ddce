import type { OrSilent } from '../../../lambda/core/deployment.ts';
import { stateTableName } from '../../../lambda/core/names.ts';
import type { Vote } from '../../../lambda/core/vote.ts';
import { type Config, observerRegions } from '../../config/config.ts';
import { namedToCreate } from '../../deployments/kept.ts';
import { type DeploymentFacts, namesToCreate } from '../../deployments/refusals.ts';
import { DeployedTable } from '../../state/deployed-table.ts';
import type { AwsClients } from '../clients.ts';
import { assertReadable } from '../credentials.ts';
import { readObservers } from '../observers.ts';
import { type Reading, reading } from '../reading.ts';
import { stateTable } from '../state.ts';
import type { SynthesisedStack } from './assembly.ts';
import { type Comparison, compare } from './compare.ts';
import { resourcesThere } from './kept.ts';
import { takenNames } from './records.ts';
import { type DeployedStack, readStacks, type StackReader } from './stacks.ts';

export interface Looked {
  readonly comparisons: readonly Comparison[];
  readonly facts: DeploymentFacts;
  readonly deployed: ReadonlyMap<string, DeployedStack>;
}

export interface LookOptions {
  readonly config: Config;
  readonly clients: AwsClients;
  readonly made: readonly SynthesisedStack[];
  readonly allowRemoval: readonly string[];
  readonly nowMs: () => number;
  readonly reader: StackReader;
}

/** No region of these is asked in a hurry: deployments are for quiet times. */
const READ_TIMEOUT_MS = 5_000;
const RECORDS_TIMEOUT_MS = 20_000;

export function deployedTable(config: Config, clients: AwsClients): DeployedTable {
  return new DeployedTable({
    client: clients.documents(config.regions.standby),
    table: stateTableName(config.name),
    timeoutMs: READ_TIMEOUT_MS,
  });
}

/**
 * Reads all that a plan and its refusals depend on: the stacks, what the guard stored, the switches, what the
 * observers say, and the names of the zone.
 *
 * @throws what CloudFormation throws, since nothing can be compared without it
 */
export async function look(options: LookOptions): Promise<Looked> {
  const { config, clients, made, allowRemoval, nowMs, reader } = options;
  const { primary, standby } = config.regions;
  const deployed = await readStacks(made, reader);
  const isDeployed = deployed.get(`${config.name}-standby`)?.template !== undefined;
  const stored = isDeployed ? await readStored(config, clients, nowMs) : undefined;
  const guarded = stored?.guarded.ok ? stored.guarded.value : 'absent';
  const comparisons = compare({ made, deployed, guarded, standby });
  const [records, there] = await Promise.all([
    reading(RECORDS_TIMEOUT_MS, () => takenNames(clients, namesToCreate(comparisons))),
    reading(RECORDS_TIMEOUT_MS, () => resourcesThere(clients, namedToCreate(comparisons))),
  ]);
  const facts: DeploymentFacts = {
    primary,
    standby,
    stacks: comparisons,
    guarded,
    positions: stored?.positions.ok ? stored.positions.value : new Map(),
    said: stored?.said ?? new Map(),
    evacuating: stored?.evacuating ?? [],
    lease: stored?.lease.ok ? stored.lease.value : undefined,
    taken: records.ok ? records.value : [],
    there: there.ok ? there.value : [],
    unread: [
      ...unreadOf({
        [`the state table in ${standby} (deployment)`]: stored?.guarded,
        [`the state table in ${standby} (switches)`]: stored?.positions,
        [`the state table in ${standby} (lease)`]: stored?.lease,
      }),
      ...unreadOf({ 'the zone’s records': records, 'which streams and tables exist': there }),
    ],
    allowRemoval,
    nowMs: nowMs(),
  };
  return { comparisons, facts, deployed };
}

async function readStored(config: Config, clients: AwsClients, nowMs: () => number) {
  const table = deployedTable(config, clients);
  const state = stateTable(config, clients, READ_TIMEOUT_MS);
  const [guarded, positions, lease] = await Promise.all([
    reading(READ_TIMEOUT_MS, () => table.read()),
    reading(READ_TIMEOUT_MS, () => table.positions()),
    reading(READ_TIMEOUT_MS, () => state.readLease()),
  ]);
  // Votes that the deployment takes away are counted until then.
  const counted = guarded.ok ? [...(guarded.value.votes?.votes.keys() ?? [])] : [];
  const witnesses = [...new Set([...config.regions.witnesses, ...counted])].filter(
    (region) => region !== config.regions.standby,
  );
  const regions = { ...config.regions, witnesses };
  const observers = await readObservers(
    { ...config, regions },
    { clients, timeoutMs: READ_TIMEOUT_MS, nowMs },
  );
  await assertReadable([guarded, positions, lease], { clients, region: config.regions.standby });
  const said = observerRegions(regions).map((region): readonly [string, OrSilent<Vote>] => {
    const report = observers.get(region);
    return [region, report?.ok ? report.value.liveVote : 'silent'];
  });
  const evacuating = [...observers].flatMap(([region, report]) =>
    report.ok && report.value.fresh && report.value.phase === 'evacuating' ? [region] : [],
  );
  return { guarded, positions, lease, said: new Map(said), evacuating };
}

const unreadOf = (parts: Readonly<Record<string, Reading<unknown> | undefined>>) =>
  Object.entries(parts).flatMap(([what, part]) =>
    part === undefined || part.ok ? [] : [{ what, problem: part.problem }],
  );
