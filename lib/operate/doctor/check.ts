import type { Config } from '../../config/config.ts';
import type { Asked } from '../../permissions/asked.ts';
import type { AwsClients } from '../clients.ts';

export interface Finding {
  readonly check: string;
  readonly ok: boolean;
  /** A sentence. */
  readonly finding: string;
  /** What to do next, or, if `ok`, what could be better; empty when all is well. */
  readonly fix: string;
}

/**
 * A part of a check that could not be carried out. `examine` says why, once for all parts behind the same
 * refusal.
 */
export interface Unchecked {
  readonly check: string;
  /** The region that refused, or did not answer. */
  readonly region: string;
  readonly error: unknown;
  /** The part of the check, if not all of it. */
  readonly what?: string;
}

export interface DoctorContext {
  readonly config: Config;
  readonly clients: AwsClients;
  /** Absent: the system's. */
  readonly dnsServers?: readonly string[];
  /** A world on this machine has no parent zone and no traffic of weeks. */
  readonly local: boolean;
  /** Where function URLs are answered in a local world. */
  readonly endpointOrigin?: URL;
  /** When the examination began. */
  readonly nowMs: number;
  readonly now: () => number;
  /** Given: only this role is looked at. */
  readonly role?: ExaminedRole;
}

/** A role, or a user, that has to do what Spillway's producers, consumers or operators do. */
export interface ExaminedRole {
  readonly arn: string;
  readonly asked: Asked;
}

export interface Check {
  readonly check: string;
  readonly purpose: string;
  /** The regions in which the check looks; they are named when the check throws. */
  readonly region: (config: Config) => string;
  readonly run: (context: DoctorContext) => Promise<readonly Found[]>;
}

export type Found = Finding | Unchecked;

export const well = (check: string, finding: string): Finding => ({ check, ok: true, finding, fix: '' });
/** Nothing to fix: something that the owner may have decided so, and should know. */
export const hint = (check: string, finding: string, fix: string): Finding => ({
  check,
  ok: true,
  finding,
  fix,
});
export const ill = (check: string, finding: string, fix: string): Finding => ({
  check,
  ok: false,
  finding,
  fix,
});
