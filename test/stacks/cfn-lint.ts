import { execa } from 'execa';
import { z } from 'zod';

const TIMEOUT_MS = 120_000;

/** What the command does, in one process for all batches: to load the rules and schemas takes longest. */
const PROGRAM = `
import json, sys
from cfnlint.config import ConfigMixIn
from cfnlint.runner import Runner
print(json.dumps([
    [
        [match.rule.id, match.rule.severity, match.filename, "/".join(map(str, match.path)), match.message]
        for match in Runner(ConfigMixIn(["--regions", *batch["regions"], "--", *batch["files"]])).run()
    ]
    for batch in json.load(sys.stdin)
]))
`;
const findings = z.array(z.array(z.tuple([z.string(), z.string(), z.string(), z.string(), z.string()])));

export interface LintBatch {
  /** The regions that every file of the batch is for. */
  readonly regions: readonly string[];
  readonly files: readonly string[];
}

export interface LintError {
  readonly rule: string;
  readonly file: string;
  /** Where in the template, as `Resources/Topic/Properties`. */
  readonly path: string;
  readonly message: string;
}

/** What cfn-lint calls an error, batch by batch. No rule is configured or left out. */
export async function lintErrors(
  python: string,
  batches: readonly LintBatch[],
): Promise<readonly (readonly LintError[])[]> {
  const { stdout } = await execa(python, ['-c', PROGRAM], {
    input: JSON.stringify(batches),
    // A .cfnlintrc of this machine could leave rules out.
    cwd: '/',
    env: { HOME: '/' },
    timeout: TIMEOUT_MS,
  });
  return findings
    .parse(JSON.parse(stdout))
    .map((batch) =>
      batch
        .filter(([, severity]) => severity === 'error')
        .map(([rule, , file, path, message]) => ({ rule, file, path, message })),
    );
}
