import { shortfalls } from '../../../lambda/core/fitness.ts';
import { type CellReading, capacityFrom } from '../../../lambda/core/survey.ts';
import { hasForeignStream } from '../../config/config.ts';
import { type RegionClients, Surveyor } from '../../survey/surveyor.ts';
import { type Check, type DoctorContext, type Found, ill, type Unchecked, well } from './check.ts';

const CHECK = 'standby capacity';
/** A local world is not older than this, and its CloudWatch is slow over long spans. */
const LOCAL_LOOK_BACK_MS = 3_600_000;
/** Fast, because somebody waits, but below the 20 calls a second that the whole account shares. */
const DESCRIBES_PER_SECOND = 15;

/**
 * Checks that the load of the primary fits into the standby, because a cold standby throttles a full
 * evacuation. Reads the sizes again, with the survey's own code.
 */
export const capacity: Check = {
  check: CHECK,
  purpose: "the standby's streams take the primary's real peak of two weeks",
  region: ({ regions }) => regions.standby,
  run: async (context) => {
    const { config, local } = context;
    const { readings, failures } = await survey(context);
    const capacities = readings.flatMap((reading) => capacityFrom(reading, undefined) ?? []);
    const small = shortfalls(capacities, 'standby').map((text) =>
      ill(
        CHECK,
        text,
        'Add shards to the stream in the standby, or warm the stream (UpdateStreamWarmThroughput), before an outage.',
      ),
    );
    const unread = readings.filter(({ primary, standby }) =>
      [primary.peak, standby.peak, standby.size].includes(undefined),
    );
    const what = `${unread.length} of ${readings.length} cells, first ${unread[0]?.cell},`;
    // Each service of each region that has failed is reported once.
    const unknown: readonly Found[] =
      unread.length === 0
        ? []
        : failures.length === 0
          ? [ill(CHECK, `${what} could not be checked`, 'Run this again.')]
          : failures.map((one) => ({ ...one, what }));
    if (small.length + unknown.length > 0) return [...small, ...unknown];
    const silent = capacities.filter(({ peak }) => peak.recordsPerSecond === 0);
    const unseen = silent.length === 0 ? '' : `; no traffic was measured for ${silent.length}`;
    const foreign = config.cells.length - readings.length;
    const others = foreign === 0 ? '' : `; ${foreign} in other accounts are not measured`;
    const period = local ? 'what was measured' : 'the peak of 14 days';
    return [well(CHECK, `${readings.length} cells fit ${period}${unseen}${others}`)];
  },
};

async function survey({ clients, config, nowMs, local }: DoctorContext) {
  const failures: Unchecked[] = [];
  const of = (region: string): RegionClients => ({
    kinesis: clients.kinesis(region),
    cloudWatch: clients.cloudWatch(region),
  });
  const surveyor = new Surveyor({
    primary: of(config.regions.primary),
    standby: of(config.regions.standby),
    nowMs: () => nowMs,
    describesPerSecond: DESCRIBES_PER_SECOND,
    ...(local ? { lookBackMs: LOCAL_LOOK_BACK_MS } : {}),
    warn: (_warning, { role, error }) => failures.push({ check: CHECK, region: config.regions[role], error }),
  });
  const readings: CellReading[] = [];
  // CloudWatch has no metrics of other accounts' streams here.
  const own = config.cells.filter((cell) => !hasForeignStream(cell));
  const cells = own.map(({ name, streams }) => ({
    cell: name,
    streams: { primary: streams.primary.name, standby: streams.standby.name },
  }));
  for await (const some of surveyor.look(cells)) readings.push(...some);
  return { readings, failures };
}
