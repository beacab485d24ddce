import { execa } from 'execa';
import { z } from 'zod';

const TIMEOUT_MS = 120_000;

/** What the command does, in one process for all regions: to load the rules and schemas takes longest. */
const PROGRAM = `
import json, sys
from cfnlint.config import ConfigMixIn
from cfnlint.runner import Runner
print(json.dumps([
    [region, match.rule.id, match.rule.severity, match.filename, "/".join(map(str, match.path)), match.message]
    for region, files in json.load(sys.stdin)
    for match in Runner(ConfigMixIn(["--regions", region, "--", *files])).run()
]))
`;
const findings = z.array(z.tuple([z.string(), z.string(), z.string(), z.string(), z.string(), z.string()]));

export interface LintError {
  readonly region: string;
  readonly rule: string;
  readonly file: string;
  /** Where in the template, as `Resources/Topic/Properties`. */
  readonly path: string;
  readonly message: string;
}

/** What cfn-lint calls an error, in templates by their region. No rule is configured or left out. */
export async function lintErrors(
  python: string,
  files: ReadonlyMap<string, readonly string[]>,
): Promise<readonly LintError[]> {
  const { stdout } = await execa(python, ['-c', PROGRAM], {
    input: JSON.stringify([...files]),
    // A .cfnlintrc of this machine could leave rules out.
    cwd: '/',
    env: { HOME: '/' },
    timeout: TIMEOUT_MS,
  });
  return findings
    .parse(JSON.parse(stdout))
    .filter(([, , severity]) => severity === 'error')
    .map(([region, rule, , file, path, message]) => ({ region, rule, file, path, message }));
}
