import type { ConsumerOfCell, ConsumersOfCell } from '../../lambda/core/consumer-facts.ts';
import type { Role } from '../../lambda/core/role.ts';
import type { Cell } from '../config/config.ts';
import type { CellInRegion, FoundConsumer } from './region-question.ts';

const roles: readonly Role[] = ['primary', 'standby'];

type InBoth = Readonly<Record<Role, CellInRegion>>;

/** Pure: the consumers of a cell, from what was read of it in each region. */
export function together(cell: Cell, read: InBoth): ConsumersOfCell {
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

/** Pure: the consumers of a cell where the standby alone was asked. Nothing is known of the primary, so nothing is wrong there. */
export function inStandbyAlone(cell: Cell, standby: CellInRegion): ConsumersOfCell {
  const stream = { name: cell.streams.primary.name, region: '' };
  const primary = { stream, declared: [], found: [], searched: false };
  return together(cell, { primary, standby });
}
