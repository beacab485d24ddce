import { beacons } from './beacons.ts';
import { capacity } from './capacity.ts';
import { cellsAlone } from './cells-alone.ts';
import type { Check, DoctorContext, Finding, Found } from './check.ts';
import { lambdaConcurrency } from './concurrency.ts';
import { consumers } from './consumers.ts';
import { credentials, examineCredentials } from './credentials.ts';
import { endpoints } from './endpoints.ts';
import { hiddenNames } from './hidden-names.ts';
import { leftover } from './leftover.ts';
import { listening } from './listening.ts';
import { observing } from './observing.ts';
import { policy } from './policy.ts';
import { probes } from './probes.ts';
import { healthCheckQuota } from './quota.ts';
import { resolvers } from './resolvers.ts';
import { roleCheck } from './role.ts';
import { streams } from './streams.ts';
import { findingsFrom } from './unchecked.ts';
import { versions } from './versions.ts';
import { zone } from './zone.ts';

/** In the order in which they are shown. */
export const checks: readonly Check[] = [
  credentials,
  zone,
  hiddenNames,
  resolvers,
  healthCheckQuota,
  lambdaConcurrency,
  streams,
  consumers,
  capacity,
  policy,
  probes,
  beacons,
  versions,
  observing,
  endpoints,
  cellsAlone,
  leftover,
  listening,
];

const CHECK_TIMEOUT_MS = 60_000;

/**
 * Runs every check. A check that cannot be carried out is a finding: what is not known to be well is not
 * well. With credentials that do not work here, that is the only finding.
 */
export async function examine(
  context: DoctorContext,
  onCheck: (check: string) => void = () => {},
): Promise<readonly Finding[]> {
  onCheck(`${credentials.check}: ${credentials.purpose}`);
  const first = await examineCredentials(context);
  const found: Found[] = [...first.found];
  const asked = context.role === undefined ? checks : [roleCheck];
  for (const check of first.useless ? [] : asked.filter((one) => one !== credentials)) {
    onCheck(`${check.check}: ${check.purpose}`);
    found.push(...(await outcome(check, context)));
  }
  return findingsFrom(found);
}

async function outcome({ check, run, region }: Check, context: DoctorContext): Promise<readonly Found[]> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_resolve, reject) => {
    timer = setTimeout(
      () => reject(new Error(`no answer within ${CHECK_TIMEOUT_MS / 1_000} s`)),
      CHECK_TIMEOUT_MS,
    );
  });
  try {
    return await Promise.race([run(context), late]);
  } catch (error) {
    return [{ check, region: region(context.config), error }];
  } finally {
    clearTimeout(timer);
  }
}
