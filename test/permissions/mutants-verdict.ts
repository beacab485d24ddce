import type { Mutant } from './mutant.ts';

/** A mutant, and whether the check noticed it. */
export interface Tried extends Pick<Mutant, 'kind' | 'name'> {
  readonly killed: boolean;
}

/**
 * Why the mutants prove nothing, or not enough; empty: each of them was noticed, and there was one of every kind. A kind
 * without mutants is one whose finder no longer fits the templates, and none of none would otherwise count as all.
 */
export function mutantProblems(kinds: readonly string[], tried: readonly Tried[]): readonly string[] {
  const found = new Set(tried.map(({ kind }) => kind));
  return [
    ...(kinds.length === 0 ? ['there is no kind of mutants'] : []),
    ...kinds.filter((kind) => !found.has(kind)).map((kind) => `no mutant of the kind ${kind} was found`),
    ...tried.filter(({ killed }) => !killed).map(({ kind, name }) => `SURVIVES  ${kind}: ${name}`),
  ];
}
