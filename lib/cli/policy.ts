import { Argument, Command, Option } from 'commander';
import type { Config } from '../config/config.ts';
import { loadConfig } from '../config/load.ts';
import { UsageError } from '../operate/errors.ts';
import { named } from '../operate/named.ts';
import { operatorVerbs } from '../permissions/operator.ts';
import {
  type Audience,
  audiences,
  charactersOf,
  type PolicyDocument,
  policyLimits,
  policyOf,
  rightsFor,
} from '../permissions/policy.ts';
import type { Where } from '../permissions/where.ts';
import { exitCodes } from '../shell/exit-codes.ts';
import type { Io } from './io.ts';
import { listArgument, type OutputFlags, withJson } from './options.ts';
import { type Outcome, perform } from './verb.ts';

interface PolicyFlags extends OutputFlags {
  readonly config?: string;
  readonly cell?: readonly string[];
  readonly account?: string;
  readonly verbs?: readonly string[];
  readonly kcl?: string;
  readonly fanOut?: string;
  readonly tableKeys?: readonly string[];
  readonly patterns?: true;
}

const ACCOUNT = /^\d{12}$/;
/** A table of DynamoDB, which the KCL names after the application. */
const NAME = /^[a-zA-Z0-9_.-]{3,128}$/;

/** `spillway policy`: the least that a producer, a consumer or an operator has to be allowed. Makes no call. */
export function policyCommand(io: Io): Command {
  return withJson(
    new Command('policy').description(
      'Print the IAM policy that an application or an operator needs, in both regions. Makes no call.',
    ),
  )
    .addArgument(new Argument('<for>', 'whom the policy is for').choices(audiences))
    .option('--cell <names>', 'only these cells, separated by commas (default: all)', listArgument)
    .option('--config <file>', 'the config (default: spillway.config.ts or .json here)')
    .option('--account <id>', 'the account of the deployment (default: CDK_DEFAULT_ACCOUNT, else any: *)')
    .addOption(
      new Option(
        '--verbs <names>',
        'operator: only what these verbs need, separated by commas (default: all)',
      ).argParser(listArgument),
    )
    .option('--kcl <application>', 'consumer: also the tables and metrics of this application of the KCL')
    .option('--fan-out <consumer>', 'consumer: also enhanced fan-out under this name')
    .option(
      '--table-keys <arns>',
      'keys that encrypt the tables (encryptionKeyArns of the construct), separated by commas',
      listArgument,
    )
    .option('--patterns', 'name streams by the letters that their names begin with, which covers others, too')
    .addHelpText(
      'after',
      '\nExamples:\n  spillway policy producer --cell orders > orders.json\n  aws iam put-role-policy --role-name orders --policy-name spillway --policy-document file://orders.json\n  spillway policy operator --verbs status,why,history',
    )
    .action((audience: Audience, flags: PolicyFlags) =>
      perform(io, flags, () => policy(io, audience, flags)),
    );
}

async function policy(io: Io, audience: Audience, flags: PolicyFlags): Promise<Outcome> {
  const file = flags.config === undefined ? {} : { file: flags.config };
  const loaded = await loadConfig({ directory: io.directory, ...file });
  const config = { ...loaded, cells: cellsOf(loaded, flags.cell) };
  checkFlags(audience, flags);
  const account = accountOf(flags.account ?? (io.env.CDK_DEFAULT_ACCOUNT || undefined));
  const where: Where = {
    config,
    account: account ?? '*',
    region: config.regions.standby,
    ...(flags.kcl === undefined ? {} : { kcl: flags.kcl }),
    ...(flags.fanOut === undefined ? {} : { fanOut: flags.fanOut }),
    ...(flags.tableKeys === undefined ? {} : { tableKeys: keysOf(flags.tableKeys) }),
    ...(flags.patterns === undefined ? {} : { patterns: flags.patterns }),
  };
  const document = policyOf(rightsFor(audience, verbsOf(flags.verbs)), where);
  const characters = charactersOf(document);
  const notes = notesOf({ audience, document, characters, account, config });
  if (flags.json !== true) for (const note of notes) io.err(`note: ${note}`);
  return {
    exit: exitCodes.done,
    document: { ok: true, for: audience, policy: document, characters, limits: policyLimits, notes },
    screen: JSON.stringify(document, null, 2),
    verbatim: true,
  };
}

function cellsOf({ cells }: Config, names: readonly string[] | undefined): Config['cells'] {
  if (names === undefined) return cells;
  const unknown = names.filter((name) => !cells.some((cell) => cell.name === name));
  if (unknown.length > 0) {
    throw new UsageError(
      `The config has no cell ${named(unknown)}. It has ${named(cells.map(({ name }) => name))}.`,
    );
  }
  return cells.filter(({ name }) => names.includes(name));
}

function accountOf(text: string | undefined): string | undefined {
  if (text === undefined || ACCOUNT.test(text)) return text;
  throw new UsageError(`"${text}" is no account: write its 12 digits.`);
}

function verbsOf(names: readonly string[] | undefined): typeof operatorVerbs | undefined {
  const unknown = (names ?? []).filter((name) => !(operatorVerbs as readonly string[]).includes(name));
  if (unknown.length > 0) {
    throw new UsageError(
      `No calls are made by ${named(unknown)}. Verbs that call AWS: ${operatorVerbs.join(', ')}.`,
    );
  }
  return names as unknown as typeof operatorVerbs | undefined;
}

function keysOf(arns: readonly string[]): readonly string[] {
  const wrong = arns.find((arn) => !/^arn:aws:kms:[a-z0-9-]+:\d{12}:key\/[A-Za-z0-9-]{1,64}$/.test(arn));
  if (wrong === undefined) return arns;
  throw new UsageError(`"${wrong}" is not the ARN of a KMS key: arn:aws:kms:REGION:ACCOUNT:key/ID.`);
}

/** Options of one audience alone. */
function checkFlags(audience: Audience, { verbs, kcl, fanOut }: PolicyFlags): void {
  if (verbs !== undefined && audience !== 'operator') throw new UsageError('--verbs is for operators.');
  const ofConsumers = [kcl, fanOut].filter((value) => value !== undefined);
  if (ofConsumers.length > 0 && audience !== 'consumer')
    throw new UsageError('--kcl and --fan-out are for consumers.');
  const wrong = ofConsumers.find((name) => !NAME.test(name));
  if (wrong === undefined) return;
  throw new UsageError(
    `"${wrong}" is no name: use 3 to 128 letters, digits, underscores, full stops and hyphens.`,
  );
}

interface Noted {
  readonly audience: Audience;
  readonly document: PolicyDocument;
  readonly characters: number;
  readonly account: string | undefined;
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
  const beacons = audience === 'producer' && config.beacons !== undefined;
  return [
    ...(account === undefined ? ['no account is known, so the ARNs are of any (*): give --account.'] : []),
    ...(characters > managed
      ? [
          `${many} characters fit into a role’s inline policies (${role.toLocaleString('en')}), and not into a managed policy (${managed.toLocaleString('en')}).`,
        ]
      : []),
    ...(keyed ? ['the policies of the keys have to allow the role, too, or to leave it to IAM.'] : []),
    ...(beacons ? [`it includes what the managed policy ${config.name}-beacon-writer allows.`] : []),
  ];
}
