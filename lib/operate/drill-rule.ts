import { randomUUID } from 'node:crypto';
import {
  DescribeRuleCommand,
  DisableRuleCommand,
  EnableRuleCommand,
  type EventBridgeClient,
  ResourceNotFoundException,
} from '@aws-sdk/client-eventbridge';
import { drillRuleName } from '../../lambda/core/names.ts';
import type { DrillSchedule } from '../config/drill-schedule.ts';
import type { StateTable } from '../state/state-table.ts';
import { journaled } from './apply-control.ts';
import { UsageError } from './errors.ts';

export interface ScheduleChange {
  readonly client: EventBridgeClient;
  readonly table: StateTable;
  /** Name of the deployment. */
  readonly name: string;
  readonly schedule: DrillSchedule;
  readonly who: string;
  readonly why: string;
  readonly atMs: number;
}

export interface ScheduleEnd {
  readonly rule: string;
  readonly before: DrillSchedule | 'unknown';
  readonly after: DrillSchedule;
  /** Why the journal could not be written, if so: the rule is set all the same. */
  readonly unjournaled?: string;
}

const CALL_TIMEOUT_MS = 5_000;

/**
 * Turns the deployed rule on or off, and journals the change. @throws UsageError when no such rule is
 * deployed
 */
export async function setDrillSchedule(change: ScheduleChange): Promise<ScheduleEnd> {
  const { client, table, name, schedule, who, why, atMs } = change;
  const rule = drillRuleName(name);
  const limit = () => ({ abortSignal: AbortSignal.timeout(CALL_TIMEOUT_MS) });
  try {
    const { State } = await client.send(new DescribeRuleCommand({ Name: rule }), limit());
    const before = State === undefined ? 'unknown' : State === 'DISABLED' ? 'off' : 'weekly';
    const Command = schedule === 'weekly' ? EnableRuleCommand : DisableRuleCommand;
    await client.send(new Command({ Name: rule }), limit());
    const entry = { atMs, who, what: 'schedule', why, before: { drill: before }, after: { drill: schedule } };
    const unjournaled = await journaled(() => table.journal(entry, randomUUID()));
    return { rule, before, after: schedule, ...(unjournaled === undefined ? {} : { unjournaled }) };
  } catch (error) {
    if (!(error instanceof ResourceNotFoundException)) throw error;
    throw new UsageError(`There is no rule ${rule}: name a cell for drills in the config, and deploy.`, {
      cause: error,
    });
  }
}
