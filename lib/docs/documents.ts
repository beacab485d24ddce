import { observerRegions } from '../config/config.ts';
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

/** With weekly drills: without them, one alarm would be missing. */
const monitoring = { ...defaultMonitoring, drillOverdueDays: defaultDrillOverdueDays };
const config = { regions: defaultRegions, policy, monitoring };

/** Everything in `docs/` that is generated from tables. */
export const documents: readonly { readonly file: string; readonly text: string }[] = [
  { file: 'diagnoses.md', text: diagnosesDocument(policy) },
  { file: 'lifecycle.md', text: lifecycleDocument() },
  { file: 'conductor.md', text: conductorDocument() },
  { file: 'config.md', text: configDocument() },
  { file: 'deployments.md', text: deploymentsDocument() },
  { file: 'scenarios.md', text: scenariosDocument() },
  { file: 'runbook.md', text: runbookDocument(config) },
  { file: 'order.md', text: orderDocument() },
  { file: 'permissions.md', text: permissionsDocument() },
  { file: 'deploy.md', text: deployDocument() },
  { file: 'monitoring.md', text: monitoringDocument(config) },
  { file: 'assumptions.md', text: assumptionsDocument() },
];
