import { untilDataMs } from '../../../lambda/core/deployment.ts';
import { checkerRegions } from '../../route53/health-check.ts';
import type { Check } from '../check.ts';
import {
  confirmed,
  type Figures,
  type Judgement,
  judged,
  refuted,
  rounded,
  spread,
  undecided,
} from '../judgement.ts';
import {
  allPrimary,
  allStandby,
  answered,
  type HealthCheckSeen,
  isSuccess,
  type PhaseSeen,
  type Report,
  type Sample,
} from './sample.ts';

type Judges = Check<'health-check', HealthCheckSeen>['judges'];

const SECOND_MS = 1_000;
const HEALTHY_SHARE = 0.18;
/** A report may reach GetHealthCheckStatus later than DNS has changed: by then nothing is said about the share. */
const ALMOST_ALL = 0.82;
/** Where most reports have turned and DNS has not for this long, the share decides in another way. */
const PATIENCE_MS = 15_000;
/** A checker every 10 s, two in each region, and some more. */
const CHECKERS = { least: 12, most: 24 };
/** What a recovery time counts with, and the looks of a second on both sides. */
const PROPAGATION_MS = 5_000 + 2 * SECOND_MS;
/** Clocks of AWS and of this machine differ. */
const CLOCKS_APART_MS = 60_000;

const notReached = (what: string): Judgement => undecided(`the experiment did not get as far as ${what}`);
const unhealthyForever = 'the check did not become healthy in time, so that nothing further can be told';

export const judges: Judges = {
  'check-starts-unhealthy': (seen) =>
    withNew(seen, ({ samples, beganAtMs }) => {
      const first = samples.find((sample) => sample.primary + sample.standby > 0);
      if (first === undefined) return undecided('no name server answered for the records');
      const figures = timeTo('Primary', { samples, beganAtMs }, allPrimary);
      if (first.standby > 0) return confirmed(figures);
      return statuses(first).length > 0
        ? undecided('the records answered only when the check had data already', figures)
        : refuted(figures, 'the name servers answered with the primary before any checker had reported');
    }),
  'check-data-in-time': (seen) =>
    withNew(seen, (phase) => {
      const limitMs = untilDataMs({ intervalSeconds: 10, failureThreshold: 1 });
      const figures = {
        ...timeTo('FirstReport', phase, (sample) => statuses(sample).length > 0),
        ...timeTo('Primary', phase, allPrimary),
        limitSeconds: limitMs / SECOND_MS,
      };
      const data = phase.samples.find(allPrimary);
      if (data === undefined)
        return refuted(figures, 'the check did not become healthy within three minutes');
      if (data.atMs - phase.beganAtMs <= limitMs) return confirmed(figures);
      return phase.samples.some(({ standby }) => standby > 0)
        ? refuted(figures)
        : undecided('the records answered only after that time', figures);
    }),
  'status-means-data': (seen) =>
    withNew(seen, ({ samples, beganAtMs }) => {
      const all = samples.flatMap(statuses);
      if (all.length === 0) return undecided('no checker had reported');
      const early = all.filter(
        ({ checkedAtMs }) => checkedAtMs !== undefined && checkedAtMs < beganAtMs - CLOCKS_APART_MS,
      );
      if (early.length > 0) return refuted({ early: early.length }, 'a status is older than the check');
      const data = samples.find(allPrimary);
      const many = samples.find((sample) => statuses(sample).length >= CHECKERS.least);
      if (many !== undefined) {
        const waitedMs = (data ?? samples.at(-1) ?? many).atMs - many.atMs;
        if (waitedMs > PATIENCE_MS)
          return refuted(
            { secondsWithoutData: rounded(waitedMs / SECOND_MS) },
            'checkers reported, and there was no data',
          );
      }
      const first = samples.find((sample) => statuses(sample).length > 0);
      if (data === undefined || first === undefined) return undecided('the check did not get data in time');
      return confirmed({
        secondsFromReportToData: Math.max(0, rounded((data.atMs - first.atMs) / SECOND_MS)),
      });
    }),
  'status-before-inversion': (seen) =>
    withNew(seen, ({ samples }) => {
      const last = samples.findLast((sample) => statuses(sample).length > 0);
      if (last === undefined) return undecided('no checker had reported');
      const successes = statuses(last).filter(isSuccess).length;
      const figures = { reports: statuses(last).length, successes };
      return judged(2 * successes < statuses(last).length, figures);
    }),
  checkers: (seen) =>
    withNew(seen, ({ samples }) => {
      const reports = samples.flatMap(statuses);
      if (reports.length === 0) return undecided('no checker had reported');
      const checkers = new Set(reports.map(({ checker }) => checker)).size;
      const regions = new Set(reports.map(({ region }) => region)).size;
      const fits = checkers >= CHECKERS.least && checkers <= CHECKERS.most;
      return judged(fits && regions === checkerRegions.length, { checkers, regions });
    }),
  'txt-failover': (seen) => {
    if (seen.recordsRefused !== undefined) return refuted({}, seen.recordsRefused);
    return withNew(seen, ({ samples }) =>
      samples.some(({ primary, standby }) => primary + standby > 0)
        ? confirmed()
        : undecided('no name server answered for the records'),
    );
  },
  'alias-ttl': (seen) =>
    withNew(seen, ({ samples }) => {
      const ttls = samples.filter(allPrimary).flatMap(({ ttlSeconds }) => ttlSeconds ?? []);
      if (ttls.length === 0) return undecided('no name server answered with the primary');
      const longestTtlSeconds = Math.max(...ttls);
      return judged(longestTtlSeconds <= seen.ttlSeconds, { longestTtlSeconds, asked: seen.ttlSeconds });
    }),
  'marker-moves-dns': (seen) =>
    withFlips(seen, ({ shown, gone }) => {
      const away = shown.samples.some(allStandby);
      const figures = { ...timeTo('Standby', shown, allStandby), ...timeTo('Primary', gone, allPrimary) };
      return judged(away && gone.samples.some(allPrimary), figures);
    }),
  'alias-and': (seen) => withFlips(seen, ({ shown }) => judged(shown.samples.some(allStandby))),
  'secondary-answers': (seen) =>
    withFlips(seen, ({ shown }) => {
      const left = shown.samples.filter((sample) => answered(sample) && sample.primary === 0);
      if (left.length === 0) return undecided('the primary never became unhealthy');
      return judged(left.every(({ none }) => none === 0));
    }),
  'sni-function-url': (seen) => withFlips(seen, ({ shown }) => judged(shown.samples.some(allStandby))),
  'eighteen-percent': (seen) => withFlips(seen, ({ shown, contrary }) => shareRule(shown, contrary)),
  propagation: (seen) =>
    withFlips(seen, ({ shown, gone, contrary }) => {
      const lags = [
        lagOf(
          shown,
          (sample) => shareOf(sample, contrary) > HEALTHY_SHARE,
          (sample) => sample.standby > 0,
        ),
        lagOf(
          gone,
          (sample) => shareOf(sample, contrary) <= HEALTHY_SHARE,
          (sample) => sample.primary > 0,
        ),
      ].flatMap((ms) => ms ?? []);
      if (lags.length === 0) return undecided('the reports, or the answers, never turned');
      const figures = spread(
        'Seconds',
        lags.map((ms) => ms / SECOND_MS),
      );
      return judged(Math.max(...lags) <= PROPAGATION_MS, { flips: lags.length, ...figures });
    }),
  'host-change-keeps-data': (seen) => stays(seen.phases['other-host'], 'the change of its host'),
  'error-is-failure': (seen) => {
    const phase = seen.phases['error-status'];
    if (
      phase?.samples.some((sample) => statuses(sample).some(({ status = '' }) => status.includes('404'))) ===
      false
    )
      return phase.samples.some(({ standby }) => standby > 0)
        ? refuted({}, 'DNS left the primary')
        : undecided('no checker reported a status of 404');
    return stays(phase, 'the path that answers 404');
  },
};

/** Judges the phase of the new check, if there was one. */
function withNew(seen: HealthCheckSeen, judge: (phase: PhaseSeen) => Judgement): Judgement {
  if (seen.recordsRefused !== undefined) return undecided(`the records were refused: ${seen.recordsRefused}`);
  return seen.phases.new === undefined ? notReached('a new check') : judge(seen.phases.new);
}

interface Flips {
  readonly shown: PhaseSeen;
  readonly gone: PhaseSeen;
  /** Whether a report is one of a checker that sees the text. */
  readonly contrary: (report: Report) => boolean;
}

/** Judges the two changes of a check that was healthy before. */
function withFlips(seen: HealthCheckSeen, judge: (flips: Flips) => Judgement): Judgement {
  const { new: first, 'text-shown': shown, 'text-gone': gone } = seen.phases;
  if (first === undefined || shown === undefined || gone === undefined) return notReached('the shown text');
  if (!first.samples.some(allPrimary)) return undecided(unhealthyForever);
  const before = statuses(first.samples.findLast((sample) => statuses(sample).length > 0));
  const saysSuccess = 2 * before.filter(isSuccess).length > before.length;
  return judge({ shown, gone, contrary: (report) => isSuccess(report) !== saysSuccess });
}

function shareRule({ samples }: PhaseSeen, contrary: Flips['contrary']): Judgement {
  const flip = samples.find(({ standby }) => standby > 0);
  if (flip === undefined) {
    const turned = samples.filter((sample) => shareOf(sample, contrary) > 0.5);
    const turnedForMs = (turned.at(-1)?.atMs ?? 0) - (turned[0]?.atMs ?? 0);
    return turnedForMs >= PATIENCE_MS
      ? refuted(
          { turnedForSeconds: rounded(turnedForMs / SECOND_MS) },
          'most checkers saw the text, and DNS stayed',
        )
      : undecided('neither DNS nor the reports turned');
  }
  const turned = samples.filter(
    (sample) => sample.atMs < flip.atMs && shareOf(sample, contrary) > ALMOST_ALL,
  );
  const waitedMs = turned.length === 0 ? 0 : flip.atMs - (turned[0]?.atMs ?? 0);
  const share = shareOf(flip, contrary);
  const figures: Figures = { percentWhenDnsTurned: Math.round(100 * share) };
  if (waitedMs >= PATIENCE_MS) return refuted({ ...figures, waitedSeconds: rounded(waitedMs / SECOND_MS) });
  if (share === 0) return undecided('DNS turned before any report did: reports lag behind', figures);
  if (share > ALMOST_ALL) return undecided('all checkers had reported the text already', figures);
  return confirmed(figures);
}

function stays(phase: PhaseSeen | undefined, what: string): Judgement {
  if (phase === undefined) return notReached(what);
  const heard = phase.samples.filter(answered);
  if (heard.length === 0) return undecided('no name server answered');
  const left = heard.filter(({ standby, none }) => standby + none > 0).length;
  return judged(left === 0, { looks: heard.length, looksWithStandby: left });
}

const statuses = (sample: Sample | undefined): readonly Report[] =>
  (sample?.reports ?? []).filter(({ status }) => status !== undefined);

function shareOf(sample: Sample, contrary: (report: Report) => boolean): number {
  const all = statuses(sample);
  return all.length === 0 ? 0 : all.filter(contrary).length / all.length;
}

function timeTo(
  what: string,
  { samples, beganAtMs }: PhaseSeen,
  holds: (sample: Sample) => boolean,
): Figures {
  const found = samples.find(holds);
  return found === undefined ? {} : { [`secondsTo${what}`]: rounded((found.atMs - beganAtMs) / SECOND_MS) };
}

/**
 * From the reports that decide to the first answer that follows; undefined when one of both is missing, or when
 * no report was seen to turn.
 */
function lagOf(
  { samples }: PhaseSeen,
  decides: (sample: Sample) => boolean,
  follows: (sample: Sample) => boolean,
): number | undefined {
  const before = samples.findIndex((sample) => statuses(sample).length > 0 && !decides(sample));
  const decided = before < 0 ? undefined : samples.slice(before).find(decides);
  const followed = samples.find(follows);
  if (decided === undefined || followed === undefined) return undefined;
  return Math.max(0, followed.atMs - decided.atMs);
}
