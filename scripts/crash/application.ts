import { writeSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { nameToText } from './ledger.ts';
import { type TargetOptions, targets } from './targets.ts';

/** The settings of one life of the application, as JSON in its first argument. */
export interface ApplicationOptions extends TargetOptions {
  readonly target: keyof typeof targets;
  readonly life: number;
}

interface Pace {
  /** Records of a key that wait for their acknowledgement. */
  readonly underWay: number;
  readonly pauseMs: number;
}
const QUIET_KEYS = 47;
const quiet: Pace = { underWay: 3, pauseMs: 25 };
/**
 * Keys with more than one record per round trip, so that these keys overflow onto the disk even while the
 * region is well.
 */
const BUSY_KEYS = 1;
const busy: Pace = { underWay: 40, pauseMs: 10 };
/**
 * A pipe that only `writeSync` writes to: this call blocks, and what it has written survives this process.
 */
const REPORT_FD = 3;

const options = JSON.parse(process.argv[2] ?? '{}') as ApplicationOptions;
const put = await targets[options.target](options);
writeSync(REPORT_FD, 'open\n');

/** Puts the records of a key in order, several under way at once, and reports each acknowledgement before anything else. */
async function produce(key: string, pace: Pace): Promise<void> {
  let underWay = 0;
  for (let sequence = 1; ; sequence++) {
    while (underWay >= pace.underWay) await sleep(1);
    underWay++;
    const text = nameToText({ key, life: options.life, sequence });
    void put({ partitionKey: key, data: Buffer.from(text) })
      .then((how) => writeSync(REPORT_FD, `${how} ${text}\n`))
      .finally(() => underWay--);
    await sleep(pace.pauseMs);
  }
}

const keys = (count: number, name: string): string[] =>
  Array.from({ length: count }, (_, n) => `${name}-${n}`);
await Promise.all([
  ...keys(QUIET_KEYS, 'quiet').map((key) => produce(key, quiet)),
  ...keys(BUSY_KEYS, 'busy').map((key) => produce(key, busy)),
]);
