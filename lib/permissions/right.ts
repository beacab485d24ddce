import type { Place } from './places.ts';
import type { Where } from './where.ts';

/**
 * Some calls that a part of Spillway makes, and the right that they need. Tables of rights are the one place that says who
 * calls what: roles in the templates are checked against them, `spillway policy` and docs/permissions.md are made from them.
 */
export interface Right {
  /** IAM actions, like `dynamodb:PutItem`. */
  readonly actions: readonly string[];
  readonly on: Place;
  /** Absent: in every deployment. */
  readonly when?: (where: Where) => boolean;
  /** The partition keys whose items may be named (`dynamodb:LeadingKeys`). Absent: any. */
  readonly partitions?: readonly string[];
  /** The records of the zone that may be changed, and how. Absent: any. */
  readonly records?: RecordBounds;
  /** What the calls are for, as the end of a sentence. */
  readonly why: string;
  /** Why no drill on one machine shows these calls. Absent: the drill of `npm test` has to show each of them. */
  readonly notPlayed?: string;
}

export interface RecordBounds {
  /** For people, with NAME for the name of the deployment and ZONE for that of its zone. */
  readonly said: string;
  /** Without a dot at the end. */
  readonly names: (where: Where) => readonly string[];
  readonly types: readonly string[];
  readonly changes: readonly ('CREATE' | 'DELETE' | 'UPSERT')[];
}

/** The rights that a deployment like this one needs. */
export const rightsIn = (rights: readonly Right[], where: Where): readonly Right[] =>
  rights.filter(({ when }) => when === undefined || when(where));

export const isStandby = ({ config, region }: Where): boolean => region === config.regions.standby;
export const hasBeacons = ({ config }: Where): boolean => config.beacons !== undefined;
export const hasDrill = ({ config }: Where): boolean => config.drill !== undefined;
export const hasLeaseTables = ({ config }: Where): boolean =>
  config.cells.some(({ consumers = [] }) => consumers.some(({ kind }) => kind === 'kcl'));
