import { writeSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { nameToText } from './ledger.ts';
import { type TargetName, type TargetOptions, targets } from './targets.ts';

/** What the parent tells one life of the application, as JSON in its first argument. */
export interface ApplicationOptions extends TargetOptions {
  readonly target: TargetName;
  readonly life: number;
}

const KEYS = 48;
/** Records of a key that wait for their acknowledgement. */
const PER_KEY = 3;
const PAUSE_MS = 25;
/** A pipe that only `writeSync` ever touches: it blocks, and what it returned from survives this process. */
const REPORT_FD = 3;

const options = JSON.parse(process.argv[2] ?? '{}') as ApplicationOptions;
const put = await targets[options.target](options);
writeSync(REPORT_FD, 'open\n');

/** Puts the records of a key in order, several under way at once, and reports each acknowledgement before anything else. */
async function produce(key: string): Promise<void> {
  let underWay = 0;
  for (let sequence = 1; ; sequence++) {
    while (underWay >= PER_KEY) await sleep(1);
    underWay++;
    const text = nameToText({ key, life: options.life, sequence });
    void put({ partitionKey: key, data: Buffer.from(text) })
      .then((how) => writeSync(REPORT_FD, `${how} ${text}\n`))
      .finally(() => underWay--);
    await sleep(PAUSE_MS);
  }
}

await Promise.all(Array.from({ length: KEYS }, (_, index) => produce(`key-${index}`)));
