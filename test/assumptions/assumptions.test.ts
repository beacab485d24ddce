import { globSync, readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { assumptions } from '../../lib/assumptions/assumptions.ts';
import { experimentNames, experiments } from '../../lib/assumptions/experiments.ts';
import { proveRights } from '../../lib/permissions/prove.ts';
import { experimentsFor } from '../../lib/prove/prove.ts';

const ids = assumptions.map(({ id }) => id);
type Id = (typeof ids)[number];

test('each statement has a name of its own, and is a sentence, with what breaks and how it is proven', () => {
  expect(new Set(ids).size).toBe(ids.length);
  for (const { id, statement, breaks, proof } of assumptions) {
    expect(id).toMatch(/^[a-z0-9]+(?:-[a-z0-9]+)*$/);
    const how = 'experiment' in proof ? proof.how : proof.notProven;
    for (const text of [statement, breaks, how]) expect(text, id).toMatch(/^\S.*[.]$/s);
  }
});

test('each experiment judges a statement, is bounded, and says what LocalStack cannot tell', () => {
  expect(experimentsFor(new Set(ids))).toEqual(experimentNames);
  for (const name of experimentNames) {
    const { mostSeconds, mostUsd, local } = experiments[name];
    expect(mostSeconds).toBeLessThanOrEqual(900);
    expect(mostUsd).toBeLessThan(5);
    expect(local.limit).toMatch(/^LocalStack/);
  }
});

test('experiments that look come before those that touch something', () => {
  const touching = experimentNames.map((name) => experiments[name].touches);
  expect(touching).toEqual(touching.toSorted((a, b) => Number(a) - Number(b)));
});

test('no right is asked for twice in one experiment, and none is a wildcard of actions', () => {
  for (const name of experimentNames) {
    const own = proveRights.filter((right) => right.experiments.includes(name));
    const rights = own.flatMap(({ actions, on }) => actions.map((action) => `${action} ${on}`));
    expect(new Set(rights).size).toBe(rights.length);
    for (const action of own.flatMap(({ actions }) => actions))
      expect(action).toMatch(/^[a-z0-9]+:[A-Z][A-Za-z0-9]+$/);
  }
});

/** What the code infers about AWS is in the table: a new `[inferred]` belongs here, and there. */
const inferredIn: Readonly<Record<string, readonly Id[]>> = {
  'lambda/core/deployment.ts': ['check-data-in-time'],
  'lambda/core/probe.ts': ['canary-read-after-write'],
  'lib/endpoint/flood.ts': ['throttled-alike'],
  'lib/operate/cost.ts': ['checkers', 'cost-figures'],
  'lib/producer/service-codes.ts': ['stream-refusal-named'],
  'lib/producer/wire/exchange.ts': ['kinesis-idle-connection'],
  'lib/route53/checker.ts': ['enough-data'],
  'lib/route53/checkers.ts': ['noise-as-simulated'],
  'lib/route53/health-check.ts': ['enough-data'],
  'lib/route53/response.ts': ['check-time-limits', 'check-reads-whole-body'],
  'lib/sidecar/synthetic.ts': ['sequence-number-digits'],
  'lib/simulator/checkers.ts': ['noise-as-simulated'],
  'lib/simulator/dns.ts': ['propagation', 'checkers'],
  'lib/simulator/fleet.ts': ['noise-as-simulated'],
  'lib/simulator/noise-table.ts': ['noise-as-simulated', 'kinesis-cellular'],
  'lib/simulator/probing.ts': ['metrics-within-minutes'],
};

test('whatever the code marks as inferred is a statement of the table', () => {
  const marked = [...globSync('{lib,lambda}/**/*.ts')].filter((file) =>
    readFileSync(file, 'utf8').includes('[inferred'),
  );
  expect(marked.toSorted()).toEqual(Object.keys(inferredIn).toSorted());
  for (const named of Object.values(inferredIn)) expect(ids).toEqual(expect.arrayContaining([...named]));
});
