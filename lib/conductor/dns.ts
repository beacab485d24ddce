import type { Quorum } from '../../lambda/core/lifecycle.ts';
import { regionRecordName, signalRecordName } from '../../lambda/core/names.ts';
import { parseSignal } from '../../lambda/core/signal.ts';
import { formerQuorum, isNoSuchRecord, type RolePair, roleOf } from '../observers/former-record.ts';
import { type ZoneQuestion, zoneResolver } from '../observers/zone-servers.ts';
import type { CellAnswer } from './cell-answer.ts';

const CONCURRENT_QUERIES = 20;

export interface SignalQuestion extends ZoneQuestion, RolePair {}

/**
 * Asks where cells are. The zone's own name servers are asked, because a resolver gives the answer from
 * before the switches were set until the TTL is over. If the name servers cannot be found, the resolver is
 * asked all the same: an answer some seconds old is better than none. A missing answer, or one that is not
 * understood, is `unknown`.
 */
export function signalReader(
  question: SignalQuestion,
): (cells: readonly string[]) => Promise<readonly CellAnswer[]> {
  const { zoneName, primary, standby } = question;
  return async (cells) => {
    const resolver = await zoneResolver(question);
    const answers: CellAnswer[] = [];
    const queue = cells.values();
    const worker = async (): Promise<void> => {
      for (const cell of queue) {
        const texts = await resolver.resolveTxt(signalRecordName(cell, zoneName)).catch(() => []);
        const parsed = parseSignal(texts[0]?.join('') ?? '', [primary, standby]);
        if (!parsed.ok) answers.push({ cell, region: 'unknown' });
        else answers.push({ cell, region: parsed.signal.region === standby ? 'standby' : 'primary' });
      }
    };
    await Promise.all(Array.from({ length: Math.min(CONCURRENT_QUERIES, cells.length) }, worker));
    return answers;
  };
}

export interface QuorumQuestion extends SignalQuestion {
  /** The deployment's. */
  readonly name: string;
  /** Cells of the deployment. */
  readonly cells: readonly string[];
}

/** Asks the same servers what the quorum says: `region.<name>.<zone>`. Never throws. */
export function zoneQuorumReader(question: QuorumQuestion): () => Promise<Quorum> {
  return async () => {
    const resolver = await zoneResolver(question);
    const resolveTxt = (name: string): Promise<string[][]> => resolver.resolveTxt(name);
    try {
      return roleOf(await resolveTxt(regionRecordName(question.name, question.zoneName)), question);
    } catch (error) {
      const isMissing = isNoSuchRecord((error as { readonly code?: unknown }).code);
      return isMissing ? formerQuorum({ ...question, resolveTxt }) : 'unknown';
    }
  };
}
