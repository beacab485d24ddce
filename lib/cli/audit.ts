import { readFile } from 'node:fs/promises';
import { resolve } from 'node:path';
import { Command } from 'commander';
import { loadConfig } from '../config/load.ts';
import { workDirectory } from '../files/own-files.ts';
import { newestAuditFile } from '../local/run-directory.ts';
import { type AuditReport, audit, parseCalls } from '../operate/audit.ts';
import { auditRules } from '../operate/audit-rules.ts';
import { UsageError } from '../operate/errors.ts';
import { exitCodes } from '../shell/exit-codes.ts';
import type { Io } from './io.ts';
import { type OutputFlags, withJson } from './options.ts';
import { table } from './table.ts';
import { type Outcome, perform } from './verb.ts';

interface AuditFlags extends OutputFlags {
  readonly config?: string;
  readonly primary?: string;
  readonly rules?: true;
}

/**
 * `spillway audit`: judges whether the calls of a failover would have worked without the primary and without
 * control planes.
 */
export function auditCommand(io: Io): Command {
  return withJson(
    new Command('audit').description(
      'Judge recorded AWS calls: no call on the failover path may need the primary or a control plane. Ends with status 4 if one does.',
    ),
  )
    .argument(
      '[file]',
      'a file of calls, one JSON object per line: {"service", "operation", "region", "endpoint", "who"} (default: those of the last drill)',
    )
    .option(
      '--config <file>',
      'the config that names the primary (default: spillway.config.ts or .json here)',
    )
    .option('--primary <region>', 'the primary region, instead of a config')
    .option('--rules', 'list the rules, with the source of each')
    .addHelpText(
      'after',
      '\nExamples:\n  spillway audit\n  SPILLWAY_CALL_LOG=calls.jsonl spillway failover --cells drill --reason "drill" --yes\n  spillway audit calls.jsonl',
    )
    .action((file: string | undefined, flags: AuditFlags) => perform(io, flags, () => run(io, file, flags)));
}

async function run(io: Io, named: string | undefined, flags: AuditFlags): Promise<Outcome> {
  if (flags.rules) return rules(io);
  const file = named ?? (await newestAuditFile(workDirectory()));
  if (file === undefined) {
    throw new UsageError('No drill has recorded its calls here: run `spillway drill`, or name a file.');
  }
  const text = await readFile(resolve(io.directory, file), 'utf8').catch((cause: unknown) => {
    throw new UsageError(`${file} cannot be read: name a file of recorded calls. ${String(cause)}`, {
      cause,
    });
  });
  const calls = parseCalls(text, file);
  const report = audit(calls, flags.primary ?? (await primaryOf(io, flags)));
  // An empty file proves nothing: a recorder that was not plugged in would pass every audit.
  if (report.calls === 0) throw new UsageError(`${file} holds no calls: nothing was recorded.`);
  return {
    exit: report.ok ? exitCodes.done : exitCodes.unhealthy,
    document: { ...report, file },
    screen: `${file}\n${auditScreen(report, io)}`,
  };
}

async function primaryOf(io: Io, { config }: AuditFlags): Promise<string> {
  const loaded = await loadConfig({
    directory: io.directory,
    ...(config === undefined ? {} : { file: config }),
  });
  return loaded.regions.primary;
}

function rules({ columns }: Io): Outcome {
  const rows = auditRules.map(({ rule, judgement, reason, source }) => ({ rule, judgement, reason, source }));
  return {
    exit: exitCodes.done,
    document: { ok: true, rules: rows },
    screen: table(
      ['rule', 'judgement', 'source', 'reason'],
      rows.map(({ rule, judgement, source, reason }) => [rule, judgement, source, reason]),
      { columns },
    ),
  };
}

export function auditScreen(
  report: AuditReport,
  { colors, columns }: Pick<Io, 'colors' | 'columns'>,
): string {
  const allowed = Object.entries(report.allowed).map(([rule, times]) => `${times} ${rule}`);
  const checkers =
    report.checkerRequests === 0 ? '' : ` (and ${report.checkerRequests} requests of Route 53's checkers)`;
  const head = `${report.calls} AWS calls, ${report.onPath} of them on the failover path${checkers}; allowed calls to the primary: ${allowed.join(', ') || 'none'}`;
  if (report.ok)
    return `${head}\n${colors.green('no violation')}: nothing needs ${report.primary} or a control plane`;
  const rows = report.distinct.map(({ rule, call, times, reason }) => [
    `${times}×`,
    call.who,
    `${call.service} ${call.operation}`,
    call.region,
    rule,
    reason,
  ]);
  return [
    head,
    colors.red(`${report.violations} violations`),
    table(['', 'who', 'call', 'region', 'rule', 'why'], rows, { columns }),
  ].join('\n');
}
