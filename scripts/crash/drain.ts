import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import type { Readable } from 'node:stream';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import {
  CreateStreamCommand,
  DescribeStreamSummaryCommand,
  GetRecordsCommand,
  GetShardIteratorCommand,
  type KinesisClient,
  ListShardsCommand,
  PutRecordsCommand,
  SplitShardCommand,
} from '@aws-sdk/client-kinesis';
import { AggregateEncoder } from '../../lib/aggregate/encoder.ts';
import { probeRecord } from '../../lib/envelope/probe-record.ts';
import { unwrap } from '../../lib/envelope/unwrap.ts';
import { wrap } from '../../lib/envelope/wrap.ts';
import type { Dice } from './dice.ts';
import { dice } from './dice.ts';
import { kinesisAt, type Storm, startEmulator, startStorm } from './drain-emulator.ts';
import type { DrainLifeOptions } from './drain-life.ts';
import { Ledger, nameToText } from './ledger.ts';
import type { CrashOptions, CrashResult } from './result.ts';

const program = fileURLToPath(new URL('drain-life.ts', import.meta.url));
const [EAST, WEST] = ['us-east-1', 'us-west-2'];
const LIVES_PER_WEATHER = 3;
/** A life that ends by itself is no kill; a drain that gives up all the time would never end. */
const MOST_LIVES_PER_KILL = 5;
const KEYS = 17;
const RECORDS_PER_KEY = 40;
/** One record of a key in so many is an aggregate of some, an enveloped one, or followed by a marked record. */
const RARE = 6;
const MOST_IN_AGGREGATE = 5;
const LONGEST_START_MS = 700;
const MOST_REQUESTS = 100;
const LONGEST_LIFE_MS = 20_000;
const MAX_ERROR_CHARACTERS = 4_000;
const ACTIVE_TIMEOUT_MS = 10_000;

interface Scene {
  readonly ledger: Ledger;
  readonly rolls: Dice;
  readonly storm: Storm;
  /** Past the storm. */
  readonly east: KinesisClient;
  readonly west: KinesisClient;
  readonly counts: { aggregates: number; reshards: number };
}

/** One drain, from a filled source to the look at what it copied. */
interface Round {
  readonly number: number;
  readonly stream: string;
  readonly life: DrainLifeOptions;
}

/**
 * Kills a drain again and again while it copies, and begins another when one is done: every record of the source is in the target,
 * in the order of its key.
 */
export async function crashDrain({ kills, seed, directory, onProgress }: CrashOptions): Promise<CrashResult> {
  const emulator = await startEmulator();
  const storm = await startStorm(emulator.url, dice(seed + 1));
  const scene: Scene = {
    ...{ ledger: new Ledger(), rolls: dice(seed), storm, counts: { aggregates: 0, reshards: 0 } },
    ...{ east: kinesisAt(emulator.url, EAST), west: kinesisAt(emulator.url, WEST) },
  };
  try {
    let killed = 0;
    let round: Round | undefined;
    for (let life = 1; killed < kills; life++) {
      if (life > kills * MOST_LIVES_PER_KILL) throw new Error('The drain keeps ending by itself.');
      storm.weather = Math.floor(killed / LIVES_PER_WEATHER) % 2 === 0 ? 'calm' : 'stormy';
      round ??= await begin(scene, { number: life, directory });
      const end = await oneLife(scene, round);
      if (end === 'killed' && ++killed % 10 === 0)
        onProgress?.(`${killed} kills, ${scene.ledger.acknowledged} records`);
      if (end !== 'done') continue;
      await readCopies(scene, round);
      round = undefined;
    }
    if (round !== undefined) {
      storm.weather = 'calm';
      for (let again = 1; (await oneLife(scene, round, { killing: false })) !== 'done'; again++) {
        if (again > MOST_LIVES_PER_KILL) throw new Error('The last drain does not end.');
      }
      await readCopies(scene, round);
    }
    return resultOf(scene, kills, onProgress);
  } finally {
    storm.close();
    emulator.close();
  }
}

function resultOf(
  { ledger, counts }: Scene,
  kills: number,
  onProgress: CrashOptions['onProgress'],
): CrashResult {
  const lost = ledger.lost();
  for (const text of lost.slice(0, 10)) onProgress?.(`lost: ${text}`);
  return {
    ...{ kills, acknowledged: ledger.acknowledged, spooled: 0, found: ledger.acknowledged - lost.length },
    ...{ lost: lost.length, reordered: ledger.reordered, duplicates: ledger.duplicates },
    ...{ droppedByKcl: 0, ...counts, inSpool: 0, tornBytes: 0, quarantinedRanges: 0 },
  };
}

async function begin(
  scene: Scene,
  { number, directory }: { number: number; directory: string },
): Promise<Round> {
  const stream = `drain-${number}`;
  await Promise.all([make(scene.east, stream, 2), make(scene.west, stream, 3)]);
  const fromMs = Date.now();
  await fill(scene, { stream, number });
  const toMs = Date.now() + 1;
  // The end of the window is in the past when the drain begins.
  await sleep(toMs + 2 - Date.now());
  const place = (region: string) => ({ region, stream });
  const plan = {
    from: place(EAST ?? ''),
    to: place(WEST ?? ''),
    fromMs,
    toMs,
    envelope: false,
    allowAggregated: false,
  };
  const checkpointFile = join(directory, `${stream}.json`);
  return { number, stream, life: { plan, checkpointFile, url: scene.storm.url } };
}

async function make(client: KinesisClient, stream: string, shards: number): Promise<void> {
  await client.send(new CreateStreamCommand({ StreamName: stream, ShardCount: shards }));
  await active(client, stream);
}

async function active(client: KinesisClient, StreamName: string): Promise<void> {
  const deadlineMs = performance.now() + ACTIVE_TIMEOUT_MS;
  for (;;) {
    const answer = await client.send(new DescribeStreamSummaryCommand({ StreamName }));
    if (answer.StreamDescriptionSummary?.StreamStatus === 'ACTIVE') return;
    if (performance.now() > deadlineMs) throw new Error(`${StreamName} does not become active.`);
    await sleep(5);
  }
}

/** Records of their own, in envelopes, in aggregates of one key, and of observers; the source is split in between. */
async function fill(scene: Scene, { stream, number }: { stream: string; number: number }): Promise<void> {
  const { ledger, rolls, east, counts } = scene;
  const sequences = new Map<string, number>();
  const next = (key: string): string => {
    const sequence = (sequences.get(key) ?? 0) + 1;
    sequences.set(key, sequence);
    const text = nameToText({ key, life: 1, sequence });
    ledger.acknowledge(text);
    return text;
  };
  const splitAt = rolls.between(1, RECORDS_PER_KEY);
  for (let n = 1; n <= RECORDS_PER_KEY; n++) {
    const records: { PartitionKey: string; Data: Uint8Array }[] = [];
    for (let k = 0; k < KEYS; k++) {
      const key = `r${number}-k${k}`;
      const kind = rolls.between(1, RARE);
      if (kind === 1) counts.aggregates++;
      records.push({ PartitionKey: key, Data: dataOf(kind, { key, next, rolls }) });
      if (kind !== 3) continue;
      const { partitionKey, data } = probeRecord({ observer: 'us-west-2', atMs: n, place: k });
      records.push({ PartitionKey: partitionKey, Data: data });
    }
    await east.send(new PutRecordsCommand({ StreamName: stream, Records: records }));
    if (n === splitAt) await split(scene, east, stream);
  }
}

function dataOf(
  kind: number,
  {
    key,
    next,
    rolls,
  }: { readonly key: string; readonly next: (key: string) => string; readonly rolls: Dice },
): Uint8Array {
  if (kind === 1) {
    const encoder = new AggregateEncoder({ maxBytes: 100_000 });
    const size = rolls.between(1, MOST_IN_AGGREGATE);
    for (let n = 0; n < size; n++) encoder.add({ partitionKey: key, data: Buffer.from(next(key)) });
    return encoder.finish();
  }
  const data = Buffer.from(next(key));
  if (kind !== 2) return data;
  const id = (high: number) =>
    `01900000-0000-7000-8000-${high.toString(16).padStart(4, '0')}${rolls
      .between(0, 2 ** 31 - 1)
      .toString(16)
      .padStart(8, '0')}`;
  return wrap({ producerId: id(1), epoch: 1, sequence: 1, recordId: id(rolls.between(2, 65_535)), data });
}

/** Splits the open shard with the widest range in two. */
async function split(
  { counts }: Pick<Scene, 'counts'>,
  client: KinesisClient,
  StreamName: string,
): Promise<void> {
  const { Shards = [] } = await client.send(new ListShardsCommand({ StreamName }));
  const open = Shards.filter(
    ({ SequenceNumberRange }) => SequenceNumberRange?.EndingSequenceNumber === undefined,
  );
  const ranges = open.map(({ ShardId, HashKeyRange }) => {
    const [from, to] = [BigInt(HashKeyRange?.StartingHashKey ?? 0), BigInt(HashKeyRange?.EndingHashKey ?? 0)];
    return { ShardId, from, width: to - from };
  });
  const [widest] = ranges.toSorted((a, b) => (a.width < b.width ? 1 : -1));
  if (widest === undefined) return;
  const NewStartingHashKey = String(widest.from + widest.width / 2n + 1n);
  await client.send(new SplitShardCommand({ StreamName, ShardToSplit: widest.ShardId, NewStartingHashKey }));
  await active(client, StreamName);
  counts.reshards++;
}

/** Runs one process: kills it at a random moment, unless it ends before. `failed`: it gave up, and goes on when it is started again. */
async function oneLife(
  scene: Scene,
  { life, stream }: Round,
  { killing = true }: { readonly killing?: boolean } = {},
): Promise<'killed' | 'done' | 'failed'> {
  const { rolls, storm, west } = scene;
  const child = spawn(process.execPath, [program, JSON.stringify(life)], {
    stdio: ['ignore', 'ignore', 'pipe', 'pipe'],
  });
  const closed = once(child, 'close');
  let errors = '';
  child.stderr?.on('data', (chunk: Buffer) => {
    errors = (errors + chunk).slice(-MAX_ERROR_CHARACTERS);
  });
  (child.stdio[3] as Readable).resume();
  if (killing) {
    const whileStarting = rolls.between(1, 4) === 1;
    const end = whileStarting
      ? sleep(rolls.between(0, LONGEST_START_MS), undefined, { ref: false })
      : storm.after(rolls.between(1, MOST_REQUESTS));
    if (!whileStarting && rolls.between(1, RARE) === 1) await split(scene, west, stream);
    await Promise.race([closed, end, sleep(LONGEST_LIFE_MS, undefined, { ref: false })]);
    child.kill('SIGKILL');
  }
  await closed;
  if (child.signalCode === 'SIGKILL') return 'killed';
  if (child.exitCode === 0) return 'done';
  if (errors.includes('DrainError')) return 'failed';
  throw new Error(`A drain ended by itself (${child.exitCode}):\n${errors}`);
}

/** Shards after those that they came of, which have lower numbers. */
async function readCopies({ ledger, west }: Scene, { stream: StreamName }: Round): Promise<void> {
  const { Shards = [] } = await west.send(new ListShardsCommand({ StreamName }));
  for (const ShardId of Shards.flatMap((shard) => shard.ShardId ?? []).toSorted()) {
    const at = { StreamName, ShardId, ShardIteratorType: 'TRIM_HORIZON' } as const;
    let { ShardIterator } = await west.send(new GetShardIteratorCommand(at));
    while (ShardIterator !== undefined) {
      const { Records = [], NextShardIterator } = await west.send(new GetRecordsCommand({ ShardIterator }));
      for (const { Data = new Uint8Array() } of Records) {
        const read = unwrap(Data);
        ledger.find(Buffer.from(read.enveloped ? read.data : Data).toString());
      }
      ShardIterator = Records.length === 0 ? undefined : NextShardIterator;
    }
  }
}
