import { signalRecordName } from '../../lambda/core/names.ts';
import { FailoverProducer, type ProducerOptions } from '../producer/index.ts';
import type { DrillTarget } from '../settings/drill.ts';
import type { DrillProducer, DrillPut } from './ports.ts';

export interface DrillProducerOptions {
  readonly target: DrillTarget;
  /** Begins the id of each record, which is its data. */
  readonly idPrefix: string;
  readonly dnsServers?: readonly string[];
  readonly connection?: Pick<ProducerOptions, 'endpoint' | 'credentials'>;
}

const NAME = 'drill';
const PUT_EVERY_MS = 200;
const KEYS = 20;
/** With no answers for 40 s nothing more would be learnt from further puts. */
const MAX_PENDING = 200;
const CLOSE_TIMEOUT_MS = 20_000;

/** An application like any other, with the producer that applications use; it writes five records a second. */
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
      // Not acknowledged, and so not promised: what the drill counts are receipts.
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
