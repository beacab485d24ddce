import type { ConsumersOfCell, Obstacle } from '../../lambda/core/consumer-facts.ts';
import type { Role } from '../../lambda/core/role.ts';
import type { Cell, Config } from '../config/config.ts';
import { inForce } from '../config/probed-cells.ts';
import type { CallFailure } from '../credentials/failure.ts';
import { Asker } from './asker.ts';
import { readRegion } from './region.ts';
import type { CellInRegion, ConsumerClients } from './region-question.ts';
import { together } from './together.ts';

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
