import { problemsOf } from '../test/permissions/check.ts';
import { deployedFrom } from '../test/permissions/deployed.ts';
import { deployments, synthesised } from '../test/permissions/deployments.ts';
import { mutantKinds, mutantsOf } from '../test/permissions/mutants.ts';

// `npm run mutants:iam [-- --json]`: takes rights away and gives some, one at a time, and expects that the check of
// test/stacks/permissions.test.ts notices each. Ends with 1 when one survives.

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
let killed = 0;
for (const { kind, name, firstRed } of mutants) {
  const red = await firstRed();
  if (red !== undefined) killed += 1;
  if (json)
    say(
      JSON.stringify({
        kind,
        mutant: name,
        killed: red !== undefined,
        ...(red === undefined ? {} : { red }),
      }),
    );
  else if (red === undefined) say(`SURVIVES  ${kind}: ${name}`);
}
if (json) say(JSON.stringify({ mutants: mutants.length, killed }));
else {
  for (const { kind, breaks } of mutantKinds) {
    say(`${String(mutants.filter((one) => one.kind === kind).length).padStart(4)} ${kind}: ${breaks}`);
  }
  say(`${killed} of ${mutants.length} mutants turn the check red`);
}
process.exitCode = killed === mutants.length ? 0 : 1;
