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

/** Runs the task over the items, a few at a time, so that no account-wide rate is exhausted while checking. */
export async function each<Item, Result>(
  items: readonly Item[],
  parallel: number,
  task: (item: Item) => Promise<Result>,
): Promise<readonly Result[]> {
  const results: Result[] = [];
  const waiting = items.map((item, index) => ({ item, index }));
  const worker = async (): Promise<void> => {
    for (let next = waiting.shift(); next !== undefined; next = waiting.shift()) {
      results[next.index] = await task(next.item);
    }
  };
  await Promise.all(Array.from({ length: Math.min(parallel, items.length) }, worker));
  return results;
}
