import { signalRecordName } from '../../lambda/core/names.ts';
import { FailoverProducer, type ProducerOptions } from '../producer/index.ts';
import type { DrillTarget } from '../settings/drill.ts';
import type { DrillProducer, DrillPut } from './ports.ts';

export interface DrillProducerOptions {
  readonly target: DrillTarget;
  /** Prefix of each record's id; the id is the record's data. */
  readonly idPrefix: string;
  readonly dnsServers?: readonly string[];
  readonly connection?: Pick<ProducerOptions, 'endpoint' | 'credentials'>;
}

const NAME = 'drill';
const PUT_EVERY_MS = 200;
const KEYS = 20;
/** After 40 s without answers, further puts would show nothing new. */
const MAX_PENDING = 200;
const CLOSE_TIMEOUT_MS = 20_000;

/**
 * Starts an application like any other, with the producer that applications use, which writes five records a
 * second.
 */
export function startDrillProducer(options: DrillProducerOptions): DrillProducer {
  const { target, idPrefix, dnsServers, connection = {} } = options;
  const producer = new FailoverProducer({
    ...connection,
    signal: {
      name: signalRecordName(target.cell, target.zoneName),
      pollMs: target.producerPollMs,
      ...(dnsServers === undefined ? {} : { servers: dnsServers }),
    },
    regions: [target.primary, target.standby],
    telemetry: false,
  });
  const acknowledged: DrillPut[] = [];
  let offered = 0;
  let pending = 0;
  const put = async (id: string, key: number): Promise<void> => {
    pending++;
    try {
      const receipt = await producer.put({ partitionKey: `${idPrefix}${key}`, data: id });
      if (!receipt.spooled)
        acknowledged.push({ id, producer: NAME, region: receipt.region, atMs: Date.now() });
    } catch {
      // This record was not acknowledged, so nothing was promised: the drill counts receipts.
    } finally {
      pending--;
    }
  };
  const timer = setInterval(() => {
    if (pending >= MAX_PENDING) return;
    offered++;
    void put(`${idPrefix}${offered}`, offered % KEYS);
  }, PUT_EVERY_MS);
  return {
    name: NAME,
    acknowledged,
    stop: () => {
      clearInterval(timer);
      return producer.close({ timeoutMs: CLOSE_TIMEOUT_MS });
    },
  };
}
