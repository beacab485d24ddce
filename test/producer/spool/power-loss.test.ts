import { cp, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { type Disk, realDisk } from '../../../lib/producer/spool/disk.ts';
import { Spool } from '../../../lib/producer/spool/spool.ts';
import { entry, readTexts } from './entries.ts';

const SECTOR_BYTES = 512;
const CALLS = 40;

/** What the medium has of a write that was under way: any mixture of its sectors, or less than the file's new length. */
interface Loss {
  /** The write that the power goes at: of a segment's header, of a group, or of the cursor. */
  readonly atWrite: number;
  readonly keptBytes: number;
  readonly sectors: readonly ('new' | 'zero' | 'noise')[];
}

const loss: fc.Arbitrary<Loss> = fc.record({
  atWrite: fc.integer({ min: 1, max: CALLS }),
  keptBytes: fc.nat({ max: 4_000 }),
  sectors: fc.array(fc.constantFrom('new' as const, 'zero' as const, 'noise' as const), {
    minLength: 8,
    maxLength: 8,
  }),
});

/** Writes through to the real disk until the power goes; from then on nothing completes. */
class FailingPower implements Disk {
  readonly #loss: Loss;
  readonly #off = Promise.withResolvers<never>();
  #writes = 0;
  isOff = false;
  readonly wentOff = Promise.withResolvers<false>();

  constructor(to: Loss) {
    this.#loss = to;
    this.#off.promise.catch(() => {});
  }

  open = realDisk.open;
  cutDurably = (file: Parameters<Disk['cutDurably']>[0], size: number): Promise<void> =>
    this.isOff ? this.#off.promise : realDisk.cutDurably(file, size);

  writeDurably: Disk['writeDurably'] = async (file, bytes, offset) => {
    if (this.isOff) return this.#off.promise;
    if (++this.#writes < this.#loss.atWrite) return realDisk.writeDurably(file, bytes, offset);
    const kept = Buffer.from(bytes.subarray(0, this.#loss.keptBytes));
    this.#loss.sectors.forEach((fate, index) => {
      const sector = kept.subarray(index * SECTOR_BYTES, (index + 1) * SECTOR_BYTES);
      if (fate !== 'new') sector.fill(fate === 'zero' ? 0 : 0xe5);
    });
    await realDisk.writeDurably(file, kept, offset);
    this.isOff = true;
    this.wentOff.resolve(false);
    return this.#off.promise;
  };

  /** Lets what hangs fail, so that the spool can be closed. */
  giveUp(): void {
    this.isOff = true;
    this.#off.reject(new Error('power loss'));
  }
}

let parent: string;

beforeEach(async () => {
  parent = await mkdtemp(join(tmpdir(), 'spillway-power-'));
});
afterEach(async () => {
  await rm(parent, { recursive: true, force: true });
});

/** Appends, reads and acknowledges until the power goes. What was promised by then must be on the medium. */
async function runUntil(
  power: FailingPower,
  directory: string,
): Promise<{ promised: readonly string[]; inKinesis: ReadonlySet<string> }> {
  const opening = Spool.open({ directory, segmentBytes: 4096, maxBytes: 1024 * 1024 }, power);
  const promised: string[] = [];
  const inKinesis = new Set<string>();
  let call = 0;
  let inTime = await orOff(opening, power);
  while (inTime && call < CALLS) {
    const spool = await opening;
    const texts = Array.from({ length: 1 + (call % 5) }, (_, index) =>
      `${call}.${index}`.padEnd(50 + 37 * call),
    );
    const appended = Promise.all(
      texts.map(async (text) => {
        await spool.append([entry(text)]);
        promised.push(text);
      }),
    );
    appended.catch(() => {});
    inTime = await orOff(appended, power);
    if (inTime && call % 3 === 2) {
      const records = await spool.read({ records: 4, bytes: 100_000 });
      for (const { data } of records) inKinesis.add(Buffer.from(data).toString());
      const last = records.at(-1);
      const acknowledged = last === undefined ? Promise.resolve() : spool.acknowledge(last.position);
      acknowledged.catch(() => {});
      inTime = await orOff(acknowledged, power);
    }
    call++;
  }
  const snapshot = { promised: [...promised], inKinesis };
  await cp(directory, join(parent, 'medium'), { recursive: true });
  power.giveUp();
  await opening.then(
    (spool) => spool.close(),
    () => {},
  );
  return snapshot;
}

/** Whether the work was done before the power went. */
async function orOff(work: Promise<unknown>, power: FailingPower): Promise<boolean> {
  const done = work.then(
    () => true,
    () => false,
  );
  return (await Promise.race([done, power.wentOff.promise])) && !power.isOff;
}

describe('a power loss during any write', () => {
  it('loses nothing that was acknowledged, and keeps the order', async () => {
    await fc.assert(
      fc.asyncProperty(loss, async (how) => {
        for (const name of ['live', 'medium']) await rm(join(parent, name), { recursive: true, force: true });
        const { promised, inKinesis } = await runUntil(new FailingPower(how), join(parent, 'live'));
        const spool = await Spool.open({ directory: join(parent, 'medium') });
        const found = await readTexts(spool);
        await spool.append([entry('the next one')]);
        expect(await readTexts(spool)).toEqual(['the next one']);
        await spool.close();
        expect(promised.filter((text) => !inKinesis.has(text) && !found.includes(text))).toEqual([]);
        const inOrder = promised.filter((text) => found.includes(text));
        expect(found.filter((text) => promised.includes(text))).toEqual(inOrder);
      }),
      { numRuns: 60 },
    );
  }, 30_000);
});
