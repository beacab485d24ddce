import { type ConsumerSpec, consumerKinds, type SpecialRecord } from '../../lambda/core/consumers.ts';
import type { Role } from '../../lambda/core/role.ts';
import type { ConsumerInput } from './consumers-schema.ts';
import type { ConfigProblem } from './errors.ts';

type OfBoth = string | { readonly primary: string; readonly standby: string };

const DEFAULT_NAME = 'other';

/** A consumer with the defaults of its kind. */
export function consumerOf(input: ConsumerInput): ConsumerSpec {
  const { kind, takes = usuallyTaken(kind) } = input;
  const alarm = kind === 'other' ? input.alarm : undefined;
  return {
    kind,
    name: inEach(nameIn(input)),
    ...(alarm === undefined ? {} : { alarm: inEach(alarm) }),
    takes,
  };
}

function nameIn(input: ConsumerInput): OfBoth {
  switch (input.kind) {
    case 'lambda':
      return input.function;
    case 'kcl':
      return input.leaseTable;
    case 'enhancedFanOut':
    case 'firehose':
      return input.name;
    case 'other':
      return input.name ?? DEFAULT_NAME;
    default:
      return input satisfies never;
  }
}

const usuallyTaken = (kind: ConsumerSpec['kind']): readonly SpecialRecord[] =>
  consumerKinds[kind].takesAggregates ? ['aggregates'] : [];

const inEach = (name: OfBoth): Readonly<Record<Role, string>> =>
  typeof name === 'string' ? { primary: name, standby: name } : name;

/** A consumer that is named twice would be counted twice, in every figure and finding. */
export function consumerProblems(consumers: readonly ConsumerSpec[], path: string): readonly ConfigProblem[] {
  return consumers.flatMap((consumer, index) => {
    const earlier = consumers.slice(0, index).find((other) => isSame(other, consumer));
    if (earlier === undefined) return [];
    const problem = `is the ${consumerKinds[consumer.kind].label} ${consumer.name.primary} again`;
    return [{ path: `${path}.consumers[${index}]`, problem, fix: 'Name each consumer of a cell once.' }];
  });
}

const isSame = (a: ConsumerSpec, b: ConsumerSpec): boolean =>
  a.kind === b.kind && (['primary', 'standby'] as const).some((role) => a.name[role] === b.name[role]);

/** A consumer as a config file has it, for a config that is written again. */
export function writtenConsumer({ kind, name, alarm, takes }: ConsumerSpec): ConsumerInput {
  const rest = { takes: [...takes] };
  switch (kind) {
    case 'lambda':
      return { kind, function: name, ...rest };
    case 'kcl':
      return { kind, leaseTable: name, ...rest };
    case 'enhancedFanOut':
    case 'firehose':
      return { kind, name, ...rest };
    case 'other':
      return { kind, name: name.primary, ...(alarm === undefined ? {} : { alarm }), ...rest };
    default:
      return kind satisfies never;
  }
}
