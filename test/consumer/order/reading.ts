import { MoveOrderChecker, type MoveVerdict, type WrongOrder } from '../../../lib/consumer/index.ts';
import { stream } from '../../../lib/simulator/random.ts';
import type { Landed, Streams } from './model.ts';

export interface ReadAll {
  readonly verdicts: readonly { readonly record: Landed; readonly verdict: MoveVerdict }[];
  readonly wrong: readonly WrongOrder[];
  readonly forgotten: number;
}

/** Reads all streams, each in its order, now one and now another, and settles on the way as far as both were read. */
export function readAll(streams: Streams, seed: number): ReadAll {
  const random = stream(seed);
  const checker = new MoveOrderChecker();
  const verdicts: { record: Landed; verdict: MoveVerdict }[] = [];
  const wrong: WrongOrder[] = [];
  const regions = Object.entries(streams).map(([, records]) => ({ records, next: 0 }));
  for (;;) {
    const unread = regions.filter(({ records, next }) => next < records.length);
    const region = unread[Math.floor(random() * unread.length)];
    if (region === undefined) break;
    for (let left = Math.ceil(random() * 40); left > 0 && region.next < region.records.length; left--) {
      const record = region.records[region.next++] as Landed;
      verdicts.push({ record, verdict: checker.check(record) });
    }
    const readToMs = Math.min(
      ...regions.map(({ records, next }) => records[next]?.arrivedAtMs ?? Number.POSITIVE_INFINITY),
    );
    if (Number.isFinite(readToMs)) wrong.push(...checker.settle({ readToMs }));
  }
  wrong.push(...checker.settle());
  return { verdicts, wrong, forgotten: checker.forgotten };
}
