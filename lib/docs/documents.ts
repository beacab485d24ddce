import { observerRegions } from '../config/config.ts';
import { defaultMonitoring, defaultPolicy, defaultRegions, defaultVotesToEvacuate } from '../config/defaults.ts';
import { conductorDocument } from './conductor.ts';
import { diagnosesDocument } from './diagnoses.ts';
import { lifecycleDocument } from './lifecycle.ts';
import { monitoringDocument } from './monitoring.ts';
import { runbookDocument } from './runbook.ts';

const policy = {
  ...defaultPolicy,
  votesToEvacuate: defaultVotesToEvacuate(observerRegions(defaultRegions).length),
};

const config = { regions: defaultRegions, policy, monitoring: defaultMonitoring };

/** Everything in `docs/` that is generated from tables. */
export const documents: readonly { readonly file: string; readonly text: string }[] = [
  { file: 'diagnoses.md', text: diagnosesDocument(policy) },
  { file: 'lifecycle.md', text: lifecycleDocument() },
  { file: 'conductor.md', text: conductorDocument() },
  { file: 'runbook.md', text: runbookDocument(config) },
  { file: 'monitoring.md', text: monitoringDocument(config) },
];
