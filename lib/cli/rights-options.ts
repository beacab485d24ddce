import { type Command, Option } from 'commander';
import type { Config } from '../config/config.ts';
import { UsageError } from '../operate/errors.ts';
import { named } from '../operate/named.ts';
import { type Asked, whereAsked } from '../permissions/asked.ts';
import { type OperatorVerb, operatorVerbs } from '../permissions/operator.ts';
import { type Audience, checkPatterns } from '../permissions/policy.ts';
import { listArgument } from './options.ts';

/** What narrows or widens a policy: options of whatever prints one, or looks for one. */
export interface RightsFlags {
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
const KEY = /^arn:aws:kms:[a-z0-9-]+:\d{12}:key\/[A-Za-z0-9-]{1,64}$/;

/** In the order of the help. `account` says what is used without `--account`. */
const rightsOptions = (account: string): readonly Option[] => [
  list('--cell <names>', 'only these cells, separated by commas (default: all)'),
  new Option('--account <id>', `the account of the deployment (default: ${account})`),
  list(
    '--verbs <names>',
    'operator: only what these verbs need, separated by commas (default: all but prove, which creates and deletes)',
  ),
  new Option('--kcl <application>', 'consumer: also the tables and metrics of this application of the KCL'),
  new Option('--fan-out <consumer>', 'consumer: also enhanced fan-out under this name'),
  list(
    '--table-keys <arns>',
    'keys that encrypt the tables (encryptionKeyArns of the construct), separated by commas',
  ),
  new Option(
    '--patterns',
    'name streams by the letters that their names begin with, which covers others, too',
  ),
];
const list = (flags: string, description: string): Option =>
  new Option(flags, description).argParser(listArgument);

export function withRights(command: Command, { account }: { readonly account: string }): Command {
  for (const option of rightsOptions(account)) command.addOption(option);
  return command;
}

/** These options as they are written, of those that were given. */
export const givenRights = (flags: RightsFlags): readonly string[] =>
  rightsOptions('').flatMap((option) =>
    flags[option.attributeName() as keyof RightsFlags] === undefined ? [] : [option.long ?? option.flags],
  );

export interface AskedFor {
  readonly as: Audience;
  readonly config: Config;
  /** Where no option names it. Absent: not known. */
  readonly account: string | undefined;
}

/** What is asked for by these options. @throws UsageError, PolicyError */
export function askedBy(flags: RightsFlags, { as, config, account }: AskedFor): Asked {
  const { cell, verbs, kcl, fanOut, tableKeys, patterns } = flags;
  checkAudience(as, flags);
  checkCells(config, cell);
  const asked: Asked = {
    as,
    account: accountOf(flags.account ?? account) ?? '*',
    ...(cell === undefined ? {} : { cells: cell }),
    ...(verbs === undefined ? {} : { verbs: verbsOf(verbs) }),
    ...(kcl === undefined ? {} : { kcl }),
    ...(fanOut === undefined ? {} : { fanOut }),
    ...(tableKeys === undefined ? {} : { tableKeys: keysOf(tableKeys) }),
    ...(patterns === undefined ? {} : { patterns }),
  };
  checkPatterns(whereAsked(asked, config));
  return asked;
}

function checkCells({ cells }: Config, names: readonly string[] | undefined): void {
  const unknown = (names ?? []).filter((name) => !cells.some((cell) => cell.name === name));
  if (unknown.length === 0) return;
  throw new UsageError(
    `The config has no cell ${named(unknown)}. It has ${named(cells.map(({ name }) => name))}.`,
  );
}

function accountOf(text: string | undefined): string | undefined {
  if (text === undefined || ACCOUNT.test(text)) return text;
  throw new UsageError(`"${text}" is no account: write its 12 digits.`);
}

function verbsOf(names: readonly string[]): readonly OperatorVerb[] {
  const unknown = names.filter((name) => !(operatorVerbs as readonly string[]).includes(name));
  if (unknown.length === 0) return names as readonly OperatorVerb[];
  throw new UsageError(
    `No calls are made by ${named(unknown)}. Verbs that call AWS: ${operatorVerbs.join(', ')}.`,
  );
}

function keysOf(arns: readonly string[]): readonly string[] {
  const wrong = arns.find((arn) => !KEY.test(arn));
  if (wrong === undefined) return arns;
  throw new UsageError(`"${wrong}" is not the ARN of a KMS key: arn:aws:kms:REGION:ACCOUNT:key/ID.`);
}

/** Options of one audience alone. */
function checkAudience(as: Audience, { verbs, kcl, fanOut }: RightsFlags): void {
  if (verbs !== undefined && as !== 'operator') throw new UsageError('--verbs is for operators.');
  const ofConsumers = [kcl, fanOut].filter((value) => value !== undefined);
  if (ofConsumers.length > 0 && as !== 'consumer')
    throw new UsageError('--kcl and --fan-out are for consumers.');
  const wrong = ofConsumers.find((name) => !NAME.test(name));
  if (wrong === undefined) return;
  throw new UsageError(
    `"${wrong}" is no name: use 3 to 128 letters, digits, underscores, full stops and hyphens.`,
  );
}
