import { readFile } from 'node:fs/promises';
import { expect, test } from 'vitest';
import { conductorSteps, runEnds } from '../../lambda/core/conductor.ts';
import { diagnosisCodes } from '../../lambda/core/diagnosis.ts';
import { transitions, voteOf } from '../../lambda/core/lifecycle.ts';
import { documents } from '../../lib/docs/documents.ts';
import { operatorRights, rightsOfVerbs } from '../../lib/permissions/operator.ts';

test.each(documents)('docs/$file is what the tables say: else run npm run docs', async ({ file, text }) => {
  expect(await readFile(`docs/${file}`, 'utf8')).toBe(text);
});

test('the documentation has a line for every diagnosis and every transition', () => {
  const [diagnoses, lifecycle] = documents.map(({ text }) => text.split('\n'));
  for (const code of diagnosisCodes) {
    expect(diagnoses?.filter((line) => line.startsWith(`| ${code} |`))).toHaveLength(1);
  }
  for (const { from, event, to, action } of transitions) {
    const start = new RegExp(`^\\| ${from} \\| ${event} \\| [\\w, ]*\\| ${to} \\| ${action} \\|`);
    expect(lifecycle?.some((line) => start.test(line))).toBe(true);
  }
  const arrows = new Set(lifecycle?.flatMap((line) => /^ {2}(\w+ --> \w+):/.exec(line)?.[1] ?? []));
  for (const { from, to } of transitions) {
    // One that leaves every phase of HOLD alike is drawn once, from the box around them.
    const drawn = [`${from} --> ${to}`, ...(voteOf(from) === 'HOLD' ? [`holding --> ${to}`] : [])];
    expect(from === to || drawn.some((arrow) => arrows.has(arrow)), `${from} to ${to}`).toBe(true);
  }
});

test('the documentation has a line for every step of the conductor, and for every state it may leave behind', () => {
  const lines = documents.find(({ file }) => file === 'conductor.md')?.text.split('\n') ?? [];
  const count = (first: string): number => lines.filter((line) => line.startsWith(`| ${first} |`)).length;
  for (const { step } of conductorSteps) expect(count(step), step).toBe(1);
  for (const { state } of runEnds) expect(count(state), state).toBe(1);
  for (const { whenItFails } of conductorSteps)
    expect(count(whenItFails.state), whenItFails.state).toBeGreaterThan(0);
});

const textOf = (name: string): string => documents.find(({ file }) => file === name)?.text ?? '';

test('docs/deploy.md has every right of deploy, and does not say beside them that it needs none', () => {
  const [before = '', rights = ''] = textOf('deploy.md').split('## Rights');
  const actions = new Set([...rights.matchAll(/`([a-z0-9]+:[A-Z]\w+)`/g)].map(([, action]) => action));
  expect([...actions].toSorted()).toEqual(
    [...new Set(rightsOfVerbs(['deploy']).flatMap((right) => right.actions))].toSorted(),
  );
  expect(before).toMatch(/needs rights to read/);
});

test('docs/permissions.md names each verb that asks a control plane in us-east-1', () => {
  const [, said = ''] = /No verb but\s(.*?) asks Route 53/s.exec(textOf('permissions.md')) ?? [];
  const asking = operatorRights.filter(({ actions }) => actions.some((one) => /^(route53|iam):/.test(one)));
  const verbs = new Set<string | undefined>(asking.flatMap((right) => right.verbs));
  expect(new Set([...said.matchAll(/`(\w+)`/g)].map(([, verb]) => verb))).toEqual(verbs);
  expect(verbs).toContain('deploy');
});
