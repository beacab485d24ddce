import type { DrainCounts } from '../drain/counts.ts';
import type { DrainProgress } from '../drain/drain.ts';

export function progressLine({ counts, shardsDone, shards }: DrainProgress): string {
  return `${counts.read} read, ${counts.copied} copied, ${counts.alreadyThere} already there${leftOut(counts)}; ${shardsDone} of ${shards} shards done`;
}

export const leftOut = ({ probes }: DrainCounts): string =>
  probes === 0 ? '' : `, marked records of observers left out: ${probes}`;
