import { Resolver } from 'node:dns/promises';
import pMap from 'p-map';
import type { Role } from '../../../lambda/core/role.ts';
import { type Answered, nameKey, type PublicName, publicNames, roleOf } from '../../deployments/answers.ts';
import type { Comparison } from './compare.ts';

/** As in `dns.ts`: a busy process takes an answer that came in time for a missing one. */
const QUERY_TIMEOUT_MS = 1_000;
const TRIES = 2;
const PARALLEL = 100;

/**
 * Names that must go on answering for the region that they answer for now: those that are deployed and that
 * the config keeps, each as it is deployed and as it will be.
 */
export function keptNames(comparisons: readonly Comparison[]): ReadonlyMap<string, readonly PublicName[]> {
  const after = new Map(
    comparisons.flatMap((stack) => publicNames(stack.after)).map((name) => [nameKey(name), name] as const),
  );
  return new Map(
    comparisons
      .flatMap(({ before }) => (before === undefined ? [] : publicNames(before)))
      .flatMap((was) => {
        const is = after.get(nameKey(was));
        return is === undefined ? [] : [[nameKey(was), [is, was]] as const];
      }),
  );
}

/** Asks DNS for names, as anybody may. Never throws. */
export async function askNames(
  names: ReadonlyMap<string, readonly PublicName[]>,
  servers: readonly string[] | undefined,
): Promise<ReadonlyMap<string, Answered>> {
  const resolver = new Resolver({ timeout: QUERY_TIMEOUT_MS, tries: TRIES, maxTimeout: QUERY_TIMEOUT_MS });
  if (servers !== undefined) resolver.setServers(servers);
  const answers = await pMap(
    [...names],
    async ([key, [first]]) => [key, first === undefined ? 'silent' : await ask(resolver, first)] as const,
    { concurrency: PARALLEL },
  );
  resolver.cancel();
  return new Map(answers);
}

async function ask(resolver: Resolver, { name, type }: PublicName): Promise<Answered> {
  try {
    if (type === 'TXT') return (await resolver.resolveTxt(name)).map((chunks) => chunks.join(''));
    return (await resolver.resolve(name, type)) as string[];
  } catch (error) {
    const code = error instanceof Error && 'code' in error ? error.code : undefined;
    return code === 'ENOTFOUND' || code === 'ENODATA' ? [] : 'silent';
  }
}

/** The region of each name whose answer says one. */
export function rolesOf(
  names: ReadonlyMap<string, readonly PublicName[]>,
  answers: ReadonlyMap<string, Answered>,
): ReadonlyMap<string, Role> {
  return new Map(
    [...names].flatMap(([key, versions]) => {
      const role = roleOf(answers.get(key) ?? 'silent', versions);
      return role === undefined ? [] : [[key, role] as const];
    }),
  );
}
