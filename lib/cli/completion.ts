import { Argument, Command } from 'commander';
import { exitCodes } from '../shell/exit-codes.ts';
import type { Io } from './io.ts';
import { type OutputFlags, withJson } from './options.ts';
import { perform } from './verb.ts';

const shells = ['bash', 'zsh', 'fish'] as const;
type Shell = (typeof shells)[number];

/** `spillway completion`: completion for a shell, made from the commands themselves, so that it cannot lag behind them. */
export function completionCommand(io: Io): Command {
  const command = withJson(new Command('completion').description('Print completion for bash, zsh or fish.'))
    .addArgument(new Argument('<shell>').choices(shells))
    .addHelpText(
      'after',
      '\nExamples:\n  source <(spillway completion bash)\n  source <(spillway completion zsh)\n  spillway completion fish > ~/.config/fish/completions/spillway.fish',
    );
  return command.action((shell: Shell, flags: OutputFlags) =>
    perform(io, flags, () => {
      const script = completionOf(shell, verbsOf(command.parent ?? command));
      return { exit: exitCodes.done, document: { ok: true, shell, script }, screen: script, verbatim: true };
    }),
  );
}

export interface Verb {
  readonly name: string;
  readonly description: string;
  readonly options: readonly { readonly flag: string; readonly description: string }[];
}

export const verbsOf = (program: Command): readonly Verb[] =>
  program.commands.map((command) => ({
    name: command.name(),
    description: firstSentence(command.description()),
    options: [
      ...command.options.flatMap(({ long, description }) => (long ? [{ flag: long, description }] : [])),
      { flag: '--help', description: 'display help' },
    ],
  }));

const firstSentence = (text: string): string => text.split(/[.:;]/)[0] ?? '';

/** Pure. */
export function completionOf(shell: Shell, verbs: readonly Verb[]): string {
  switch (shell) {
    case 'bash':
      return bash(verbs);
    case 'zsh':
      return zsh(verbs);
    case 'fish':
      return fish(verbs);
    default:
      return shell satisfies never;
  }
}

const flagsOf = ({ options }: Verb): string => options.map(({ flag }) => flag).join(' ');

function bash(verbs: readonly Verb[]): string {
  return [
    '_spillway() {',
    '  local word=$2 words',
    '  if [ "$COMP_CWORD" -eq 1 ]; then',
    `    words="${verbs.map(({ name }) => name).join(' ')}"`,
    '  else',
    `    case "\${COMP_WORDS[1]}" in`,
    ...verbs.map((verb) => `      ${verb.name}) words="${flagsOf(verb)}" ;;`),
    '    esac',
    '  fi',
    '  COMPREPLY=($(compgen -W "$words" -- "$word"))',
    '  [ -n "$COMPREPLY" ] || COMPREPLY=($(compgen -f -- "$word"))',
    '}',
    'complete -F _spillway spillway',
  ].join('\n');
}

const quoted = (text: string): string => `'${text.replaceAll("'", "'\\''")}'`;
/**
 * Replaces the characters that mean something to zsh: a colon ends the name, and brackets end the
 * description.
 */
const zshText = (text: string): string => text.replaceAll(/[[\]:]/g, ' ');

function zsh(verbs: readonly Verb[]): string {
  return [
    '#compdef spillway',
    '_spillway() {',
    '  if (( CURRENT == 2 )); then',
    '    local -a verbs=(',
    ...verbs.map(({ name, description }) => `      ${quoted(`${name}:${zshText(description)}`)}`),
    '    )',
    '    _describe verb verbs',
    '    return',
    '  fi',
    '  case "$words[2]" in',
    ...verbs.map(({ name, options }) => {
      const list = options.map(({ flag, description }) => quoted(`${flag}[${zshText(description)}]`));
      return `    ${name}) _arguments ${list.join(' ')} '*:file:_files' ;;`;
    }),
    '  esac',
    '}',
    'if [ "$funcstack[1]" = "_spillway" ]; then _spillway "$@"; else compdef _spillway spillway; fi',
  ].join('\n');
}

function fish(verbs: readonly Verb[]): string {
  const names = verbs.map(({ name }) => name).join(' ');
  return verbs
    .flatMap(({ name, description, options }) => [
      `complete -c spillway -n "not __fish_seen_subcommand_from ${names}" -a ${name} -d ${quoted(description)}`,
      ...options.map(
        ({ flag, description: what }) =>
          `complete -c spillway -n "__fish_seen_subcommand_from ${name}" -l ${flag.slice(2)} -d ${quoted(what)}`,
      ),
    ])
    .join('\n');
}
