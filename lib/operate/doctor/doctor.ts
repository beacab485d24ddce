import { problemOf } from '../reading.ts';
import { capacity } from './capacity.ts';
import { type Check, type DoctorContext, type Finding, ill } from './check.ts';
import { credentials } from './credentials.ts';
import { leftover } from './leftover.ts';
import { listening } from './listening.ts';
import { observing } from './observing.ts';
import { policy } from './policy.ts';
import { healthCheckQuota } from './quota.ts';
import { resolvers } from './resolvers.ts';
import { streams } from './streams.ts';
import { versions } from './versions.ts';
import { zone } from './zone.ts';

/** In the order in which they are shown; credentials first, since the rest fails without. */
export const checks: readonly Check[] = [
  credentials,
  zone,
  resolvers,
  healthCheckQuota,
  streams,
  capacity,
  policy,
  versions,
  observing,
  leftover,
  listening,
];

const CHECK_TIMEOUT_MS = 60_000;

/** Runs every check. One that cannot be carried out is a finding: what is not known to be well is not well. */
export async function examine(
  context: DoctorContext,
  onCheck: (check: string) => void = () => {},
): Promise<readonly Finding[]> {
  const found: Finding[] = [];
  for (const check of checks) {
    onCheck(`${check.check}: ${check.purpose}`);
    found.push(...(await outcome(check, context)));
  }
  return found;
}

async function outcome({ check, run }: Check, context: DoctorContext): Promise<readonly Finding[]> {
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
    return [
      ill(
        check,
        `could not be checked: ${problemOf(error)}`,
        'Look at the credentials, their rights and the network.',
      ),
    ];
  } finally {
    clearTimeout(timer);
  }
}
