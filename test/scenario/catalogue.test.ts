import { readFileSync } from 'node:fs';
import { describe, expect, it, test } from 'vitest';
import { scenarioJsonSchema } from '../../lib/scenario/json-schema.ts';
import { loadScenario, scenarioNames } from '../../lib/scenario/load.ts';

const names = await scenarioNames();

describe('the catalogue', () => {
  it.each(names)('%s can be loaded, and is called as its file is', async (name) => {
    expect((await loadScenario(name)).name).toBe(name);
  });

  it('has more scenarios that hold than scenarios that move', async () => {
    const all = await Promise.all(names.map((name) => loadScenario(name)));
    const holding = all.filter(({ expect: { verdict } }) => verdict === 'hold');
    expect(holding.length).toBeGreaterThan(all.length / 2);
  });

  it('names the nearest scenario for one that does not exist', async () => {
    await expect(loadScenario('2020-kinesi')).rejects.toThrow(/Did you mean 2020-kinesis\?/);
    await expect(loadScenario('./nowhere.yaml')).rejects.toThrow(/nowhere\.yaml: does not exist/);
  });
});

test('the published schema is up to date: else run scripts/scenario-schema.ts', () => {
  const published = readFileSync(new URL('../../scenarios/scenario.schema.json', import.meta.url), 'utf8');
  expect(JSON.parse(published)).toEqual(scenarioJsonSchema());
});
