import { DeleteCommand, PutCommand } from '@aws-sdk/lib-dynamodb';
import type { AskedCheck, DeployedSwitches, DeployedVotes } from '../../lambda/core/deployment.ts';
import {
  type AcceptedTexts,
  acceptedKey,
  acceptedTexts,
  DEPLOYMENT_PARTITION,
  deployedCellsKey,
  deployedGroups,
  deployedVotesKey,
  deployedVotesToEvacuate,
} from '../../lambda/core/deployment-items.ts';
import {
  type CheckedEndpoint,
  ENDPOINT_PARTITION,
  type EndpointId,
  type EndpointKind,
  endpointItem,
  endpointKey,
  parseEndpointItems,
} from '../../lambda/core/endpoint-items.ts';
import { type Position, SWITCH_PARTITION, switchPosition } from '../../lambda/core/switch.ts';
import { type GuardedChecks, guardedSchema } from '../settings/guard.ts';
import { type Item, StateCalls, type StateTableOptions } from './calls.ts';

/** What is deployed, as the guard stored it after the last deployment that it allowed. */
export interface Deployed {
  readonly votes: DeployedVotes | undefined;
  readonly switches: DeployedSwitches;
  /** Groups of the cells of each stack. */
  readonly stacks: ReadonlyMap<string, ReadonlyMap<string, string>>;
  /** What the guard has accepted, by `guardedKey`. */
  readonly accepted: ReadonlyMap<string, Accepted>;
}

export interface Accepted {
  readonly current: GuardedChecks;
  /** What was in force before; what a rollback brings back. */
  readonly previous?: GuardedChecks | undefined;
  readonly atMs: number;
}

/** Reads and writes what the guard knows of deployments. Every call may throw StateUnavailableError. */
export class DeployedTable {
  readonly #calls: StateCalls;

  constructor(options: StateTableOptions) {
    this.#calls = new StateCalls(options);
  }

  async read(): Promise<Deployed> {
    const [deployments, endpoints] = await Promise.all([
      this.#calls.query(DEPLOYMENT_PARTITION),
      this.#calls.query(ENDPOINT_PARTITION),
    ]);
    const asked = parseEndpointItems(endpoints).endpoints;
    const of = (kind: EndpointKind): ReadonlyMap<string, AskedCheck> =>
      new Map(
        asked
          .filter((endpoint) => endpoint.kind === kind)
          .map(({ of: subject, checkId, host }) => [subject, { checkId, host }] as const),
      );
    const votesToEvacuate = deployedVotesToEvacuate(deployments);
    const stacks = deployedGroups(deployments);
    return {
      votes: votesToEvacuate === undefined ? undefined : { votes: of('vote'), votesToEvacuate },
      switches: {
        switches: of('switch'),
        groups: new Map([...stacks.values()].flatMap((groups) => [...groups])),
      },
      stacks,
      accepted: new Map([...acceptedTexts(deployments)].flatMap(acceptedIn)),
    };
  }

  /** Positions of the switches that were ever set. */
  async positions(): Promise<ReadonlyMap<string, Position>> {
    const items = await this.#calls.query(SWITCH_PARTITION, { attributes: ['sk', 'position'] });
    return new Map(items.map((item) => [String(item.sk), switchPosition(item)]));
  }

  async putEndpoint(endpoint: CheckedEndpoint): Promise<void> {
    await this.#put(endpointItem(endpoint));
  }

  async deleteEndpoint(endpoint: EndpointId): Promise<void> {
    await this.#delete(endpointKey(endpoint));
  }

  async putVotesToEvacuate(votesToEvacuate: number): Promise<void> {
    await this.#put({ ...deployedVotesKey, votesToEvacuate });
  }

  async putGroups(stack: string, groups: ReadonlyMap<string, string>): Promise<void> {
    await this.#put({ ...deployedCellsKey(stack), groups: Object.fromEntries(groups) });
  }

  async putAccepted(guarded: string, { current, previous, atMs }: Accepted): Promise<void> {
    const texts = {
      current: JSON.stringify(current),
      ...(previous === undefined ? {} : { previous: JSON.stringify(previous) }),
    };
    await this.#put({ ...acceptedKey(guarded), ...texts, atMs });
  }

  async deleteAccepted(guarded: string): Promise<void> {
    await this.#delete(acceptedKey(guarded));
  }

  async deleteVotes(): Promise<void> {
    await this.#delete(deployedVotesKey);
  }

  async deleteStack(stack: string): Promise<void> {
    await this.#delete(deployedCellsKey(stack));
  }

  async #put(Item: Item): Promise<void> {
    await this.#calls.write(new PutCommand({ TableName: this.#calls.table, Item }));
  }

  async #delete(Key: Item): Promise<void> {
    await this.#calls.write(new DeleteCommand({ TableName: this.#calls.table, Key }));
  }
}

function acceptedIn([key, { atMs, ...texts }]: readonly [string, AcceptedTexts]): readonly [
  string,
  Accepted,
][] {
  const current = checksIn(texts.current);
  const previous = texts.previous === undefined ? undefined : checksIn(texts.previous);
  return current === undefined ? [] : [[key, { current, previous, atMs }]];
}

/** Undefined for a text that an other version has stored. */
function checksIn(text: string): GuardedChecks | undefined {
  try {
    const parsed = guardedSchema.safeParse(JSON.parse(text));
    return parsed.success && parsed.data.Kind !== 'groups' ? parsed.data : undefined;
  } catch {
    return undefined;
  }
}
