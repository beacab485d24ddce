import type { ConsumerOfCell, ConsumersOfCell, Obstacle } from '../../lambda/core/consumer-facts.ts';
import type { Role } from '../../lambda/core/role.ts';
import type { Cell, Config } from '../config/config.ts';
import { inForce } from '../config/probed-cells.ts';
import type { CallFailure } from '../credentials/failure.ts';
import { Asker } from './asker.ts';
import { readRegion } from './region.ts';
import type { CellInRegion, ConsumerClients, FoundConsumer } from './region-question.ts';

export interface ConsumersQuestion {
  readonly config: Config;
  /** Only these. */
  readonly cells: readonly Cell[];
  /** Those of a region. */
  readonly clientsIn: (region: string) => ConsumerClients;
  /** The account of streams that the config names without it; absent: not known. */
  readonly account?: string | undefined;
  readonly nowMs: () => number;
  /** Also how far behind they are, what is in the streams, and whether leases are held, which takes seconds. */
  readonly deep: boolean;
  /** Longest wait for one answer. */
  readonly timeoutMs: number;
  /** For everything together; default: 60 s, and as much more for each thousand cells. */
  readonly budgetMs?: number;
  readonly looksMs?: readonly number[];
}

export interface ConsumersRead {
  readonly atMs: number;
  readonly cells: readonly ConsumersOfCell[];
  readonly obstacles: readonly Obstacle[];
  /** How each question went, of both regions; undefined: it was answered. */
  readonly failures: readonly (CallFailure | undefined)[];
}

const BUDGET_MS = 60_000;
/** Lambda takes 15 calls a second of its control plane, of everybody in the account. */
const BUDGET_PER_CELL_MS = 60;
const roles: readonly Role[] = ['primary', 'standby'];

/** Reads the consumers of the cells in both regions at the same time. Neither waits for the other. Never throws. */
export async function readConsumers(question: ConsumersQuestion): Promise<ConsumersRead> {
  const { config, cells, clientsIn, account, nowMs, deep, timeoutMs, looksMs } = question;
  const { budgetMs = BUDGET_MS + cells.length * BUDGET_PER_CELL_MS } = question;
  const signal = AbortSignal.timeout(budgetMs);
  const readIn = async (role: Role) => {
    const region = config.regions[role];
    const asker = new Asker({ region, timeoutMs, signal });
    const read = await readRegion({
      ...{ role, region, cells, allCells: config.cells, asker, nowMs, deep, clients: clientsIn(region) },
      ...(account !== undefined && { account }),
      ...(looksMs !== undefined && { looksMs }),
    });
    return { read, asker };
  };
  const [primary, standby] = await Promise.all([readIn('primary'), readIn('standby')]);
  const probes = new Map(inForce(config.cells).map(({ name, probe }) => [name, probe]));
  const askers = [primary.asker, standby.asker];
  return {
    atMs: nowMs(),
    cells: cells.map((cell, n) =>
      together(
        { ...cell, probe: probes.get(cell.name) ?? cell.probe },
        {
          primary: primary.read[n] as CellInRegion,
          standby: standby.read[n] as CellInRegion,
        },
      ),
    ),
    obstacles: askers.flatMap(({ obstacles }) => obstacles),
    failures: askers.flatMap(({ failures }) => failures),
  };
}

type InBoth = Readonly<Record<Role, CellInRegion>>;

function together(cell: Cell, read: InBoth): ConsumersOfCell {
  const { carriesAggregates } = read.primary;
  return {
    cell: cell.name,
    declared: cell.consumers !== undefined,
    searched: { primary: read.primary.searched, standby: read.standby.searched },
    probe: cell.probe,
    ...(carriesAggregates !== undefined && { carriesAggregates }),
    streams: { primary: read.primary.stream, standby: read.standby.stream },
    consumers: cell.consumers === undefined ? paired(read) : declared(cell, read),
  };
}

const declared = ({ consumers = [] }: Cell, { primary, standby }: InBoth): readonly ConsumerOfCell[] =>
  consumers.map(({ kind, name, alarm, takes }, n) => ({
    ...{ kind, name, takes },
    ...(alarm !== undefined && { alarm }),
    facts: { primary: primary.declared[n], standby: standby.declared[n] },
  }));

/** What was found in both regions under the same name is the same consumer. */
function paired(read: InBoth): readonly ConsumerOfCell[] {
  const keyOf = ({ kind, name }: FoundConsumer): string => `${kind} ${name}`;
  const all = roles.flatMap((role) => read[role].found);
  const distinct = new Map(all.map((one) => [keyOf(one), one]));
  return [...distinct.values()].map((one): ConsumerOfCell => {
    const of = (role: Role): FoundConsumer | undefined =>
      read[role].found.find((other) => keyOf(other) === keyOf(one));
    // Whoever has looked for it everywhere knows that it is not there.
    const absent = (role: Role) => (read[role].searched ? nothing(one.kind) : undefined);
    return {
      kind: one.kind,
      name: { primary: of('primary')?.name ?? null, standby: of('standby')?.name ?? null },
      facts: {
        primary: of('primary')?.facts ?? absent('primary'),
        standby: of('standby')?.facts ?? absent('standby'),
      },
    };
  });
}

const nothing = (kind: FoundConsumer['kind']): ConsumerOfCell['facts'][Role] =>
  kind === 'lambda' ? { kind, mappings: [] } : { kind, status: null };
