import type { Config } from '../config/config.ts';

/** A deployment as a role in one of its regions sees it. */
export interface Where {
  readonly config: Config;
  /** Number of the account, or `*` where it is not known. */
  readonly account: string;
  /** The region in which the role is used. */
  readonly region: string;
  /** Physical name of the function that has the role, where it is one. */
  readonly functionName?: string;
  /** Name of the consumers' application of the KCL, whose tables are called so. */
  readonly kcl?: string;
  /** Name of a consumer with enhanced fan-out. */
  readonly fanOut?: string;
  /** ARNs of the keys that encrypt Spillway's tables (`encryptionKeyArns` of the construct). */
  readonly tableKeys?: readonly string[];
  /** Streams are named by the beginning that their names share. */
  readonly patterns?: true;
}
