import type { Config } from '../../config/config.ts';
import type { AwsClients } from '../clients.ts';

export interface Finding {
  readonly check: string;
  readonly ok: boolean;
  /** A sentence. */
  readonly finding: string;
  /** What to do; empty when all is well. */
  readonly fix: string;
}

export interface DoctorContext {
  readonly config: Config;
  readonly clients: AwsClients;
  /** Absent: the system's. */
  readonly dnsServers?: readonly string[];
  /** A world on this machine has no parent zone and no traffic of weeks. */
  readonly local: boolean;
  readonly nowMs: number;
}

export interface Check {
  readonly check: string;
  readonly purpose: string;
  readonly run: (context: DoctorContext) => Promise<readonly Finding[]>;
}

export const well = (check: string, finding: string): Finding => ({ check, ok: true, finding, fix: '' });
export const ill = (check: string, finding: string, fix: string): Finding => ({
  check,
  ok: false,
  finding,
  fix,
});
