import { problemsOf } from '../test/permissions/check.ts';
import { deployedFrom } from '../test/permissions/deployed.ts';
import { deployments } from '../test/permissions/deployments.ts';
import { mutantKinds, mutantsOf } from '../test/permissions/mutants.ts';
import { mutantProblems, type Tried } from '../test/permissions/mutants-verdict.ts';
import { synthesised } from '../test/permissions/synthesised.ts';

// `npm run mutants:iam [-- --json]`: takes rights away and gives some, one at a time, and expects that the check of
// test/stacks/permissions.test.ts notices each. Ends with 1 when one survives, or when
// there is none of some kind.

process.env.CDK_VALIDATION ??= 'false';
const json = process.argv.includes('--json');
const say = (line: string): void => void process.stdout.write(`${line}\n`);

const deployment = deployments.full;
const stacks = synthesised(deployment);
const before = await problemsOf({ deployment, deployed: deployedFrom(stacks, deployment.account) });
if (before.length > 0) {
  process.stderr.write(`Nothing is broken yet, and the check is red:\n${before.join('\n')}\n`);
  process.exit(1);
}
const mutants = mutantsOf({ deployment, stacks });
const tried: Tried[] = [];
for (const { kind, name, firstRed } of mutants) {
  const red = await firstRed();
  const killed = red !== undefined;
  tried.push({ kind, name, killed });
  if (json) say(JSON.stringify({ kind, mutant: name, killed, ...(killed ? { red } : {}) }));
}
const kinds = mutantKinds.map(({ kind }) => kind);
const problems = mutantProblems(kinds, tried);
const killed = tried.filter((one) => one.killed).length;
if (json) say(JSON.stringify({ mutants: tried.length, killed, problems }));
else {
  for (const problem of problems) say(problem);
  for (const { kind, breaks } of mutantKinds) {
    say(`${String(tried.filter((one) => one.kind === kind).length).padStart(4)} ${kind}: ${breaks}`);
  }
  say(`${killed} of ${tried.length} mutants turn the check red`);
}
process.exitCode = problems.length === 0 ? 0 : 1;
