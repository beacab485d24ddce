import type { KinesisClient } from '@aws-sdk/client-kinesis';
import { probeRecord } from '../../lib/envelope/probe-record.ts';
import { looksHarder } from '../core/observation.ts';
import type { ProbeOutcome } from '../core/probe.ts';
import type { Role } from '../core/role.ts';
import { type StreamOutcomes, streamOperation } from '../core/stream-evidence.ts';
import type { StreamProbe } from '../core/stream-plan.ts';
import { measure } from './measure.ts';
import { putBy } from './put.ts';

export interface ProbedStreams {
  /** Clients of their own: puts to a stream that does not answer must not hold up those to the canary. */
  readonly kinesis: Readonly<Record<Role, KinesisClient>>;
  /** Name of the observer in the marked records. */
  readonly observer: string;
  /** The cells' streams, by cell. */
  readonly streams: ReadonlyMap<string, Readonly<Record<Role, string>>>;
}

export interface StreamsRequest {
  readonly due: readonly StreamProbe[];
  readonly timeoutMs: number;
  readonly nowMs: number;
  /** Rounds of this observer before this one: operations and shards take turns. */
  readonly ticks: number;
}

/**
 * Puts marked records into the cells' own streams, each in a call of its own, all streams at once. Takes at most two
 * time-outs, and never throws: a failure is an outcome.
 */
export async function probeStreams(
  probed: ProbedStreams,
  request: StreamsRequest,
): Promise<readonly StreamOutcomes[]> {
  const rounds = request.due.map((probe) => probeCell(probed, probe, request));
  return (await Promise.all(rounds)).flatMap((outcomes) => outcomes ?? []);
}

async function probeCell(
  { kinesis, observer, streams }: ProbedStreams,
  { cell, firstPuts, morePuts, standbyPuts }: StreamProbe,
  { timeoutMs, nowMs, ticks }: StreamsRequest,
): Promise<StreamOutcomes | undefined> {
  const names = streams.get(cell);
  if (names === undefined) return undefined;
  const put = async (role: Role, n: number): Promise<ProbeOutcome> => {
    const place = ticks * (firstPuts + morePuts) + n;
    const { partitionKey, data } = probeRecord({ observer, atMs: nowMs, place });
    const operation = streamOperation(n);
    const record = { PartitionKey: partitionKey, Data: data };
    const { outcome } = await measure(timeoutMs, (abortSignal) =>
      putBy(operation, { kinesis: kinesis[role], stream: names[role], record, abortSignal }),
    );
    return outcome;
  };
  const puts = (role: Role, from: number, count: number): Promise<readonly ProbeOutcome[]> =>
    Promise.all(Array.from({ length: count }, (_, n) => put(role, from + n)));
  const [first, standby] = await Promise.all([
    puts('primary', 0, firstPuts),
    puts('standby', 0, standbyPuts),
  ]);
  const more = looksHarder(first) ? await puts('primary', firstPuts, morePuts) : [];
  return { cell, primary: [...first, ...more], standby };
}
