import { readImports } from './graph.ts';
import { layers } from './rules.ts';

/**
 * `npm run lint:layers`: each import that breaks a rule of the layers, with the rule's reason. Ends with
 * status 1 if there is one.
 */
const { violations, imports } = await readImports(['bin', 'lib', 'lambda', 'scripts']);
for (const { rule, from, to, cycle } of violations) {
  const way =
    cycle === undefined ? `${from} imports ${to}` : `${from} → ${cycle.map(({ name }) => name).join(' → ')}`;
  const reason = layers.forbidden.find(({ name }) => name === rule.name)?.comment ?? '';
  console.error(`error ${rule.name}: ${way}\n      ${reason}`);
}
if (violations.length > 0) process.exitCode = 1;
else
  console.log(
    `The imports of ${imports.size} folders keep to the ${layers.forbidden.length} rules of the layers.`,
  );
