import { voteTableName } from '../../lambda/core/names.ts';
import { observerRegions } from '../config/config.ts';
import { readObserverItem } from '../observers/reports.ts';
import type { Check } from './check.ts';
import { pause, times } from './context.ts';
import { type Figures, judged, rounded, undecided } from './judgement.ts';

/** What the table of one observer said at one moment. Undefined: no answer, or no vote. */
export interface VoteLook {
  readonly region: string;
  /** Monotonic milliseconds of this machine; the other two are of the observer's clock. */
  readonly atMs: number;
  readonly vote: { readonly decidedAtMs: number; readonly expiresAtMs: number } | undefined;
}

export interface VotesSeen {
  readonly looks: readonly VoteLook[];
}

/** Two seams between runs of a minute. */
const LOOKS = 65;
const EVERY_MS = 2_000;
const SECOND_MS = 1_000;
/** Of all looks: a table that is unread now and then hides no seam. */
const LEAST_SHARE_READ = 0.8;

export const votes: Check<'votes', VotesSeen> = {
  observe: async (context) => {
    const { clients, config } = context;
    const table = voteTableName(config.name);
    const sources = observerRegions(config.regions).map((region) => ({
      region,
      table,
      client: clients.documents(region),
    }));
    const looks: VoteLook[] = [];
    for (let n = 0; n < times(context, LOOKS); n++) {
      const items = await Promise.all(sources.map(readObserverItem));
      const atMs = performance.now();
      looks.push(...sources.map(({ region }, at) => ({ region, atMs, vote: voteIn(items[at]) })));
      await pause(context, EVERY_MS);
    }
    return { looks };
  },
  judges: {
    'observers-seamless': ({ looks }) => {
      const read = looks.filter(({ vote }) => vote !== undefined);
      if (read.length === 0) return undecided('no observer could be read');
      const spans = [...Map.groupBy(read, ({ region }) => region).values()].map(gapsOf);
      const figures: Figures = {
        looks: read.length,
        longestGapSeconds: rounded(Math.max(...spans.map(({ longestMs }) => longestMs)) / SECOND_MS),
      };
      if (spans.some(({ isExpired }) => isExpired)) return judged(false, figures);
      return read.length < LEAST_SHARE_READ * looks.length
        ? undecided('too many looks were not answered', figures)
        : judged(true, figures);
    },
  },
};

function voteIn(item: Record<string, unknown> | undefined): VoteLook['vote'] {
  const [decidedAtMs, expiresAtMs] = [Number(item?.decidedAtMs), Number(item?.expiresAtMs)];
  return Number.isFinite(decidedAtMs) && Number.isFinite(expiresAtMs)
    ? { decidedAtMs, expiresAtMs }
    : undefined;
}

/** The longest time between two decisions, by the observer's clock, and whether a vote expired before the next. */
function gapsOf(looks: readonly VoteLook[]): { readonly longestMs: number; readonly isExpired: boolean } {
  let [longestMs, isExpired] = [0, false];
  let [last, sinceMs] = [looks[0]?.vote, looks[0]?.atMs ?? 0];
  for (const { vote, atMs } of looks) {
    if (vote === undefined || last === undefined) continue;
    const lifeMs = last.expiresAtMs - last.decidedAtMs;
    const isSame = vote.decidedAtMs === last.decidedAtMs;
    const gapMs = isSame ? atMs - sinceMs : vote.decidedAtMs - last.decidedAtMs;
    longestMs = Math.max(longestMs, gapMs);
    if (gapMs > lifeMs) isExpired = true;
    if (!isSame) [last, sinceMs] = [vote, atMs];
  }
  return { longestMs, isExpired };
}
