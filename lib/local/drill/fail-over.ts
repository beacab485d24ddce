import { exitCodes } from '../../shell/exit-codes.ts';
import type { FailbackOptions } from './fail-back.ts';

const RUN_TIMEOUT_MS = 240_000;

/**
 * Fails over as an operator does who does not wait for the automatic failover, or who comes after it. Returns
 * the problems found.
 */
export async function failOver({
  operator,
  onEvent,
  signal,
}: Omit<FailbackOptions, 'watching'>): Promise<readonly string[]> {
  const { status, document, said } = await operator.run(['failover', '--all', '--reason', 'drill'], {
    timeoutMs: RUN_TIMEOUT_MS,
    signal,
  });
  const state = typeof document?.state === 'string' ? document.state : `status ${status}`;
  onEvent({ kind: 'note', atMs: Date.now(), text: `failover by an operator: ${state}` });
  if (status === exitCodes.done) return [];
  return [`failover by an operator ended as ${state} with status ${status}: ${said.trim().slice(-500)}`];
}
