import { Argument, Command } from 'commander';
import type { Config } from '../config/config.ts';
import { loadConfig } from '../config/load.ts';
import { loneKeyWarning } from '../config/stream-keys.ts';
import { UsageError } from '../operate/errors.ts';
import { rightsAsked, whereAsked } from '../permissions/asked.ts';
import {
  type Audience,
  audiences,
  charactersOf,
  type PolicyDocument,
  policyLimits,
  policyOf,
} from '../permissions/policy.ts';
import { exitCodes } from '../shell/exit-codes.ts';
import type { Io } from './io.ts';
import { type OutputFlags, withJson } from './options.ts';
import { askedBy, type RightsFlags, withRights } from './rights-options.ts';
import { type Outcome, perform } from './verb.ts';

interface PolicyFlags extends RightsFlags, OutputFlags {
  readonly config?: string;
}

const examples = `
Examples:
  spillway policy producer --cell orders --account 123456789012 > orders.json
  aws iam put-role-policy --role-name orders --policy-name spillway --policy-document file://orders.json
  spillway policy operator --verbs status,why,history --account 123456789012
  spillway policy operator --verbs prove --account 123456789012`;

/** `spillway policy`: the least that a producer, a consumer or an operator has to be allowed. Makes no call. */
export function policyCommand(io: Io): Command {
  const command = new Command('policy')
    .description(
      'Print the IAM policy that an application or an operator needs, in both regions. Makes no call.',
    )
    .addArgument(new Argument('<for>', 'whom the policy is for').choices(audiences))
    .option('--config <file>', 'the config (default: spillway.config.ts or .json here)');
  return withJson(withRights(command, { account: 'CDK_DEFAULT_ACCOUNT, else any: *' }))
    .addHelpText('after', examples)
    .action((audience: Audience, flags: PolicyFlags) =>
      perform(io, flags, () => policy(io, audience, flags)),
    );
}

async function policy(io: Io, audience: Audience, flags: PolicyFlags): Promise<Outcome> {
  const file = flags.config === undefined ? {} : { file: flags.config };
  const config = await loadConfig({ directory: io.directory, ...file });
  const account = io.env.CDK_DEFAULT_ACCOUNT || undefined;
  const asked = askedBy(flags, { as: audience, config, account });
  const where = whereAsked(asked, config);
  const document = policyOf(rightsAsked(asked), where);
  const characters = charactersOf(document);
  const notes = notesOf({ audience, document, characters, account: asked.account, config: where.config });
  if (flags.json !== true) for (const note of notes) io.err(`note: ${note}`);
  return {
    exit: exitCodes.done,
    document: { ok: true, for: audience, policy: document, characters, limits: policyLimits, notes },
    screen: JSON.stringify(document, null, 2),
    verbatim: true,
  };
}

interface Noted {
  readonly audience: Audience;
  readonly document: PolicyDocument;
  readonly characters: number;
  readonly account: string;
  readonly config: Config;
}

/** What the reader should know of the policy. @throws UsageError for one that IAM would not take */
function notesOf({ audience, document, characters, account, config }: Noted): readonly string[] {
  const many = characters.toLocaleString('en');
  const { managed, role } = policyLimits;
  const fewer = audience === 'operator' ? 'verbs with --verbs, or cells with --cell' : 'cells with --cell';
  const instead = `Name ${fewer}, a role for each part of them, or give --patterns, which names streams by the beginning of their names`;
  if (characters > role) {
    throw new UsageError(
      `The policy has ${many} characters, and IAM takes ${role.toLocaleString('en')} inline in a role and ${managed.toLocaleString('en')} as a managed policy. ${instead}.`,
    );
  }
  const keyed = document.Statement.some(({ Action }) => Action.some((action) => action.startsWith('kms:')));
  const lone = keyed ? loneKeyWarning(config.cells) : undefined;
  const beacons = audience === 'producer' && config.beacons !== undefined;
  return [
    ...(account === '*' ? ['no account is known, so the ARNs are of any (*): give --account.'] : []),
    ...(characters > managed
      ? [
          `${many} characters fit into a role’s inline policies (${role.toLocaleString('en')}), and not into a managed policy (${managed.toLocaleString('en')}).`,
        ]
      : []),
    ...(keyed ? ['the policies of the keys have to allow the role, too, or to leave it to IAM.'] : []),
    ...(lone === undefined ? [] : [lone]),
    ...(beacons ? [`it includes what the managed policy ${config.name}-beacon-writer allows.`] : []),
  ];
}
