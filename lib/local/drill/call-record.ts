import { existsSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import type { Call } from '../../aws/call-log.ts';
import type { CallTarget } from '../../aws/call-target.ts';
import { parseCalls } from '../../operate/audit.ts';
import { serviceOf } from '../../operate/audit-rules.ts';
import type { ProxiedCall } from '../proxy/fault-proxy.ts';
import { OPERATOR } from './callers.ts';
import { DrillError } from './errors.ts';

/** Most calls recorded; a drill of ten minutes makes about ten thousand. */
const MAX_CALLS = 500_000;

/**
 * Every AWS call of a drill, from two sources: the clients' middleware and the fault proxy. The proxy also
 * sees calls that no middleware reports (producers sign their own requests), so no call is missing.
 */
export class CallRecord {
  readonly #file: string;
  readonly #proxied: ProxiedCall[] = [];
  #ended = false;

  constructor(file: string) {
    this.#file = file;
  }

  saw(call: ProxiedCall): void {
    if (this.#ended) return;
    if (this.#proxied.length >= MAX_CALLS) {
      throw new DrillError(`More than ${MAX_CALLS} AWS calls: use a shorter drill (--for).`);
    }
    this.#proxied.push(call);
  }

  /** Stops recording. */
  end(): void {
    this.#ended = true;
    this.#proxied.length = 0;
  }

  /** Whether a call has come from this region. */
  hasFrom(region: string): boolean {
    return this.#proxied.some(({ source }) => source === region);
  }

  async calls(): Promise<readonly Call[]> {
    const written = existsSync(this.#file) ? parseCalls(await readFile(this.#file, 'utf8'), this.#file) : [];
    return [...written, ...unannounced(written, this.#proxied)];
  }
}

/** The CLI names the verb as well; all of them call from the operator's place. */
const callerOf = (who: string): string => (who.startsWith('cli ') ? OPERATOR : who);

/**
 * Calls that passed the proxy but that their caller did not write down, for each caller, service and region.
 */
export function unannounced(written: readonly Call[], proxied: readonly ProxiedCall[]): readonly Call[] {
  const key = (call: Pick<Call, 'service' | 'region' | 'who'>): string =>
    [callerOf(call.who), serviceOf(call), call.region].join(' ');
  const announced = new Map<string, number>();
  for (const call of written) announced.set(key(call), (announced.get(key(call)) ?? 0) + 1);
  return proxied.flatMap(({ caller: who, service, operation, region, resource, partition, namespace }) => {
    const call = { who, service, operation, region, ...about({ resource, partition, namespace }) };
    const left = announced.get(key(call)) ?? 0;
    if (left === 0) return [call];
    announced.set(key(call), left - 1);
    return [];
  });
}

/** Without what is not known. */
const about = (target: CallTarget): CallTarget =>
  Object.fromEntries(Object.entries(target).filter(([, value]) => value !== undefined));
