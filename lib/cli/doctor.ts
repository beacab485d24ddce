import { Command, InvalidArgumentError, Option } from 'commander';
import type { Config } from '../config/config.ts';
import type { ExaminedRole, Finding } from '../operate/doctor/check.ts';
import { examine } from '../operate/doctor/doctor.ts';
import { UsageError } from '../operate/errors.ts';
import { clientsFor, resolveTarget } from '../operate/target.ts';
import { type Audience, audiences } from '../permissions/policy.ts';
import { exitCodes } from '../shell/exit-codes.ts';
import type { Io } from './io.ts';
import { type OutputFlags, type TargetFlags, withJson, withTarget } from './options.ts';
import { askedBy, givenRights, type RightsFlags, withRights } from './rights-options.ts';
import { progress } from './spinner.ts';
import { type Outcome, perform } from './verb.ts';

interface DoctorFlags extends TargetFlags, OutputFlags, RightsFlags {
  readonly role?: string;
  readonly as?: Audience;
}

const CALL_TIMEOUT_MS = 5_000;

function roleArgument(text: string): string {
  if (/^arn:aws:iam::\d{12}:(role|user)\/[\w+=,.@/-]+$/.test(text)) return text;
  throw new InvalidArgumentError('Write the ARN of a role or a user: arn:aws:iam::ACCOUNT:role/NAME.');
}

const rolesHelp = `
--as, --cell, --account, --verbs, --kcl, --fan-out, --table-keys and --patterns go with --role, and mean what they
mean to \`spillway policy\`: a role with the policy that it prints lacks nothing when asked with the same options.

Examples:
  spillway doctor --json
  spillway doctor --role arn:aws:iam::123456789012:role/orders --cell orders`;

/** `spillway doctor`: checks, in quiet times, whether a failover would work. */
export function doctorCommand(io: Io): Command {
  const command = new Command('doctor')
    .description(
      'Check, in quiet times, whether a failover would work. Calls control planes and the primary too. Ends with status 4 if a check fails.',
    )
    .option(
      '--role <arn>',
      'check only what this role, or user, lacks of a policy; asks IAM, whose control plane is in us-east-1',
      roleArgument,
    )
    .addOption(new Option('--as <for>', 'what the role is used for (default: producer)').choices(audiences));
  return withJson(withTarget(withRights(command, { account: 'that of the role' })))
    .addHelpText('after', rolesHelp)
    .action((flags: DoctorFlags) => perform(io, flags, () => doctor(io, flags)));
}

async function doctor(io: Io, flags: DoctorFlags): Promise<Outcome> {
  checkWithoutRole(flags);
  const target = await resolveTarget({ directory: io.directory, env: io.env, ...flags });
  const { config, dnsServers, world } = target;
  const role = roleOf(flags, config);
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
        ...(role === undefined ? {} : { role }),
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

/** Without a role they would be about nothing, and nobody would notice. @throws UsageError */
function checkWithoutRole(flags: DoctorFlags): void {
  const [one] = [...(flags.as === undefined ? [] : ['--as']), ...givenRights(flags)];
  if (flags.role === undefined && one !== undefined)
    throw new UsageError(`${one} is about a role: name it with --role.`);
}

function roleOf(flags: DoctorFlags, config: Config): ExaminedRole | undefined {
  const { role: arn, as = 'producer' } = flags;
  if (arn === undefined) return undefined;
  return { arn, asked: askedBy(flags, { as, config, account: arn.split(':')[4] }) };
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
