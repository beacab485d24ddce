import { copyFile, mkdir, readFile, rm, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { LocalStackEnvironmentError } from './errors.ts';

/** The version LocalStack 4.13.1 looks for, and the one locked in package-lock.json. */
const KINESIS_LOCAL_VERSION = '0.5.2';
const SERVER_FILE = 'main.js';
/** What the server reads beside its own code. */
const OTHER_FILES = ['package.json', 'server.json'];

/**
 * PutRecords groups the new records by the pair of a shard and everything this shard holds (PutRecordsRequest.scala,
 * `groupBy { case (shard, currentRecords, _) => (shard, currentRecords) }`, in 0.5.2 and still in 0.6.2), and so hashes
 * every stored record once for each new one: 50 records take 2.5 s when the shard holds 10,000. A producer that waits
 * sends larger batches, so whoever is slow once gets slower for ever. Here such a pair is hashed by its shard alone; two
 * pairs of one shard hold the very same records, and are equal at first sight.
 */
const GROUPING = 'v=B(new C,q.yk,q.xm);else throw new A(q);l.My(v,';
const GROUPING_BY_SHARD =
  'v=B(new C,q.yk,q.xm);else throw new A(q);v.j=function(){return this.s().j()};l.My(v,';

/** Written by python/spillway_localstack/kinesis.py once kinesis-local listens. */
const URL_FILE = 'kinesis.url';

/** Where kinesis-local itself listens; undefined before the first call of Kinesis has started it. */
export async function kinesisUrl(directory: string): Promise<string | undefined> {
  return readFile(path.join(directory, URL_FILE), 'utf8').catch(() => undefined);
}

/** @throws LocalStackEnvironmentError when this is not the code that is known. */
export function mendPutRecords(code: string): string {
  const [before, after, ...more] = code.split(GROUPING);
  if (before === undefined || after === undefined || more.length > 0) {
    throw new LocalStackEnvironmentError(
      `kinesis-local is not the version that Spillway mends (${KINESIS_LOCAL_VERSION}): run npm ci.`,
    );
  }
  return before + GROUPING_BY_SHARD + after;
}

/** Puts kinesis-local, mended, where LocalStack would otherwise download it to. */
export async function placeKinesisLocal(directory: string): Promise<void> {
  const source = path.dirname(fileURLToPath(import.meta.resolve('kinesis-local/package.json')));
  const modules = path.join('lib/kinesis-local', KINESIS_LOCAL_VERSION, 'node_modules');
  const target = path.join(directory, 'var/lib/localstack', modules, 'kinesis-local');
  await rm(target, { recursive: true, force: true });
  await mkdir(target, { recursive: true });
  for (const file of OTHER_FILES) await copyFile(path.join(source, file), path.join(target, file));
  const code = await readFile(path.join(source, SERVER_FILE), 'utf8');
  await writeFile(path.join(target, SERVER_FILE), mendPutRecords(code));
}
