import { writeSync } from 'node:fs';
import { drain } from '../../lib/drain/drain.ts';
import type { DrainLimits } from '../../lib/drain/limits.ts';
import type { DrainPlan } from '../../lib/drain/plan.ts';
import { kinesisAt } from './drain-emulator.ts';

/** The settings of one life of a drain, as JSON in its first argument. */
export interface DrainLifeOptions {
  readonly plan: DrainPlan;
  readonly checkpointFile: string;
  /** Of the storm in front of Kinesis. */
  readonly url: string;
}

/** The same drain, in less time. */
const limits: Partial<DrainLimits> = {
  requestTimeoutMs: 1_000,
  readIntervalMs: 0,
  // What was sent before a kill is stored by then: the storm passes everything on at once.
  settleMs: 100,
  graceMs: 50,
  clockMarginMs: 60_000,
  retryBaseMs: 2,
  retryMaxMs: 20,
  maxAttempts: 50,
  recordsPerRead: 100,
};
/** As in `application.ts`. */
const REPORT_FD = 3;

if (import.meta.main) {
  const { plan, checkpointFile, url } = JSON.parse(process.argv[2] ?? '{}') as DrainLifeOptions;
  const report = await drain({
    ...{ plan, checkpointFile, limits, dryRun: false },
    clientOf: (region) => kinesisAt(url, region),
    signal: new AbortController().signal,
  });
  writeSync(REPORT_FD, `${JSON.stringify(report.counts)}\n`);
}
