import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import type { Readable } from 'node:stream';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import getPort from 'get-port';
import { Spool } from '../../lib/producer/spool/spool.ts';
import type { ApplicationOptions } from './application.ts';
import { type Dice, dice } from './dice.ts';
import { crashDrain } from './drain.ts';
import { Ledger } from './ledger.ts';
import type { CrashOptions, CrashResult } from './result.ts';
import { startSidecarClient } from './sidecar-client.ts';
import { SIDECAR_CELL, type SidecarLifeOptions } from './sidecar-life.ts';
import { type CrashSink, startCrashSink } from './sink.ts';
import type { TargetName } from './targets.ts';

const programs = {
  application: fileURLToPath(new URL('application.ts', import.meta.url)),
  sidecar: fileURLToPath(new URL('sidecar.ts', import.meta.url)),
};
const LIVES_PER_WEATHER = 3;
const START_TIMEOUT_MS = 30_000;
const LONGEST_START_MS = 500;
const LONGEST_LIFE_MS = 400;
const MOST_ACKNOWLEDGEMENTS = 1_000;
const LONGEST_COUNTED_LIFE_MS = 3_000;
const MAX_ERROR_CHARACTERS = 4_000;

/** Kills an application again and again, and looks for every record that the application was told is safe. */
export async function crash(options: CrashOptions): Promise<CrashResult> {
  const { kills, directory, onProgress, target } = options;
  // A process that writes to no spool, and a Kinesis that can be read.
  if (target === 'drain') return crashDrain(options);
  const ledger = new Ledger();
  const rolls = dice(options.seed);
  const sink = await startCrashSink(dice(options.seed + 1), {
    onStored: (text) => ledger.find(text),
    reshards: target === 'aggregates',
  });
  const witness = new Witness({ rolls, ledger });
  // It lives on while the sidecar is killed, which has the same address in each of its lives.
  const port = target === 'sidecar' ? await getPort({ host: '127.0.0.1' }) : undefined;
  const client =
    port === undefined ? undefined : startSidecarClient({ port, onAcknowledged: witness.acknowledged });
  try {
    for (let life = 1; life <= kills; life++) {
      // Calm for some lives at first, then stormy for some, and so on in turn.
      sink.weather = Math.floor((life - 1) / LIVES_PER_WEATHER) % 2 === 0 ? 'calm' : 'stormy';
      await oneLife(lifeOf({ ...options, target, life, url: sink.url, port }), witness);
      await sink.settled();
      if (life % 10 === 0) onProgress?.(`${life} kills, ${ledger.acknowledged} records acknowledged`);
    }
    await client?.stop();
    const left = await readSpool(port === undefined ? directory : join(directory, SIDECAR_CELL), ledger);
    const lost = ledger.lost();
    for (const text of lost.slice(0, 10)) onProgress?.(`lost: ${text}`);
    return {
      kills,
      acknowledged: ledger.acknowledged,
      spooled: witness.spooled,
      found: ledger.acknowledged - lost.length,
      lost: lost.length,
      reordered: ledger.reordered,
      duplicates: ledger.duplicates,
      ...sink.counts,
      ...left,
    };
  } finally {
    await client?.stop();
    await closeSink(sink);
  }
}

/** Who is told of each acknowledgement, by the process that is killed or by the client of the sidecar that is. */
class Witness {
  readonly rolls: Dice;
  readonly #ledger: Ledger;
  spooled = 0;
  #count = 0;
  #enough: { readonly at: number; readonly resolve: () => void } | undefined;

  constructor({ rolls, ledger }: { readonly rolls: Dice; readonly ledger: Ledger }) {
    this.rolls = rolls;
    this.#ledger = ledger;
  }

  readonly acknowledged = (how: string, text: string): void => {
    this.#ledger.acknowledge(text);
    if (how === 'spooled') this.spooled++;
    if (++this.#count >= (this.#enough?.at ?? Number.POSITIVE_INFINITY)) this.#enough?.resolve();
  };

  /** Resolves after this many more acknowledgements. */
  after(acknowledgements: number): Promise<void> {
    return new Promise((resolve) => {
      this.#enough = { at: this.#count + acknowledgements, resolve };
    });
  }
}

/** A process to be killed. */
interface Life {
  readonly number: number;
  readonly program: string;
  /** JSON. */
  readonly argument: string;
}

interface LifeOptions extends Omit<ApplicationOptions, 'target'> {
  readonly target: Exclude<TargetName, 'drain'>;
  readonly port: number | undefined;
}

function lifeOf({ target, directory, url, life: number, port }: LifeOptions): Life {
  if (target === 'sidecar') {
    const options: SidecarLifeOptions = { directory, url, port: port as number };
    return { number, program: programs.sidecar, argument: JSON.stringify(options) };
  }
  const options: ApplicationOptions = { target, directory, url, life: number };
  return { number, program: programs.application, argument: JSON.stringify(options) };
}

/**
 * Runs one process: starts it, kills it at a random moment, and reads its pipe to the end, which keeps what
 * was written before.
 */
async function oneLife({ number, program, argument }: Life, witness: Witness): Promise<void> {
  const child = spawn(process.execPath, [program, argument], { stdio: ['ignore', 'ignore', 'pipe', 'pipe'] });
  const opened = Promise.withResolvers<void>();
  const closed = once(child, 'close');
  let errors = '';
  child.stderr?.on('data', (chunk: Buffer) => {
    errors = (errors + chunk).slice(-MAX_ERROR_CHARACTERS);
  });
  const end = endOfLife(witness.rolls);
  const enough = witness.after(end.afterAcknowledgements);
  createInterface({ input: child.stdio[3] as Readable }).on('line', (line) => {
    if (line === 'open') return opened.resolve();
    const [how = '', ...name] = line.split(' ');
    // A line that was cut off was not reported: its record is not counted.
    if (name.length !== 3) return;
    witness.acknowledged(how, name.join(' '));
  });
  if (!end.whileStarting) await Promise.race([opened.promise, closed, pause(START_TIMEOUT_MS)]);
  await Promise.race([closed, enough, pause(end.afterMs)]);
  child.kill('SIGKILL');
  await closed;
  if (!diedOfKill(child)) throw new Error(`Life ${number} ended by itself (${child.exitCode}):\n${errors}`);
}

interface EndOfLife {
  readonly whileStarting: boolean;
  readonly afterMs: number;
  readonly afterAcknowledgements: number;
}

/** One life in four ends during its start, when it repairs what the last life left. */
function endOfLife(rolls: Dice): EndOfLife {
  const never = Number.POSITIVE_INFINITY;
  const kind = rolls.between(1, 4);
  if (kind === 1) {
    return { whileStarting: true, afterMs: rolls.between(0, LONGEST_START_MS), afterAcknowledgements: never };
  }
  if (kind === 2) {
    return { whileStarting: false, afterMs: rolls.between(0, LONGEST_LIFE_MS), afterAcknowledgements: never };
  }
  // Counted in acknowledgements, so that a slow machine gets as far as a fast one.
  const afterAcknowledgements = rolls.between(1, MOST_ACKNOWLEDGEMENTS);
  return { whileStarting: false, afterMs: LONGEST_COUNTED_LIFE_MS, afterAcknowledgements };
}

function pause(ms: number): Promise<void> {
  return sleep(ms, undefined, { ref: false });
}

function diedOfKill(child: ChildProcess): boolean {
  return child.signalCode === 'SIGKILL';
}

/** What is still in the spool comes after everything in the stream. */
async function readSpool(
  directory: string,
  ledger: Ledger,
): Promise<Pick<CrashResult, 'inSpool' | 'tornBytes' | 'quarantinedRanges'>> {
  const spool = await Spool.open({ directory });
  let inSpool = 0;
  try {
    for (;;) {
      const records = await spool.read({ records: 1_000, bytes: 4 * 1024 * 1024 });
      if (records.length === 0) break;
      for (const { data } of records) ledger.find(Buffer.from(data).toString());
      inSpool += records.length;
    }
    const { tornBytes, quarantinedRanges } = spool.stats();
    return { inSpool, tornBytes, quarantinedRanges };
  } finally {
    await spool.close();
  }
}

async function closeSink(sink: CrashSink): Promise<void> {
  await sink.settled();
  await sink.close();
}
