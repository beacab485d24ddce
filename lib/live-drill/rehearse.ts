import { PutRecordsCommand } from '@aws-sdk/client-kinesis';
import { type DrillResult, resultEntry } from '../../lambda/core/drill.ts';
import { drillId } from '../../lambda/core/journal.ts';
import type { AwsClients } from '../operate/clients.ts';
import type { DrillTarget } from '../settings/drill.ts';
import type { LiveDrillPlan, LiveDrillPorts } from './ports.ts';

export interface Rehearsal {
  readonly plan: LiveDrillPlan;
  readonly ports: LiveDrillPorts;
  readonly target: DrillTarget;
  readonly clients: AwsClients;
  readonly nowMs: number;
}

/**
 * Makes each call once, through the ports that the drill uses; a call that a drill repeats is made once, too.
 */
export async function rehearse({ plan, ports, target, clients, nowMs }: Rehearsal): Promise<DrillResult> {
  const { id, cell, group, owner, reason, primary, standby } = plan;
  const { streams } = target;
  await ports.readFacts();
  const Records = [{ PartitionKey: `drill-${id}-1`, Data: new Uint8Array() }];
  const put = (region: string, StreamName: string) =>
    clients.kinesis(region).send(new PutRecordsCommand({ StreamName, Records }));
  await put(primary, streams.primary);
  const common = { groups: [group], owner: `drill by ${owner}`, reason };
  const out = await ports.claimEpoch({ claim: `drill:${id}`, who: owner, what: 'drill', atMs: nowMs });
  const there = await ports.start({ action: 'evacuate', trigger: 'asked', epoch: out, ...common });
  await ports.runState(there.executionArn);
  await put(standby, streams.standby);
  const what = 'drill failback';
  const back = await ports.claimEpoch({ claim: `drill:${id}:back-1`, who: owner, what, atMs: nowMs });
  const home = await ports.start({ action: 'failback', epoch: back + 1, pauseSeconds: 60, ...common });
  await ports.runState(home.executionArn);
  await ports.readBack(nowMs);
  const none = { rtoMs: null, flipMs: null, latchedMs: null, failback: { ok: true, ms: null } };
  const records = { acknowledged: 0, delivered: 0, lost: 0 };
  const result: DrillResult = { ok: true, cell, ...none, records, failures: [] };
  await ports.journal(resultEntry({ owner, reason, group, atMs: nowMs }, result), drillId(id));
  await ports.publish({ DrillSuccess: 1, DrillRto: 0 });
  return result;
}
