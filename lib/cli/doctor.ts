import { Command, InvalidArgumentError, Option } from 'commander';
import type { Finding } from '../operate/doctor/check.ts';
import { examine } from '../operate/doctor/doctor.ts';
import { clientsFor, resolveTarget } from '../operate/target.ts';
import { type Audience, audiences } from '../permissions/policy.ts';
import { exitCodes } from '../shell/exit-codes.ts';
import type { Io } from './io.ts';
import { type OutputFlags, type TargetFlags, withJson, withTarget } from './options.ts';
import { progress } from './spinner.ts';
import { type Outcome, perform } from './verb.ts';

interface DoctorFlags extends TargetFlags, OutputFlags {
  readonly role?: string;
  readonly as: Audience;
}

const CALL_TIMEOUT_MS = 5_000;

function roleArgument(text: string): string {
  if (/^arn:aws:iam::\d{12}:(role|user)\/[\w+=,.@/-]+$/.test(text)) return text;
  throw new InvalidArgumentError('Write the ARN of a role or a user: arn:aws:iam::ACCOUNT:role/NAME.');
}

/** `spillway doctor`: checks, in quiet times, whether a failover would work. */
export function doctorCommand(io: Io): Command {
  return withJson(
    withTarget(
      new Command('doctor').description(
        'Check, in quiet times, whether a failover would work. Calls control planes and the primary too. Ends with status 4 if a check fails.',
      ),
    ),
  )
    .option(
      '--role <arn>',
      'check only what this role, or user, lacks; asks IAM, whose control plane is in us-east-1',
      roleArgument,
    )
    .addOption(
      new Option('--as <for>', 'with --role: what it is used for').choices(audiences).default('producer'),
    )
    .addHelpText(
      'after',
      '\nExamples:\n  spillway doctor --json\n  spillway doctor --role arn:aws:iam::123456789012:role/orders',
    )
    .action((flags: DoctorFlags) => perform(io, flags, () => doctor(io, flags)));
}

async function doctor(io: Io, flags: DoctorFlags): Promise<Outcome> {
  const target = await resolveTarget({ directory: io.directory, env: io.env, ...flags });
  const { config, dnsServers, world } = target;
  const clients = clientsFor(target, { who: 'cli doctor', timeoutMs: CALL_TIMEOUT_MS });
  const shown = progress(io);
  try {
    const findings = await examine(
      {
        config,
        clients,
        ...(dnsServers === undefined ? {} : { dnsServers }),
        local: world !== undefined,
        ...(world === undefined ? {} : { endpointOrigin: new URL(world.localStackUrl) }),
        nowMs: io.nowMs(),
        now: () => io.nowMs(),
        ...(flags.role === undefined ? {} : { role: { arn: flags.role, as: flags.as } }),
      },
      (text) => shown.say(text),
    );
    const ok = findings.every((finding) => finding.ok);
    return {
      exit: ok ? exitCodes.done : exitCodes.unhealthy,
      document: { ok, findings },
      screen: doctorScreen(findings, io),
    };
  } finally {
    shown.stop();
    clients.destroy();
  }
}

/** A finding that is well and still has advice is a hint. */
function signOf({ ok, fix }: Pick<Finding, 'ok' | 'fix'>, colors: Io['colors']): string {
  if (!ok) return colors.red('✗');
  return fix === '' ? colors.green('✓') : colors.yellow('!');
}

export function doctorScreen(findings: readonly Finding[], { colors }: Pick<Io, 'colors'>): string {
  const lines = findings.flatMap(({ check, ok, finding, fix }) => [
    `${signOf({ ok, fix }, colors)} ${check}: ${finding}`,
    ...(fix === '' ? [] : [colors.dim(`    → ${fix}`)]),
  ]);
  const ill = findings.filter(({ ok }) => !ok).length;
  return [...lines, '', ill === 0 ? colors.green('all is well') : colors.red(`${ill} to fix`)].join('\n');
}
