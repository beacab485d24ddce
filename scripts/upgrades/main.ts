import { parseArgs } from 'node:util';
import { uniformFloat64 } from 'pure-rand/distribution/uniformFloat64';
import { xoroshiro128plus } from 'pure-rand/generator/xoroshiro128plus';
import { parseConfig } from '../../lib/config/parse.ts';
import {
  type DeploymentChange,
  deploymentBefore,
  deploymentChanges,
  type Outcome,
} from '../../lib/deployments/changes.ts';
import { workDirectory } from '../../lib/files/own-files.ts';
import { createRunDirectory } from '../../lib/local/run-directory.ts';
import { drillUpgrades, type UpgradeResult, type UpgradeStep } from '../../lib/local/upgrade/upgrade.ts';
import type { UpgradeVerdict } from '../../lib/local/upgrade/verdict.ts';

/**
 * Plays every row of docs/deployments.md: deploys the row's config over the base by plain `cdk deploy --all`
 * while producers run, and then the base again, in health and while every cell is held in the standby.
 */
const { values } = parseArgs({
  options: {
    json: { type: 'boolean', default: false },
    only: { type: 'string', multiple: true },
    state: { type: 'string', multiple: true },
    seed: { type: 'string' },
  },
});

const states = ['steady', 'evacuated'] as const;
type State = (typeof states)[number];

const verdictOf: Readonly<Record<Outcome, UpgradeVerdict>> = {
  holds: 'held',
  asked: 'asked',
  refused: 'refused',
  stopped: 'failed',
};

// A row that takes another back is played after that one.
const isChosen = ({ name }: DeploymentChange): boolean => values.only?.includes(name) ?? true;
const backOf = (row: DeploymentChange) => deploymentChanges.find(({ takesBack }) => takesBack === row.name);
const rows = deploymentChanges
  .filter((row) => row.takesBack === undefined && [row, backOf(row)].some((each) => each && isChosen(each)))
  // After plain deployment the check of a witness that came back asks nobody, so nothing follows such a row.
  .toSorted((one, other) => (one.destroyed?.length ?? 0) - (other.destroyed?.length ?? 0));
const chosen = states.filter((state) => values.state === undefined || values.state.includes(state));
const unknown = values.only?.find((name) => !deploymentChanges.some((row) => row.name === name));
if (unknown !== undefined || chosen.length === 0) {
  process.stderr.write(
    `There is no row ${unknown ?? 'for this state'}; rows: ${deploymentChanges.map(({ name }) => name).join(', ')}; states: ${states.join(', ')}.\n`,
  );
  process.exit(2);
}

const seed = values.seed === undefined ? Date.now() % 2 ** 31 : Number(values.seed);
const say = (text: string): void => {
  process.stderr.write(`${text}\n`);
};
say(`seed ${seed}`);
const stop = new AbortController();
process.once('SIGINT', () => stop.abort(new Error('interrupted')));
process.once('SIGTERM', () => stop.abort(new Error('terminated')));

const base = parseConfig(deploymentBefore, 'the base of the upgrade drills');
const takenBack = (name: string): string => `${name}, taken back`;
function stepsOf(row: DeploymentChange): readonly UpgradeStep[] {
  const { name, after, destroyed } = row;
  if (destroyed !== undefined) return [{ name, destroyed, config: parseConfig(after, name) }];
  return [
    { name, config: parseConfig(after, name) },
    { name: backOf(row)?.name ?? takenBack(name), config: base },
  ];
}

/** A row is judged by the table; what takes a row back and is none may change answers as asked, and moves nothing. */
function isAsExpected({ name, verdict }: UpgradeResult, state: State): boolean {
  const row = deploymentChanges.find((each) => each.name === name);
  if (row !== undefined) return verdict === verdictOf[row[state]];
  const undone = rows.find((each) => name === takenBack(each.name));
  return (
    verdict === 'held' || verdict === 'asked' || (undone && verdict === verdictOf[undone[state]]) === true
  );
}

let counted = 0;
let moved = 0;
let refused = 0;
let ok = true;
for (const state of chosen) {
  const generator = xoroshiro128plus(seed);
  const played = drillUpgrades({
    config: base,
    steps: rows.flatMap(stepsOf),
    evacuated: state === 'evacuated',
    directory: await createRunDirectory(workDirectory(), Date.now(), process.pid),
    random: () => uniformFloat64(generator),
    onEvent: () => {},
    onProgress: (text) => say(`${state}: ${text}`),
    onResult: (result) => {
      const expected = isAsExpected(result, state);
      counted += 1;
      if (result.verdict === 'moved') moved += 1;
      if (result.verdict === 'refused') refused += 1;
      ok &&= expected;
      process.stdout.write(
        values.json ? `${JSON.stringify({ state, ...result, expected })}\n` : line(state, result, expected),
      );
    },
    signal: stop.signal,
  });
  await played.catch((error: unknown) => {
    // A world that died says nothing of the rows that it did not come to.
    ok = false;
    const reason = error instanceof Error ? error.message : String(error);
    process.stdout.write(
      values.json
        ? `${JSON.stringify({ state, verdict: 'failed', reason })}\n`
        : `FAIL ${state}: ${reason}\n`,
    );
  });
  if (stop.signal.aborted) process.exit(130);
}
process.stdout.write(
  values.json
    ? `${JSON.stringify({ rows: counted, moved, refused, ok })}\n`
    : `${counted} deployments, ${moved} moved traffic, ${refused} refused: ${ok ? 'as the table says' : 'NOT as the table says'}\n`,
);
process.exitCode = ok ? 0 : 1;

function line(
  state: State,
  { name, verdict, changes, deployMs, reason }: UpgradeResult,
  expected: boolean,
): string {
  const answers = changes
    .map(
      ({ name: record, from, to, afterMs }) =>
        `\n    +${Math.round(afterMs / 1000)} s ${record}: ${from} -> ${to}`,
    )
    .join('');
  const why = reason === undefined ? '' : `\n    ${reason.split('\n')[0]}`;
  return `${expected ? 'ok  ' : 'FAIL'} ${state} ${name}: ${verdict} (${Math.round(deployMs / 1000)} s)${answers}${why}\n`;
}
