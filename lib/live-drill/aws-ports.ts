import { setTimeout as sleep } from 'node:timers/promises';
import type { KinesisClient } from '@aws-sdk/client-kinesis';
import type { SFNClient } from '@aws-sdk/client-sfn';
import type { DynamoDBDocumentClient } from '@aws-sdk/lib-dynamodb';
import type { DrillFacts } from '../../lambda/core/drill.ts';
import { shortfalls } from '../../lambda/core/fitness.ts';
import { signalRecordName, stateTableName, voteTableName } from '../../lambda/core/names.ts';
import { roleOf } from '../observers/former-record.ts';
import { readReports } from '../observers/reports.ts';
import { runState, startConductor } from '../operate/conductor.ts';
import { problemOf } from '../operate/reading.ts';
import { RenewingResolver } from '../resolver/renewing-resolver.ts';
import type { DrillTarget } from '../settings/drill.ts';
import { StateTable } from '../state/state-table.ts';
import { LiveDrillError } from './errors.ts';
import type { LiveDrillPorts } from './ports.ts';
import { type DrillProducerOptions, startDrillProducer } from './producer.ts';
import { readIds } from './read-stream.ts';

export interface AwsPortsOptions
  extends Pick<LiveDrillPorts, 'publish' | 'say'>,
    Pick<DrillProducerOptions, 'dnsServers' | 'connection'> {
  /** The id of the plan, which tells the records of this drill from all others. */
  readonly id: string;
  readonly target: DrillTarget;
  readonly account: string | undefined;
  readonly documents: (region: string) => DynamoDBDocumentClient;
  readonly kinesis: (region: string) => KinesisClient;
  readonly stepFunctions: SFNClient;
}

const TABLE_TIMEOUT_MS = 3_000;
const DNS_TIMEOUT_MS = 1_000;

/** A drill's ports to AWS and DNS, the same for the command and for the function. */
export function awsPorts(options: AwsPortsOptions): LiveDrillPorts {
  const { target, account, stepFunctions, id, publish, say } = options;
  const { name, primary, standby, group, streams } = target;
  const state = new StateTable({
    client: options.documents(standby),
    table: stateTableName(name),
    timeoutMs: TABLE_TIMEOUT_MS,
  });
  const sources = target.observers.map((region) => ({
    region,
    client: options.documents(region),
    table: voteTableName(name),
  }));
  const idPrefix = `drill-${id}-`;
  const readPosition = async (): Promise<DrillFacts['position']> => {
    const [stored] = await state.readSwitches({ from: group, to: group });
    return stored?.position ?? 'PRIMARY';
  };
  const askSignal = signalAsker(options);
  const unreadable = (): 'unreadable' => 'unreadable';
  return {
    nowMs: () => Date.now(),
    sleep: (ms) => sleep(ms),
    askSignal,
    readPosition,
    readFacts: async () => {
      const [control, lease, newestEpoch, capacities, position, reports, answer] = await Promise.all([
        state.readControl().catch(unreadable),
        state.readLease().catch(unreadable),
        state.newestEpoch().catch(unreadable),
        state.readCapacities().catch(() => []),
        readPosition().catch(unreadable),
        readReports(sources, Date.now),
        askSignal(),
      ]);
      const { policy, observers } = target;
      const own = capacities.filter((capacity) => capacity.cell === target.cell);
      const primaryShortfalls = shortfalls(own, 'primary');
      const read = { control, lease, newestEpoch, primaryShortfalls, position, reports, answer };
      return { nowMs: Date.now(), policy, standby, observers, ...read };
    },
    claimEpoch: (claim) => state.claimEpoch(claim),
    start: (input) =>
      startConductor({
        client: stepFunctions,
        config: { name, regions: { standby } },
        account,
        input,
      }).catch((error: unknown) => {
        // The error's own message says how to go on without the conductor, which is for emergencies only.
        throw new LiveDrillError(`the conductor was not started: ${problemOf(error)}`);
      }),
    runState: (executionArn) => runState(stepFunctions, executionArn),
    startProducer: () => startDrillProducer({ ...options, idPrefix }),
    readBack: async (sinceMs) => {
      const found = await Promise.all([
        readIds({ client: options.kinesis(primary), streamName: streams.primary, sinceMs, prefix: idPrefix }),
        readIds({ client: options.kinesis(standby), streamName: streams.standby, sinceMs, prefix: idPrefix }),
      ]);
      return new Set(found.flat());
    },
    journal: (entry, entryId) => state.journal(entry, entryId),
    publish,
    say,
  };
}

/** Asks for the signal as producers do, and so sees what they see. */
function signalAsker({ target, dnsServers }: AwsPortsOptions): LiveDrillPorts['askSignal'] {
  const { cell, zoneName, primary, standby } = target;
  const resolver = new RenewingResolver({ servers: dnsServers, timeoutMs: DNS_TIMEOUT_MS });
  const name = signalRecordName(cell, zoneName);
  return async () => {
    const read = (texts: readonly (readonly string[])[]) => roleOf(texts, { primary, standby });
    return (await resolver.ask({ name, read })) ?? 'unknown';
  };
}
