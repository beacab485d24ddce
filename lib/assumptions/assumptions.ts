import { accountAssumptions } from './account.ts';
import type { Assumption } from './assumption.ts';
import type { ExperimentName } from './experiments.ts';
import { regionAssumptions } from './regions.ts';
import { route53Assumptions } from './route53.ts';

const rows = [...route53Assumptions, ...regionAssumptions, ...accountAssumptions] as const;
type Row = (typeof rows)[number];

export type AssumptionId = Row['id'];
/** The statements that an experiment judges. */
export type ProvenBy<Name extends ExperimentName> = Extract<
  Row,
  { readonly proof: { readonly experiment: Name } }
>['id'];

/** Every statement, in the order in which it is shown. */
export const assumptions: readonly (Assumption & { readonly id: AssumptionId })[] = rows;
