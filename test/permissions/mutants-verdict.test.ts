import { expect, test } from 'vitest';
import { mutantProblems, type Tried } from './mutants-verdict.ts';

const tried = (kind: string, killed = true): Tried => ({ kind, name: `${kind} of a role`, killed });

test('mutants that are all noticed, of every kind, are no problem', () => {
  expect(mutantProblems(['statement', 'trust'], [tried('statement'), tried('trust')])).toEqual([]);
});

test('no mutants at all prove nothing, and are not all of them', () => {
  expect(mutantProblems(['statement'], [])).toEqual(['no mutant of the kind statement was found']);
  expect(mutantProblems([], [])).toEqual(['there is no kind of mutants']);
});

test('a kind of which none is found is a problem, though all others are noticed', () => {
  expect(mutantProblems(['statement', 'trust'], [tried('statement')])).toEqual([
    'no mutant of the kind trust was found',
  ]);
});

test('one that survives is named', () => {
  expect(mutantProblems(['trust'], [tried('trust'), tried('trust', false)])).toEqual([
    'SURVIVES  trust: trust of a role',
  ]);
});
