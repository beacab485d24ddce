import { type Cell, observerRegions } from '../config/config.ts';
import {
  defaultDrillOverdueDays,
  defaultMonitoring,
  defaultPolicy,
  defaultRegions,
  defaultVotesToEvacuate,
} from '../config/defaults.ts';
import { assumptionsDocument } from './assumptions.ts';
import { conductorDocument } from './conductor.ts';
import { configDocument } from './config.ts';
import { consumerFindingsDocument } from './consumer-findings.ts';
import { deployDocument } from './deploy.ts';
import { deploymentsDocument } from './deployments.ts';
import { diagnosesDocument } from './diagnoses.ts';
import { lifecycleDocument } from './lifecycle.ts';
import { monitoringDocument } from './monitoring.ts';
import { orderDocument } from './order.ts';
import { permissionsDocument } from './permissions.ts';
import { runbookDocument } from './runbook.ts';
import { scenariosDocument } from './scenarios.ts';

const policy = {
  ...defaultPolicy,
  votesToEvacuate: defaultVotesToEvacuate(observerRegions(defaultRegions).length),
};

/** With weekly drills and a consumer: without them, alarms would be missing. */
const monitoring = { ...defaultMonitoring, drillOverdueDays: defaultDrillOverdueDays };
const both = (name: string) => ({ primary: name, standby: name });
const cell: Cell = {
  ...{ name: 'orders', group: 'orders', probe: 'never', services: [] },
  streams: { primary: { name: 'orders', create: false }, standby: { name: 'orders', create: false } },
  consumers: [{ kind: 'lambda', name: both('orders-indexer'), takes: [] }],
};
const config = { regions: defaultRegions, policy, monitoring, cells: [cell] };

/** Everything in `docs/` that is generated from tables. */
export const documents: readonly { readonly file: string; readonly text: string }[] = [
  { file: 'diagnoses.md', text: diagnosesDocument(policy) },
  { file: 'lifecycle.md', text: lifecycleDocument() },
  { file: 'conductor.md', text: conductorDocument() },
  { file: 'config.md', text: configDocument() },
  { file: 'consumer-findings.md', text: consumerFindingsDocument() },
  { file: 'deployments.md', text: deploymentsDocument() },
  { file: 'scenarios.md', text: scenariosDocument() },
  { file: 'runbook.md', text: runbookDocument(config) },
  { file: 'order.md', text: orderDocument() },
  { file: 'permissions.md', text: permissionsDocument() },
  { file: 'deploy.md', text: deployDocument() },
  { file: 'monitoring.md', text: monitoringDocument(config) },
  { file: 'assumptions.md', text: assumptionsDocument() },
];
