import { setTimeout as wait } from 'node:timers/promises';
import type { Config } from '../config/config.ts';
import type { AwsClients } from '../operate/clients.ts';
import type { World } from '../operate/world.ts';
import type { DrillTarget } from '../settings/drill.ts';

/** What every experiment is given. */
export interface ProveContext {
  /** Made once for each run; names what the run creates. */
  readonly id: string;
  readonly config: Config;
  readonly clients: AwsClients;
  /** Absent only in a local world whose config names no cell for drills. */
  readonly drill?: DrillTarget;
  /** Absent: AWS. */
  readonly world?: World;
  /** Absent: the system's. */
  readonly dnsServers?: readonly string[];
  readonly account?: string;
  readonly owner: string;
  readonly reason: string;
  /** A dry run: the clients send nothing, loops go round once, and nothing but clients is used. */
  readonly rehearsing: boolean;
  /** Aborted by Ctrl-C: what was created is deleted, and the run ends. */
  readonly signal: AbortSignal;
  readonly nowMs: () => number;
  readonly say: (text: string) => void;
}

/** Waits, but not in a dry run. @throws the reason of the abort */
export async function pause({ rehearsing, signal }: ProveContext, ms: number): Promise<void> {
  signal.throwIfAborted();
  if (rehearsing) return;
  try {
    await wait(ms, undefined, { signal });
  } catch (error) {
    signal.throwIfAborted();
    throw error;
  }
}

/** How often a loop goes round. */
export const times = ({ rehearsing }: ProveContext, count: number): number => (rehearsing ? 1 : count);

export const within = (timeoutMs: number): { readonly abortSignal: AbortSignal } => ({
  abortSignal: AbortSignal.timeout(timeoutMs),
});
