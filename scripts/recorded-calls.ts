import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { AUDIT_FILE } from '../lib/local/run-directory.ts';
import { parseCalls } from '../lib/operate/audit.ts';
import { isCheckerRequest } from '../lib/operate/audit-rules.ts';

// `node scripts/recorded-calls.ts RUN_FOLDER`: what is different among the calls of a drill, for
// test/stacks/recorded-calls.test.ts, which judges them without LocalStack.

const [directory] = process.argv.slice(2);
if (directory === undefined) {
  process.stderr.write(
    'Name the folder of a run: .spillway/runs/…, of the drill in test/localstack/drill.test.ts.\n',
  );
  process.exit(2);
}
const file = join(directory, AUDIT_FILE);
const lines = parseCalls(readFileSync(file, 'utf8'), file)
  .filter((call) => !isCheckerRequest(call))
  .map(({ endpoint: _endpoint, resource, ...call }) =>
    // The number of an act is another one in each drill.
    JSON.stringify({
      ...call,
      ...(resource === undefined ? {} : { resource: resource.replace(/(:execution:.*-)\d+$/, '$11') }),
    }),
  );
const distinct = [...new Set(lines)].toSorted();
writeFileSync(
  new URL('../test/permissions/recorded-calls.jsonl', import.meta.url),
  `${distinct.join('\n')}\n`,
);
process.stdout.write(`${distinct.length} different calls\n`);
