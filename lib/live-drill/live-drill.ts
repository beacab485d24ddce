import { type DrillRefusal, type DrillResult, drillRefusals, resultEntry } from '../../lambda/core/drill.ts';
import { drillId } from '../../lambda/core/journal.ts';
import { LiveDrillRefusedError, sayProblem } from './errors.ts';
import { defaultLimits, type LiveDrillPlan, type LiveDrillPorts } from './ports.ts';
import { type PutBack, putBack } from './put-back.ts';
import type { Trace } from './trace.ts';
import { wayOut } from './way-out.ts';

export type LiveDrillEnd =
  /** Nothing was moved. */
  | { readonly end: 'refused'; readonly refusals: readonly DrillRefusal[] }
  | { readonly end: 'result'; readonly result: DrillResult };

/** The clocks of the streams and of this machine may differ by this much. */
const CLOCKS_APART_MS = 300_000;

/** The command that moves the cell back when the drill could not. */
export const nextCommandFor = (cell: string): string =>
  `spillway failback --cells ${cell} --reason "after a drill"`;

/**
 * Moves the drill cell to the standby and back, both through the conductor, with a producer that follows the
 * cell's signal, and reports how long each move took and whether every acknowledged record is there. From the
 * moment the conductor is asked, the drill ends by moving the cell back, whatever happens. Throws only when
 * its own producer cannot be started.
 */
export async function liveDrill(plan: LiveDrillPlan, ports: LiveDrillPorts): Promise<LiveDrillEnd> {
  const refusals = drillRefusals(await ports.readFacts());
  if (refusals.length > 0) return { end: 'refused', refusals };
  const startedAtMs = ports.nowMs();
  const trace: Trace = {
    plan,
    ports,
    limits: { ...defaultLimits, ...plan.limits },
    producer: ports.startProducer(),
    startedAtMs,
    mayBeAway: false,
    rtoMs: null,
    flipMs: null,
    latchedMs: null,
    failures: [],
  };
  try {
    await wayOut(trace);
  } catch (error) {
    if (error instanceof LiveDrillRefusedError) {
      await trace.producer.stop().catch(() => {});
      return { end: 'refused', refusals: error.refusals };
    }
    trace.failures.push(sayProblem(error));
    ports.say(`${sayProblem(error)}${trace.mayBeAway ? '; the cell is being moved back' : ''}`);
  }
  const back = trace.mayBeAway ? await putBack(trace) : { ok: true, ms: null };
  return { end: 'result', result: await conclude(trace, back) };
}

async function conclude(trace: Trace, failback: PutBack): Promise<DrillResult> {
  const { plan, ports, producer, failures } = trace;
  await producer.stop().catch((error: unknown) => failures.push(`the producer: ${sayProblem(error)}`));
  const records = await countRecords(trace);
  const { rtoMs, flipMs, latchedMs } = trace;
  const resultNow = (): DrillResult => ({
    ok: failures.length === 0,
    cell: plan.cell,
    rtoMs,
    flipMs,
    latchedMs,
    failback,
    records,
    failures: [...failures],
    ...(failback.ok ? {} : { nextCommand: nextCommandFor(plan.cell) }),
  });
  const { ok } = resultNow();
  const author = { owner: plan.owner, reason: plan.reason, group: plan.group, atMs: ports.nowMs() };
  await ports
    .journal(resultEntry(author, resultNow()), drillId(plan.id))
    .catch((error: unknown) => failures.push(`the journal could not be written: ${sayProblem(error)}`));
  await ports
    .publish({ DrillSuccess: Number(ok), ...(rtoMs === null ? {} : { DrillRto: rtoMs }) })
    .catch((error: unknown) => failures.push(`the metrics were not published: ${sayProblem(error)}`));
  return resultNow();
}

/**
 * Compares receipts with what is in the streams. Missing records are looked for a few times, because reads
 * lag behind writes.
 */
async function countRecords(trace: Trace): Promise<DrillResult['records']> {
  const { ports, limits, producer, startedAtMs, failures } = trace;
  const ids = new Set(producer.acknowledged.map(({ id }) => id));
  let delivered = 0;
  let problem: string | undefined;
  for (let n = 1; n <= limits.readBackAttempts && delivered < ids.size; n++) {
    if (n > 1) await ports.sleep(limits.readBackRetryMs);
    try {
      delivered = ids.intersection(await ports.readBack(startedAtMs - CLOCKS_APART_MS)).size;
      problem = undefined;
    } catch (error) {
      problem = sayProblem(error);
    }
  }
  const lost = ids.size - delivered;
  if (problem !== undefined) failures.push(`the streams could not be read back: ${problem}`);
  else if (lost > 0) failures.push(`${lost} acknowledged records are in neither stream`);
  return { acknowledged: ids.size, delivered, lost };
}
