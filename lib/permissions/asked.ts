import type { Config } from '../config/config.ts';
import type { OperatorVerb } from './operator.ts';
import { type Audience, rightsFor } from './policy.ts';
import type { Right } from './right.ts';
import type { Where } from './where.ts';

/** A policy as somebody has asked for it: `spillway policy` prints it, and `spillway doctor --role` looks for it. */
export interface Asked {
  /** Whom the policy is for. */
  readonly as: Audience;
  /** Number of the account, or `*` where it is not known. */
  readonly account: string;
  /** Only these cells. Absent: all. */
  readonly cells?: readonly string[];
  /** Of an operator: only what these verbs need. Absent: all but those that have to be named. */
  readonly verbs?: readonly OperatorVerb[];
  readonly kcl?: string;
  readonly fanOut?: string;
  readonly tableKeys?: readonly string[];
  readonly patterns?: true;
}

export const rightsAsked = ({ as, verbs }: Asked): readonly Right[] => rightsFor(as, verbs);

/** The part of the deployment that is asked about. */
export function whereAsked({ as: _as, cells, verbs: _verbs, ...rest }: Asked, config: Config): Where {
  const { cells: all, regions } = config;
  const some = cells === undefined ? all : all.filter(({ name }) => cells.includes(name));
  return { ...rest, config: { ...config, cells: some }, region: regions.standby };
}

/** The command that prints the policy. */
export function commandOf({ as, account, cells, verbs, kcl, fanOut, tableKeys, patterns }: Asked): string {
  const options = {
    '--cell': cells,
    '--verbs': verbs,
    '--kcl': kcl,
    '--fan-out': fanOut,
    '--table-keys': tableKeys,
    '--account': account === '*' ? undefined : account,
  };
  const given = Object.entries(options).flatMap(([option, value]) =>
    value === undefined ? [] : [`${option} ${[value].flat().join(',')}`],
  );
  return ['spillway policy', as, ...given, ...(patterns === true ? ['--patterns'] : [])].join(' ');
}
