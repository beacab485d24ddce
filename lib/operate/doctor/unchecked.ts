import { type CallFailure, callFailure, type FailureKind } from '../../credentials/failure.ts';
import { credentialRow } from '../../credentials/problems.ts';
import { problemOf } from '../reading.ts';
import { type Finding, type Found, ill, type Unchecked } from './check.ts';

/**
 * Pure: turns what could not be checked into findings. A region that refuses is one finding, whatever was to
 * be checked there; any other failure is one finding for each thing that was asked for.
 */
export function findingsFrom(found: readonly Found[]): readonly Finding[] {
  const refused = Map.groupBy(found.filter(isUnchecked), ({ region, error }) => refusalKey(region, error));
  const told = new Set<string>();
  return found.flatMap((one): readonly Finding[] => {
    if (!isUnchecked(one)) return [one];
    const key = refusalKey(one.region, one.error);
    if (key === undefined) return [unanswered(one)];
    if (told.has(key)) return [];
    told.add(key);
    return [refusal(refused.get(key) ?? [one])];
  });
}

const isUnchecked = (found: Found): found is Unchecked => 'error' in found;

function refusalKey(region: string, error: unknown): string | undefined {
  const { kind } = callFailure(error);
  return kind === 'credentials' || kind === 'denied' ? `${kind} ${region}` : undefined;
}

function refusal(group: readonly Unchecked[]): Finding {
  const [{ region, error }] = group as readonly [Unchecked];
  const checks = [...new Set(group.map(({ check }) => check))].join(', ');
  const failure = callFailure(error);
  if (failure.kind === 'credentials') {
    const finding = `${region} rejects these credentials, which other regions accept (${credentialRow(failure.problem).said}); not checked there: ${checks}`;
    return ill(
      'credentials',
      finding,
      `See whether the account has ${region} enabled: aws account list-regions`,
    );
  }
  const actions = new Set(group.flatMap((one) => actionOf(callFailure(one.error))));
  const what = actions.size === 0 ? 'what is needed' : [...actions].join(', ');
  const finding = `${region} does not allow ${what}${whoOf(failure)}; not checked there: ${checks}`;
  return ill('rights', finding, `Have this allowed (docs/cli.md, Rights), and run this again.`);
}

const actionOf = (failure: CallFailure): readonly string[] =>
  failure.kind === 'denied' && failure.action !== undefined ? [failure.action] : [];
const whoOf = (failure: CallFailure): string =>
  failure.kind === 'denied' && failure.who !== undefined ? ` to ${failure.who}` : '';

const AGAIN = 'Correct what the answer says, and run this again.';
const fixes: Readonly<Record<FailureKind, string>> = {
  silent: 'Look at the network here and at the health of the region, and run this again.',
  missing: 'Deploy it, or correct its name in the config, and run this again.',
  credentials: AGAIN,
  denied: AGAIN,
  unusable: AGAIN,
  other: AGAIN,
};

function unanswered({ check, what, error }: Unchecked): Finding {
  const subject = what === undefined ? '' : `${what} `;
  return ill(check, `${subject}could not be checked: ${problemOf(error)}`, fixes[callFailure(error).kind]);
}
